import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { DecoderSettings } from './decoder/sandbox.ts'
import { createFrameRing, type FrameRing } from './frames.ts'
import { createMeter } from './meter.ts'
import {
  type AccessUnit,
  type FailureCode,
  type Source,
  SourceFailure,
  type StreamFacts,
  type Times,
} from './source.ts'
import { createStream, type Stream } from './stream.ts'
import { dueAtMs, next, STOPPED, type Supervision, type SupervisionEvent } from './supervise.ts'

export interface CameraState {
  status: 'connecting' | 'online' | 'offline' | 'stopped'
  /** Since when it has this status. */
  sinceMs: number
  /** Why it is offline; the message is for the owner. */
  reason: { code: FailureCode; message: string } | null
  /** As last seen, with the measured rate; `fps` is null while no pictures come. */
  stream: MeasuredStream | null
  lastFrameAtMs: number | null
  /** Attempts after the first. */
  restarts: number
  nextAttemptAtMs: number | null
  frames: number
  /** Pictures that came and could not be kept: the decoder lagged, every slot was held, or the rate was above the limit. */
  dropped: number
  /** How the decoder is held; null while none runs. */
  sandbox: readonly string[] | null
}

export type MeasuredStream = StreamFacts & { fps: number | null; keyframeIntervalS: number | null }

/** One supervised camera: its pictures come into the ring for as long as it is started. */
export interface Camera {
  readonly id: string
  readonly ring: FrameRing
  state(): CameraState
  /** Told when the status or the stream's facts change; the returned function ends it. */
  onState(listener: (state: CameraState) => void): () => void
  /** Whole JPEGs as they arrive, for cameras that send JPEG; the returned function ends it. */
  onJpeg(listener: (jpeg: Uint8Array, times: Times) => void): () => void
  /** Coded pictures as they arrive, of cameras that send any; nothing is copied. The returned function ends it. */
  onUnit(listener: (unit: AccessUnit) => void): () => void
  start(): void
  /** Resolves once its decoder is gone. */
  stop(): Promise<void>
}

export interface CameraDeps {
  id: string
  source: Source
  clock: Clock
  log: Log
  decoder: DecoderSettings
  ring?: FrameRing
}

export function createCamera({
  id,
  source,
  clock,
  log,
  decoder,
  ring = createFrameRing(),
}: CameraDeps): Camera {
  const stateListeners = new Set<(state: CameraState) => void>()
  const jpegListeners = new Set<(jpeg: Uint8Array, times: Times) => void>()
  const unitListeners = new Set<(unit: AccessUnit) => void>()
  const meter = createMeter()
  let supervision: Supervision = STOPPED
  let reason: SourceFailure | null = null
  let facts: StreamFacts | null = null
  let stream: Stream | null = null
  let cancelTimer = () => {}
  let status: CameraState['status'] = 'stopped'
  let sinceMs = clock.now()
  let lastFrameAtMs: number | null = null
  let attempts = 0
  let frames = 0
  let dropped = 0
  let gone: Promise<void> = Promise.resolve()

  function state(): CameraState {
    return {
      status,
      sinceMs,
      reason: status === 'offline' && reason ? { code: reason.code, message: reason.message } : null,
      stream: facts && { ...facts, ...meter.measured(status === 'online') },
      lastFrameAtMs,
      restarts: Math.max(0, attempts - 1),
      nextAttemptAtMs:
        supervision.kind === 'waiting'
          ? clock.now() + Math.max(0, supervision.retryAtMs - clock.monotonic())
          : null,
      frames,
      dropped: dropped + ring.stats().dropped,
      sandbox: stream ? decoder.sandbox.protections : null,
    }
  }

  function tell(): void {
    const now = state()
    for (const listener of stateListeners) listener(now)
  }

  function handle(event: SupervisionEvent): void {
    const before = supervision
    supervision = next(before, event, clock.monotonic(), silence)
    if (supervision.kind === 'waiting' && before.kind !== 'waiting') reason = supervision.cause
    if (supervision.kind === 'online') reason = null
    open(before)
    schedule()
    settle()
  }

  /** Opens and closes the source as the new state asks. */
  function open(before: Supervision): void {
    if (before.kind === supervision.kind) return
    const wanted = supervision.kind === 'trying' || supervision.kind === 'online'
    if (!wanted && !(source.passive && supervision.kind === 'waiting')) close()
    if (supervision.kind !== 'trying') return
    attempts++
    if (stream) return
    stream = attempt()
    stream.start()
  }

  function close(): void {
    const ended = stream
    stream = null
    if (ended) gone = Promise.all([gone, ended.close()]).then(() => {})
  }

  function schedule(): void {
    cancelTimer()
    const due = dueAtMs(supervision)
    cancelTimer =
      due === null
        ? () => {}
        : clock.after(Math.max(0, due - clock.monotonic()), () => handle({ kind: 'time' }))
  }

  function settle(): void {
    const now = statusOf(supervision, attempts)
    if (now === status) return
    status = now
    sinceMs = clock.now()
    log.info({ cameraId: id, status, reason: state().reason?.message }, 'camera')
    tell()
  }

  function silence(): SourceFailure {
    return stream?.silence() ?? new SourceFailure('stalled', 'No picture comes from the camera.')
  }

  function attempt(): Stream {
    return createStream({
      source,
      ring,
      decoder,
      onDescribed(found) {
        facts = found
        handle({ kind: 'described' })
        tell()
      },
      onUnit(unit) {
        meter.unit(unit)
        for (const listener of unitListeners) listener(unit)
        if (unit.codec !== 'jpeg') return
        for (const listener of jpegListeners) listener(unit.data, unit)
      },
      onPicture(times) {
        frames++
        lastFrameAtMs = times.arrivedAtMs
        meter.picture(times)
        handle({ kind: 'frame' })
      },
      onDropped(pictures) {
        dropped += pictures
      },
      onFailed: (cause) => handle({ kind: 'failed', cause }),
    })
  }

  return {
    id,
    ring,
    state,
    onState(listener) {
      stateListeners.add(listener)
      return () => void stateListeners.delete(listener)
    },
    onJpeg(listener) {
      jpegListeners.add(listener)
      return () => void jpegListeners.delete(listener)
    },
    onUnit(listener) {
      unitListeners.add(listener)
      return () => void unitListeners.delete(listener)
    },
    start: () => handle({ kind: 'start' }),
    async stop() {
      handle({ kind: 'stop' })
      await gone
    },
  }
}

function statusOf(supervision: Supervision, attempts: number): CameraState['status'] {
  switch (supervision.kind) {
    case 'stopped':
      return 'stopped'
    case 'online':
      return 'online'
    case 'waiting':
      return 'offline'
    case 'trying':
      return attempts === 1 ? 'connecting' : 'offline'
  }
}
