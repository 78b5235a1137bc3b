import type { Latency } from './store.ts'

/** Counts durations in fixed steps, so that a page of metrics can show their distribution. */
export interface LatencyCounter {
  count(ms: number): void
  read(): Latency
}

const BOUNDS_MS = [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500]

export function createLatencyCounter(): LatencyCounter {
  const counts = new Array<number>(BOUNDS_MS.length + 1).fill(0)
  let count = 0
  let sumMs = 0
  return {
    count(ms) {
      const found = BOUNDS_MS.findIndex((bound) => ms <= bound)
      const step = found < 0 ? BOUNDS_MS.length : found
      counts[step] = (counts[step] ?? 0) + 1
      count += 1
      sumMs += ms
    },
    read: () => ({ boundsMs: BOUNDS_MS, counts: [...counts], count, sumMs }),
  }
}
