import type { Clock } from '../../daemon/kernel/clock.ts'

export interface FakeClock extends Clock {
  /** Moves time forward and runs what became due, in order. */
  advance(ms: number): void
}

interface Timer {
  dueMs: number
  everyMs: number | null
  fn: () => void
}

/** A clock that stands still until `advance`. */
export function fakeClock(startMs = Date.UTC(2026, 2, 14, 8)): FakeClock {
  let nowMs = startMs
  const timers = new Set<Timer>()
  const add = (timer: Timer) => {
    timers.add(timer)
    return () => void timers.delete(timer)
  }
  return {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    after: (ms, fn) => add({ dueMs: nowMs + ms, everyMs: null, fn }),
    every: (ms, fn) => add({ dueMs: nowMs + ms, everyMs: ms, fn }),
    advance(ms) {
      const endMs = nowMs + ms
      for (;;) {
        const next = [...timers].filter((t) => t.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0]
        if (!next) break
        nowMs = Math.max(nowMs, next.dueMs)
        if (next.everyMs === null) timers.delete(next)
        else next.dueMs += next.everyMs
        next.fn()
      }
      nowMs = endMs
    },
  }
}
