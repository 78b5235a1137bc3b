import { type GlucoseRanges, glucoseRanges, glycemiaRiskIndex } from './cgm-ranges.ts'
import { gmi } from './cgm-risk.ts'
import type { GlucoseTrace } from './cgm-trace.ts'
import { wear } from './cgm-wear.ts'
import { mean, sampleSd } from './moments.ts'

/** Consensus on what a report needs before its numbers stand for the person (Battelino 2019, ADA table 6.2). */
export const ENOUGH = { days: 14, wearPercent: 70 } as const

export type Shortage = 'no_readings' | 'one_reading' | 'under_14_days' | 'under_70_percent_wear'

/** The numbers of a consensus report, mg/dL and percent. What cannot be said is null, and `shortages` says why. */
export interface GlucoseSummary {
  readings: number
  days: number | null
  wearPercent: number | null
  mean: number | null
  sd: number | null
  cv: number | null
  gmi: number | null
  ranges: GlucoseRanges | null
  gri: number | null
  /** Empty when the period satisfies the consensus. */
  shortages: Shortage[]
}

/** Summary of a period: ranges weighted by nominal interval, mean, SD and what rests on them by reading. */
export function glucoseSummary(trace: GlucoseTrace): GlucoseSummary {
  const centre = mean(trace.mgPerDl)
  const sd = sampleSd(trace.mgPerDl)
  const ranges = glucoseRanges(trace)
  const worn = wear(trace)
  const shortages: Shortage[] = []
  if (trace.atMs.length === 0) shortages.push('no_readings')
  else if (worn === null) shortages.push('one_reading')
  if (worn === null || Math.round(worn.days * 10) / 10 < ENOUGH.days) shortages.push('under_14_days')
  if (worn === null || worn.percent < ENOUGH.wearPercent) shortages.push('under_70_percent_wear')
  return {
    readings: trace.atMs.length,
    days: worn?.days ?? null,
    wearPercent: worn?.percent ?? null,
    mean: centre,
    sd,
    cv: sd === null || centre === null ? null : (100 * sd) / centre,
    gmi: centre === null ? null : gmi(centre),
    ranges,
    gri: ranges && glycemiaRiskIndex(ranges),
    shortages,
  }
}
