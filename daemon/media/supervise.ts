/** When a camera counts as gone and when it is tried again, as a pure function of what happened; `camera.ts` acts on it. */
import type { SourceFailure } from './source.ts'

/** No picture for this long is a fault, however fast the camera usually is. */
const STALL_MS = 5_000
/** A slow camera is left alone for this many of its usual intervals. */
const STALL_INTERVALS = 3
/** How long the first two pictures may take while the camera's usual interval is not known. */
const UNLEARNT_MS = 15_000
/** Waits before the first, second, … retry; the last one repeats. */
const RETRY_MS = [1_000, 2_000, 4_000, 5_000]
/** A retry waits at least this long after an attempt that itself took longer than the wait. */
const MIN_REST_MS = 500
/** How long an attempt may take until the camera describes its stream. */
const CONNECT_MS = 4_000
const LEARNING_RATE = 0.25

export type Supervision =
  | { kind: 'stopped'; learntMs: number | null }
  | ({ kind: 'trying'; describedAtMs: number | null } & Attempt)
  | ({ kind: 'online'; lastFrameAtMs: number; frames: number } & Attempt)
  | { kind: 'waiting'; retryAtMs: number; failures: number; learntMs: number | null; cause: SourceFailure }

interface Attempt {
  startedAtMs: number
  /** Attempts in a row that gave no picture. */
  failures: number
  /** The usual time between two pictures; null until two came. */
  learntMs: number | null
}

export type SupervisionEvent =
  | { kind: 'start' }
  | { kind: 'stop' }
  | { kind: 'described' }
  | { kind: 'frame' }
  | { kind: 'failed'; cause: SourceFailure }
  | { kind: 'time' }

export const STOPPED: Supervision = { kind: 'stopped', learntMs: null }

/** How long a picture may take to follow another. */
export function patienceMs(learntMs: number | null): number {
  return learntMs === null ? UNLEARNT_MS : Math.max(STALL_MS, STALL_INTERVALS * learntMs)
}

/** When something happens if nothing is heard before; null: never. */
export function dueAtMs(state: Supervision): number | null {
  switch (state.kind) {
    case 'stopped':
      return null
    case 'waiting':
      return state.retryAtMs
    case 'trying':
      return state.describedAtMs === null
        ? state.startedAtMs + CONNECT_MS
        : state.describedAtMs + patienceMs(state.learntMs)
    case 'online':
      return state.lastFrameAtMs + patienceMs(state.learntMs)
  }
}

/** `stalled` makes the failure that a silence amounts to, so that its words can name what did come. Times are monotonic. */
export function next(
  state: Supervision,
  event: SupervisionEvent,
  nowMs: number,
  stalled: (state: Supervision) => SourceFailure,
): Supervision {
  if (event.kind === 'stop') return { kind: 'stopped', learntMs: state.learntMs }
  switch (state.kind) {
    case 'stopped':
      return event.kind === 'start' ? attempt(nowMs, 0, state.learntMs) : state
    case 'waiting':
      if (event.kind === 'frame') return online({ startedAtMs: nowMs, ...state }, nowMs)
      return isDue(state, event, nowMs) ? attempt(nowMs, state.failures, state.learntMs) : state
    case 'trying':
      if (event.kind === 'described') return { ...state, describedAtMs: state.describedAtMs ?? nowMs }
      if (event.kind === 'frame') return online(state, nowMs)
      break
    case 'online':
      if (event.kind === 'frame') return another(state, nowMs)
      break
  }
  if (event.kind === 'failed') return wait(state, event.cause, nowMs)
  return isDue(state, event, nowMs) ? wait(state, stalled(state), nowMs) : state
}

function isDue(state: Supervision, event: SupervisionEvent, nowMs: number): boolean {
  const due = dueAtMs(state)
  return event.kind === 'time' && due !== null && nowMs >= due
}

function attempt(nowMs: number, failures: number, learntMs: number | null): Supervision {
  return { kind: 'trying', startedAtMs: nowMs, describedAtMs: null, failures, learntMs }
}

function online({ startedAtMs, failures, learntMs }: Attempt, nowMs: number): Supervision {
  return { kind: 'online', startedAtMs, failures, learntMs, lastFrameAtMs: nowMs, frames: 1 }
}

function another(state: Supervision & { kind: 'online' }, nowMs: number): Supervision {
  const sinceMs = nowMs - state.lastFrameAtMs
  const learntMs =
    state.learntMs === null ? sinceMs : state.learntMs + LEARNING_RATE * (sinceMs - state.learntMs)
  return { ...state, learntMs, failures: 0, lastFrameAtMs: nowMs, frames: state.frames + 1 }
}

/**
 * An attempt that gave one picture and then fell silent may be a camera that became slow: its interval is learnt anew.
 * A wait counts from the start of an attempt that hung, so that a camera which returns is asked every 5 s whatever the network did.
 */
function wait(
  state: Supervision & { kind: 'trying' | 'online' },
  cause: SourceFailure,
  nowMs: number,
): Supervision {
  const delay = RETRY_MS[Math.min(state.failures, RETRY_MS.length - 1)] ?? STALL_MS
  const fromMs = state.kind === 'online' ? nowMs : state.startedAtMs
  const forget = state.kind === 'online' && state.frames === 1
  return {
    kind: 'waiting',
    retryAtMs: Math.max(fromMs + delay, nowMs + MIN_REST_MS),
    failures: state.failures + 1,
    learntMs: forget ? null : state.learntMs,
    cause,
  }
}
