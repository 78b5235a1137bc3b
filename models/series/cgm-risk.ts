/** Risk and quality indices of glucose readings that look at values only, not at their order. */
import type { WallClock } from './cgm-trace.ts'
import { mean, type Numbers, sampleSd, valueAt } from './moments.ts'

const DAY_MS = 86_400_000

/** 10 · 1.509², rounded as Kovatchev published it and as iglu computes with. */
const RISK_SCALE = 22.77

/** Glucose management indicator in % (Bergenstal 2018, doi 10.2337/dc18-1581). */
export function gmi(meanMgPerDl: number): number {
  return 3.31 + 0.02392 * meanMgPerDl
}

/** Estimated A1C in % from the ADAG line (Nathan 2008, doi 10.2337/dc08-0545). */
export function estimatedA1c(meanMgPerDl: number): number {
  return (46.7 + meanMgPerDl) / 28.7
}

/** J-index: 0.001 · (mean + SD)² (Wojcicki 1995). */
export function jIndex(meanMgPerDl: number, sdMgPerDl: number): number {
  return 0.001 * (meanMgPerDl + sdMgPerDl) ** 2
}

/** Kovatchev's symmetric scale: negative below about 112.5 mg/dL, positive above it. */
function symmetric(mgPerDl: number): number {
  return Math.log(mgPerDl) ** 1.084 - 5.381
}

/** Low blood glucose index (Kovatchev, in Rodbard 2009, doi 10.1089/dia.2008.0132); null without readings. */
export function lowIndex(mgPerDl: Numbers): number | null {
  return meanOf(mgPerDl, (value) => RISK_SCALE * Math.min(0, symmetric(value)) ** 2)
}

/** High blood glucose index, the mirror of `lowIndex`; null without readings. */
export function highIndex(mgPerDl: Numbers): number | null {
  return meanOf(mgPerDl, (value) => RISK_SCALE * Math.max(0, symmetric(value)) ** 2)
}

/**
 * Average daily risk range (Kovatchev 2006, doi 10.2337/dc06-1085): the risk of the lowest plus that of the highest reading of each
 * local day, averaged over days. Null without readings.
 */
export function averageDailyRiskRange(atMs: Numbers, mgPerDl: Numbers, wallClock: WallClock): number | null {
  const days = new Map<number, { low: number; high: number }>()
  mgPerDl.forEach((value, index) => {
    const day = Math.floor(wallClock(valueAt(atMs, index)) / DAY_MS)
    const risk = symmetric(value)
    const known = days.get(day) ?? { low: 0, high: 0 }
    days.set(day, { low: Math.min(known.low, risk), high: Math.max(known.high, risk) })
  })
  return mean([...days.values()].map(({ low, high }) => RISK_SCALE * (low ** 2 + high ** 2)))
}

export interface Grade {
  /** Mean score, 0 to 50. */
  score: number
  /** Percent of the score that comes from readings of 70 to 140, above 140, under 80 mg/dL (the parts overlap, as published). */
  euglycemia: number | null
  hyperglycemia: number | null
  hypoglycemia: number | null
}

/** GRADE, each reading's score capped at 50 (Hill 2007, doi 10.1111/j.1464-5491.2007.02119.x); null without readings. */
export function grade(mgPerDl: Numbers): Grade | null {
  const scores = Float64Array.from(mgPerDl, gradeOf)
  const score = mean(scores)
  if (score === null) return null
  const total = scores.reduce((sum, one) => sum + one, 0)
  const part = (holds: (value: number) => boolean) => {
    const share = scores.reduce((sum, one, index) => (holds(valueAt(mgPerDl, index)) ? sum + one : sum), 0)
    return total === 0 ? null : (100 * share) / total
  }
  return {
    score,
    euglycemia: part((value) => value >= 70 && value <= 140),
    hyperglycemia: part((value) => value > 140),
    hypoglycemia: part((value) => value < 80),
  }
}

function gradeOf(mgPerDl: number): number {
  return Math.min(50, 425 * (Math.log10(Math.log10(mgPerDl / 18)) + 0.16) ** 2)
}

/** M-value against 90 mg/dL (Schlichtkrull 1965); null without readings. */
export function mValue(mgPerDl: Numbers): number | null {
  return meanOf(mgPerDl, (value) => 1000 * Math.abs(Math.log10(value / 90)) ** 3)
}

/** Hyperglycemia index above 140 mg/dL, exponent 1.1, scale 30 (Rodbard 2009); null without readings. */
export function hyperglycemiaIndex(mgPerDl: Numbers): number | null {
  return meanOf(mgPerDl, (value) => Math.max(0, value - 140) ** 1.1 / 30)
}

/** Hypoglycemia index below 80 mg/dL, exponent 2, scale 30 (Rodbard 2009); null without readings. */
export function hypoglycemiaIndex(mgPerDl: Numbers): number | null {
  return meanOf(mgPerDl, (value) => Math.max(0, 80 - value) ** 2 / 30)
}

/**
 * The early automatic stand-in for MAGE that later studies compare against: the mean distance from the mean over the readings
 * that are at least one SD away. Null when there is no spread.
 */
export function naiveExcursion(mgPerDl: Numbers): number | null {
  const centre = mean(mgPerDl)
  const sd = sampleSd(mgPerDl)
  if (centre === null || sd === null) return null
  return mean(Float64Array.from(mgPerDl, (value) => Math.abs(value - centre)).filter((away) => away >= sd))
}

function meanOf(mgPerDl: Numbers, score: (value: number) => number): number | null {
  return mean(Float64Array.from(mgPerDl, score))
}
