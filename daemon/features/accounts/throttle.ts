/** Slows guessing down without ever locking a name out: a counter that refills with time. */
import type { Clock } from '../../kernel/clock.ts'

export interface Throttle {
  /** Takes one of the key's tries; 0, or the seconds until there is one. */
  take(key: string): number
  /** Gives a try back: it was no guess. */
  giveBack(key: string): void
  /** Whether the key has used none of its tries of late. */
  isFresh(key: string): boolean
  /** Keys forgotten early because there were too many. */
  forgotten(): number
}

export interface ThrottleDeps {
  clock: Clock
  burst: number
  refillMs: number
}

/** Beyond this the key used longest ago is forgotten: memory matters more than one guesser among thousands. */
const KEYS_KEPT = 5_000

interface Bucket {
  left: number
  atMs: number
}

export function createThrottle({ clock, burst, refillMs }: ThrottleDeps): Throttle {
  const buckets = new Map<string, Bucket>()
  let forgotten = 0

  function left(key: string): number {
    const bucket = buckets.get(key)
    if (!bucket) return burst
    return Math.min(burst, bucket.left + (clock.monotonic() - bucket.atMs) / refillMs)
  }

  function put(key: string, value: number): void {
    buckets.delete(key)
    if (value >= burst) return
    buckets.set(key, { left: value, atMs: clock.monotonic() })
    if (buckets.size <= KEYS_KEPT) return
    const oldest = buckets.keys().next()
    if (!oldest.done) buckets.delete(oldest.value)
    forgotten += 1
  }

  return {
    take(key) {
      const now = left(key)
      if (now < 1) return Math.max(1, Math.ceil(((1 - now) * refillMs) / 1000))
      put(key, now - 1)
      return 0
    },
    giveBack: (key) => put(key, left(key) + 1),
    isFresh: (key) => left(key) >= burst,
    forgotten: () => forgotten,
  }
}
