import type { Clock } from '../kernel/clock.ts'
import type { Frame } from './frame.ts'

/** Lets frames of which only the newest counts through at a bounded rate, each topic for itself. */
export interface Pace {
  offer(frame: Frame): void
  forget(topic: string): void
  close(): void
}

interface Lane {
  /** When the next one would go at an even rate. */
  dueMs: number
  newest: Frame | null
  /** A newer one took the place of one that waited: they come faster than they may go. */
  replaced: boolean
  cancel: (() => void) | null
}

/** A camera of just that rate sends some pictures a little early: they need not wait … */
const EARLY_SHARE = 0.5
/** … and where one came late, those after it catch up, instead of all being late from then on. */
const CATCH_UP_SHARE = 0.95

/** `send` is called at most every `everyMs` on average for a topic, with the newest frame offered by then. */
export function createPace(clock: Clock, everyMs: number, send: (frame: Frame) => void): Pace {
  const lanes = new Map<string, Lane>()
  const earlyMs = everyMs * EARLY_SHARE

  function flush(lane: Lane): void {
    lane.cancel = null
    const frame = lane.newest
    lane.newest = null
    if (frame === null) return
    lane.dueMs =
      Math.max(lane.dueMs, clock.monotonic()) + (lane.replaced ? everyMs : everyMs * CATCH_UP_SHARE)
    lane.replaced = false
    send(frame)
  }

  function forget(topic: string): void {
    lanes.get(topic)?.cancel?.()
    lanes.delete(topic)
  }

  function laneOf(topic: string): Lane {
    const known = lanes.get(topic)
    if (known) return known
    const lane = { dueMs: Number.NEGATIVE_INFINITY, newest: null, replaced: false, cancel: null }
    lanes.set(topic, lane)
    return lane
  }

  return {
    offer(frame) {
      const lane = laneOf(frame.topic)
      lane.replaced ||= lane.newest !== null
      lane.newest = frame
      const waitMs = lane.dueMs - earlyMs - clock.monotonic()
      if (waitMs <= 0 && lane.cancel === null) flush(lane)
      else lane.cancel ??= clock.after(Math.ceil(waitMs), () => flush(lane))
    },
    forget,
    close() {
      for (const topic of [...lanes.keys()]) forget(topic)
    },
  }
}
