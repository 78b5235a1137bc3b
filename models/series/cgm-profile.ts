import type { GlucoseTrace, WallClock } from './cgm-trace.ts'
import { quantileOfSorted, valueAt } from './moments.ts'

const DAY_MS = 86_400_000

/** One time of day of the ambulatory glucose profile; percentiles in mg/dL. */
export interface ProfileBin {
  minuteOfDay: number
  readings: number
  /** Local days with a reading in this bin; under 5 the percentiles say little. */
  days: number
  p5: number | null
  p25: number | null
  p50: number | null
  p75: number | null
  p95: number | null
}

/**
 * Percentiles of readings by local time of day over all days (ambulatory glucose profile, Johnson 2019, doi 10.1089/dia.2019.0034), unsmoothed, in
 * bins of `binMin` minutes. A bin without readings has null percentiles. An hour that comes twice counts twice.
 */
export function glucoseProfile(trace: GlucoseTrace, wallClock: WallClock, binMin = 15): ProfileBin[] {
  const bins = Array.from({ length: Math.ceil(1440 / binMin) }, () => ({
    values: [] as number[],
    days: new Set<number>(),
  }))
  trace.mgPerDl.forEach((mgPerDl, index) => {
    const wallMs = wallClock(valueAt(trace.atMs, index))
    const day = Math.floor(wallMs / DAY_MS)
    const bin = bins[Math.floor((wallMs - day * DAY_MS) / (binMin * 60_000))]
    bin?.values.push(mgPerDl)
    bin?.days.add(day)
  })
  return bins.map(({ values, days }, index) => {
    const ascending = Float64Array.from(values).sort()
    return {
      minuteOfDay: index * binMin,
      readings: values.length,
      days: days.size,
      p5: quantileOfSorted(ascending, 0.05),
      p25: quantileOfSorted(ascending, 0.25),
      p50: quantileOfSorted(ascending, 0.5),
      p75: quantileOfSorted(ascending, 0.75),
      p95: quantileOfSorted(ascending, 0.95),
    }
  })
}
