import type { Clock } from '../kernel/clock.ts'

/** Holds every device to its rate by making its messages wait; nothing is dropped. */
export interface Pace {
  /** Counts one message and says how many ms it has to wait. */
  take(deviceId: string): number
}

export interface PaceDeps {
  clock: Clock
  perSecond: number
  burst: number
  /** Devices remembered; the one seen longest ago is forgotten first, with a full bucket when it returns. */
  devicesKept: number
}

/**
 * A token bucket per device that may go into debt: the debt is the wait. It cannot grow far, because a connection with a
 * waiting message reads no further. Kept across reconnections, so that reconnecting earns nothing.
 */
export function createPace({ clock, perSecond, burst, devicesKept }: PaceDeps): Pace {
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  return {
    take(deviceId) {
      const nowMs = clock.monotonic()
      const bucket = buckets.get(deviceId) ?? { tokens: burst, atMs: nowMs }
      const tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) * perSecond) / 1000) - 1
      buckets.delete(deviceId)
      buckets.set(deviceId, { tokens, atMs: nowMs })
      if (buckets.size > devicesKept) buckets.delete(buckets.keys().next().value ?? '')
      return tokens >= 0 ? 0 : Math.ceil((-tokens * 1000) / perSecond)
    },
  }
}
