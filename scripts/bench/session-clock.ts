/** A clock that a bench moves: by hand as fast as the machine goes, or along with the machine's own. */
import type { Clock } from '../../daemon/kernel/clock.ts'

export interface SteeredClock extends Clock {
  /** Moves time forward and runs what became due, in order. */
  advance(ms: number): void
  /** Lets time run by itself until the returned function stops it. */
  run(): () => void
}

interface Timer {
  dueMs: number
  everyMs: number | null
  fn: () => void
}

/** Timers of a clock that runs are at most this late. */
const TICK_MS = 2

export function createSteeredClock(startMs: number): SteeredClock {
  let nowMs = startMs
  let ran: { fromMs: number; atMs: number } | null = null
  const timers = new Set<Timer>()
  const exact = () => (ran === null ? nowMs : ran.fromMs + performance.now() - ran.atMs)

  function add(timer: Timer): () => void {
    timers.add(timer)
    return () => void timers.delete(timer)
  }

  function nextUpTo(endMs: number): Timer | null {
    let next: Timer | null = null
    for (const timer of timers)
      if (timer.dueMs <= endMs && (next === null || timer.dueMs < next.dueMs)) next = timer
    return next
  }

  function runUpTo(endMs: number): void {
    for (let next = nextUpTo(endMs); next !== null; next = nextUpTo(endMs)) {
      nowMs = Math.max(nowMs, next.dueMs)
      if (next.everyMs === null) timers.delete(next)
      else next.dueMs += next.everyMs
      next.fn()
    }
    nowMs = endMs
  }

  return {
    now: () => Math.floor(exact()),
    monotonic: () => exact() - startMs,
    after: (ms, fn) => add({ dueMs: exact() + ms, everyMs: null, fn }),
    every: (ms, fn) => add({ dueMs: exact() + ms, everyMs: ms, fn }),
    advance: (ms) => runUpTo(nowMs + ms),
    run() {
      ran = { fromMs: nowMs, atMs: performance.now() }
      const ticking = setInterval(() => runUpTo(exact()), TICK_MS)
      return () => {
        clearInterval(ticking)
        runUpTo(exact())
        ran = null
      }
    },
  }
}
