import type { Clock } from '../kernel/clock.ts'

/** Holds every device to its rate by making its messages wait; nothing is dropped. */
export interface Pace {
  /** Counts one message and says how many ms it has to wait. */
  take(deviceId: string): number
  /** Counts one message when it need not wait; false when it would have to. */
  takeAtOnce(deviceId: string): boolean
}

export interface PaceDeps {
  clock: Clock
  perSecond: number
  burst: number
  /** Devices remembered; the one seen longest ago is forgotten first, with a full bucket when it returns. */
  devicesKept: number
}

interface Bucket {
  tokens: number
  atMs: number
}

/**
 * A token bucket per device that may go into debt: the debt is the wait. It cannot grow far, because a connection with a
 * waiting message reads no further. Kept across reconnections, so that reconnecting earns nothing.
 */
export function createPace({ clock, perSecond, burst, devicesKept }: PaceDeps): Pace {
  const buckets = new Map<string, Bucket>()

  function filled(deviceId: string): Bucket {
    const nowMs = clock.monotonic()
    const bucket = buckets.get(deviceId)
    if (!bucket) return { tokens: burst, atMs: nowMs }
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) * perSecond) / 1000)
    bucket.atMs = nowMs
    return bucket
  }

  function keep(deviceId: string, bucket: Bucket): void {
    bucket.tokens -= 1
    buckets.delete(deviceId)
    buckets.set(deviceId, bucket)
    if (buckets.size > devicesKept) buckets.delete(buckets.keys().next().value ?? '')
  }

  return {
    take(deviceId) {
      const bucket = filled(deviceId)
      keep(deviceId, bucket)
      return bucket.tokens >= 0 ? 0 : Math.ceil((-bucket.tokens * 1000) / perSecond)
    },
    takeAtOnce(deviceId) {
      const bucket = filled(deviceId)
      if (bucket.tokens < 1) return false
      keep(deviceId, bucket)
      return true
    },
  }
}
