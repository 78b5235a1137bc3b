/** Shares of readings in the ranges of the CGM consensus, each reading weighted by its source's nominal interval. */
import type { GlucoseTrace } from './cgm-trace.ts'
import { valueAt } from './moments.ts'

/** Battelino 2019 (Diabetes Care 42:1593): cut-offs in mg/dL; 70 and 180 belong to the range, 54 to level 1, 250 to level 1. */
export const CUTS = { veryLow: 54, low: 70, tight: 140, high: 180, veryHigh: 250 } as const

/** Percent of weighted readings; the five parts `veryLow` … `veryHigh` add up to 100. */
export interface GlucoseRanges {
  veryLow: number
  low: number
  inRange: number
  high: number
  veryHigh: number
  /** 70 to 140, a part of `inRange`. */
  tight: number
}

/**
 * Percent of readings for which `holds`, each weighted by the minutes it stands for: with one sensor that is the share of
 * readings exactly, and a gap counts for nothing. Null without readings, because 0 % would be a claim.
 */
export function shareOf(trace: GlucoseTrace, holds: (mgPerDl: number) => boolean): number | null {
  let held = 0
  let total = 0
  trace.mgPerDl.forEach((mgPerDl, index) => {
    const weight = valueAt(trace.nominalMin, index)
    total += weight
    if (holds(mgPerDl)) held += weight
  })
  return total === 0 ? null : (100 * held) / total
}

/** Time in, above and below ranges; null without readings. */
export function glucoseRanges(trace: GlucoseTrace): GlucoseRanges | null {
  const veryLow = shareOf(trace, (v) => v < CUTS.veryLow)
  const low = shareOf(trace, (v) => v >= CUTS.veryLow && v < CUTS.low)
  const inRange = shareOf(trace, (v) => v >= CUTS.low && v <= CUTS.high)
  const high = shareOf(trace, (v) => v > CUTS.high && v <= CUTS.veryHigh)
  const veryHigh = shareOf(trace, (v) => v > CUTS.veryHigh)
  const tight = shareOf(trace, (v) => v >= CUTS.low && v <= CUTS.tight)
  if (veryLow === null || low === null || inRange === null) return null
  if (high === null || veryHigh === null || tight === null) return null
  return { veryLow, low, inRange, high, veryHigh, tight }
}

/** Glycemia Risk Index, capped at 100 (Klonoff 2022, doi 10.1177/19322968221085273). */
export function glycemiaRiskIndex({ veryLow, low, high, veryHigh }: GlucoseRanges): number {
  return Math.min(100, 3 * veryLow + 2.4 * low + 1.6 * veryHigh + 0.8 * high)
}

/**
 * Continuous glucose monitoring index, 0 to 100 (Leelarathna 2020, doi 10.1177/1932296819838525): half for time in range, 35 % for
 * time below it (0 to 15 %), 15 % for the standard deviation (18 to 108 mg/dL).
 */
export function cogi(ranges: GlucoseRanges, sdMgPerDl: number): number {
  const below = ranges.veryLow + ranges.low
  return 0.5 * ranges.inRange + 0.35 * falling(below, 0, 15) + 0.15 * falling(sdMgPerDl, 18, 108)
}

/** 100 up to `from`, 0 from `to` on, a straight line between. */
function falling(value: number, from: number, to: number): number {
  return Math.min(100, Math.max(0, (100 * (to - value)) / (to - from)))
}
