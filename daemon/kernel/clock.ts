/** Time and timers as an argument, so that tests advance them by hand. */
export interface Clock {
  /** Wall clock, integer milliseconds UTC. */
  now(): number
  /** Milliseconds that only ever grow, for durations. */
  monotonic(): number
  /** Runs `fn` once after `ms`; the returned function cancels it. */
  after(ms: number, fn: () => void): () => void
  /** Runs `fn` every `ms`; the returned function stops it. */
  every(ms: number, fn: () => void): () => void
}

/** The machine's own clock. Timers do not keep the process alive: listeners do. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after(ms, fn) {
      const timer = setTimeout(fn, ms)
      timer.unref()
      return () => clearTimeout(timer)
    },
    every(ms, fn) {
      const timer = setInterval(fn, ms)
      timer.unref()
      return () => clearInterval(timer)
    },
  }
}

/** Resolves when `work` is done or `ms` are over, whichever is first; a failure of `work` before that is passed on. */
export async function within(clock: Pick<Clock, 'after'>, ms: number, work: Promise<void>): Promise<void> {
  let cancel = () => {}
  const over = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve)
  })
  await Promise.race([work, over])
  cancel()
}
