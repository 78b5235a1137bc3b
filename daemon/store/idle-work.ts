import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { UpkeepDone, UpkeepOrder } from './upkeep-order.ts'

/** Does upkeep between commits: by itself now and then, and when asked. One round at a time. */
export interface IdleWork {
  /** A commit ended; `nowMs` is the wall clock it was made under. */
  committed(nowMs: number): void
  ask(question: number, order: UpkeepOrder): void
  stop(): void
}

export interface IdleWorkDeps {
  clock: Pick<Clock, 'monotonic' | 'after'>
  run: (order: UpkeepOrder) => Generator<void, UpkeepDone>
  /** `question` is null for a round that nobody asked for. */
  tell(answer: { question: number | null; done: UpkeepDone | null; message: string }): void
}

interface Round {
  question: number | null
  steps: Generator<void, UpkeepDone>
}

/** After a start there are other things to do first. */
const FIRST_AFTER_MS = 60_000
const EVERY_MS = 6 * 3_600_000
const AGAIN_AFTER_FAILURE_MS = 600_000
/** By itself it takes at most a fifth of the thread, and waits while commits follow each other closely. */
const REST_FACTOR = 4
const REST_AT_LEAST_MS = 20
const QUIET_MS = 5
/** So often a step is put off for commits at most: on a hub that is never quiet days still get packed. */
const PUT_OFF_AT_MOST = 50

export function createIdleWork({ clock, run, tell }: IdleWorkDeps): IdleWork {
  const asked: { question: number; order: UpkeepOrder }[] = []
  let round: Round | null = null
  let nextMs = clock.monotonic() + FIRST_AFTER_MS
  let committedMs = clock.monotonic()
  let putOff = 0
  let cancel: (() => void) | null = null
  let stopped = false

  function later(ms: number): void {
    if (stopped || cancel !== null) return
    cancel = clock.after(ms, () => {
      cancel = null
      step()
    })
  }

  function begin(): void {
    const next = asked.shift()
    if (next === undefined) return
    round = { question: next.question, steps: run(next.order) }
    later(0)
  }

  function end(answer: { done: UpkeepDone | null; message: string }): void {
    const question = round?.question ?? null
    round = null
    nextMs = clock.monotonic() + (answer.done ? EVERY_MS : AGAIN_AFTER_FAILURE_MS)
    tell({ question, ...answer })
    begin()
  }

  function step(): void {
    if (round === null) return
    const startMs = clock.monotonic()
    if (round.question === null && startMs - committedMs < QUIET_MS && putOff < PUT_OFF_AT_MOST) {
      putOff += 1
      later(REST_AT_LEAST_MS)
      return
    }
    putOff = 0
    try {
      const { done, value } = round.steps.next()
      if (done) {
        end({ done: value, message: '' })
        return
      }
    } catch (cause) {
      end({ done: null, message: messageOf(cause) })
      return
    }
    const tookMs = clock.monotonic() - startMs
    later(round.question === null ? Math.max(REST_AT_LEAST_MS, tookMs * REST_FACTOR) : 0)
  }

  return {
    committed(nowMs) {
      committedMs = clock.monotonic()
      if (round !== null || committedMs < nextMs || stopped) return
      round = { question: null, steps: run({ nowMs, limits: null }) }
      later(REST_AT_LEAST_MS)
    },
    ask(question, order) {
      asked.push({ question, order })
      if (round === null) begin()
    },
    stop() {
      stopped = true
      cancel?.()
    },
  }
}
