import { type GlucoseTrace, usualIntervalMin } from './cgm-trace.ts'
import { valueAt } from './moments.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** How much of the time between first and last reading the sensor was worn. */
export interface Wear {
  percent: number
  /** Length of the period in days. */
  days: number
  firstMs: number
  lastMs: number
}

/**
 * Readings there are of those that the usual interval would have given (Danne 2017, doi 10.2337/dc17-1600); never over 100 %. Null under
 * two readings.
 */
export function wear(trace: GlucoseTrace): Wear | null {
  const stepMin = usualIntervalMin(trace.atMs)
  if (stepMin === null) return null
  const firstMs = valueAt(trace.atMs, 0)
  const lastMs = valueAt(trace.atMs, trace.atMs.length - 1)
  const possible = Math.round((lastMs - firstMs) / (stepMin * MINUTE_MS)) + 1
  return {
    percent: Math.min(100, (100 * trace.atMs.length) / possible),
    days: (lastMs - firstMs) / DAY_MS,
    firstMs,
    lastMs,
  }
}
