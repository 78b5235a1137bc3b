/** How often somebody may ask: a bucket of turns that fills steadily, for each asker. */

export interface RateLimit {
  /** 0 when the turn is given, else seconds until there is one. */
  take(asker: string): number
}

export interface RateLimitDeps {
  /** Milliseconds that only grow. */
  monotonic(): number
  perMinute: number
  /** Turns that may be taken at once. */
  burst: number
}

/** Askers that are remembered; at the limit the one that asked longest ago is forgotten, and begins with a full bucket. */
const ASKERS = 10_000

export function createRateLimit({ monotonic, perMinute, burst }: RateLimitDeps): RateLimit {
  const buckets = new Map<string, { turns: number; atMs: number }>()
  return {
    take(asker) {
      const nowMs = monotonic()
      const before = buckets.get(asker) ?? { turns: burst, atMs: nowMs }
      const turns = Math.min(burst, before.turns + ((nowMs - before.atMs) / 60_000) * perMinute)
      buckets.delete(asker)
      buckets.set(asker, { turns: turns >= 1 ? turns - 1 : turns, atMs: nowMs })
      if (buckets.size > ASKERS) for (const [oldest] of buckets) if (buckets.delete(oldest)) break
      return turns >= 1 ? 0 : Math.max(1, Math.ceil(((1 - turns) / perMinute) * 60))
    },
  }
}
