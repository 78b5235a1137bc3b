/** Where a caller stands in the current minute. */
export interface Allowance {
  allowed: boolean
  limit: number
  remaining: number
  /** Seconds until the minute starts anew, at least 1. */
  resetS: number
}

export interface RateLimiter {
  /** Counts one request of `key` against `limit` requests a minute. */
  take(key: string, limit: number): Allowance
  /** Callers forgotten early because there were too many of them. */
  forgotten(): number
}

const WINDOW_MS = 60_000
/** Above this the caller seen longest ago is forgotten: someone is making up addresses, and memory matters more. */
const KEYS_KEPT = 10_000

interface Window {
  startMs: number
  used: number
}

/** Counts requests in one-minute windows that start with a caller's first request, so that exactly `limit` pass. */
export function createRateLimiter({ monotonic }: { monotonic: () => number }): RateLimiter {
  const windows = new Map<string, Window>()
  let forgotten = 0

  function windowOf(key: string, nowMs: number): Window {
    const known = windows.get(key)
    windows.delete(key)
    const window = known && nowMs - known.startMs < WINDOW_MS ? known : { startMs: nowMs, used: 0 }
    windows.set(key, window)
    if (windows.size > KEYS_KEPT) {
      const oldest = windows.keys().next()
      if (!oldest.done) windows.delete(oldest.value)
      forgotten += 1
    }
    return window
  }

  return {
    take(key, limit) {
      const nowMs = monotonic()
      const window = windowOf(key, nowMs)
      const resetS = Math.max(1, Math.ceil((window.startMs + WINDOW_MS - nowMs) / 1000))
      if (window.used >= limit) return { allowed: false, limit, remaining: 0, resetS }
      window.used += 1
      return { allowed: true, limit, remaining: limit - window.used, resetS }
    },
    forgotten: () => forgotten,
  }
}
