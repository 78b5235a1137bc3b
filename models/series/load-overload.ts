/** The overload indicator: how far a person's own days are from their usual ones. It is no measure of burnout, and no diagnosis. */
import { mean, sampleSd } from './moments.ts'

export type OverloadPart = 'recovery' | 'hrv' | 'sleep_debt' | 'load_ratio' | 'mood'

/** One value a day per part, ascending, the day in question last; NaN where a day has none. */
export interface OverloadInputs {
  /** 0 to 100. */
  recovery: readonly number[]
  /** ln RMSSD of the night. */
  hrv: readonly number[]
  /** Hours, see `sleepDebt`. */
  sleep_debt: readonly number[]
  /** EWMA ratio of training load. */
  load_ratio: readonly number[]
  /** 1 to 10. */
  mood: readonly number[]
}

const BASELINE_DAYS = 28
const LEAST_BASELINE_DAYS = 14
const LEAST_PARTS = 3
const WEEK_DAYS = 7
const LEAST_WEEK_DAYS = 3
const STEEPNESS = 1.5

/** Persistently high: above 70 on ten of fourteen days. Then a questionnaire is worth filling in. */
const HIGH_SCORE = 70
const HIGH_DAYS = 10
const HIGH_WINDOW_DAYS = 14

/** Points by which two weeks must differ to be called a trend. */
const TREND_POINTS = 5

interface PartRule {
  weight: number
  /** Whether more of it strains (1) or eases (−1). */
  sign: 1 | -1
  /** Judged by the mean of the last week instead of the last day. */
  weekly: boolean
  /** Less than usual does not ease. */
  onlyAbove: boolean
}

const RULES: Readonly<Record<OverloadPart, PartRule>> = {
  recovery: { weight: 0.25, sign: -1, weekly: false, onlyAbove: false },
  hrv: { weight: 0.2, sign: -1, weekly: true, onlyAbove: false },
  sleep_debt: { weight: 0.2, sign: 1, weekly: false, onlyAbove: false },
  load_ratio: { weight: 0.15, sign: 1, weekly: false, onlyAbove: true },
  mood: { weight: 0.2, sign: -1, weekly: true, onlyAbove: false },
}
const PARTS = Object.keys(RULES) as OverloadPart[]

export type OverloadGap = 'no_recent_value' | 'under_14_days_of_baseline' | 'no_variation'

export interface OverloadShare {
  part: OverloadPart
  /** Weight after missing parts are shared out; the weights add up to 1. */
  weight: number
  /** Standard deviations from the own baseline. */
  z: number
  /** Points above or below 50; with 50 they add up to the score. */
  points: number
}

export interface Overload {
  /** 0 to 100, 50 is the person's usual; null when fewer than three parts are known. */
  score: number | null
  state: 'known' | 'insufficient_data'
  parts: OverloadShare[]
  missing: { part: OverloadPart; reason: OverloadGap }[]
}

/**
 * Our own rule, within one person only: each part's z-score against the 28 days before (at least 14 known), weighted and summed to x,
 * score = 100 / (1 + e^(−1.5 x)). Wearables and mood cannot see burnout, which questionnaires define, and across people such scores
 * are near a coin toss; so the parts are always shown, and for those under 16 a caregiver must have opted in.
 */
export function overload(inputs: OverloadInputs): Overload {
  const judged = PARTS.map((part) => ({ part, found: distance(inputs[part], RULES[part]) }))
  const missing = judged.flatMap(({ part, found }) =>
    typeof found === 'string' ? [{ part, reason: found }] : [],
  )
  const known = judged.flatMap(({ part, found }) => (typeof found === 'number' ? [{ part, z: found }] : []))
  const totalWeight = known.reduce((sum, { part }) => sum + RULES[part].weight, 0)
  const pulls = known.map(({ part, z }) => {
    const { weight, sign, onlyAbove } = RULES[part]
    const share = weight / totalWeight
    return { part, z, weight: share, pull: share * (onlyAbove ? Math.max(0, sign * z) : sign * z) }
  })
  const enough = known.length >= LEAST_PARTS
  const x = pulls.reduce((sum, { pull }) => sum + pull, 0)
  const score = 100 / (1 + Math.exp(-STEEPNESS * x))
  // The curve's own slope at 50, where the quotient has no value.
  const pointsPerPull = x === 0 ? 25 * STEEPNESS : (score - 50) / x
  return {
    score: enough ? score : null,
    state: enough ? 'known' : 'insufficient_data',
    parts: pulls.map(({ part, z, weight, pull }) => ({ part, z, weight, points: pull * pointsPerPull })),
    missing,
  }
}

function distance(days: readonly number[], { weekly }: PartRule): number | OverloadGap {
  const recent = weekly ? weekMean(days) : (days.at(-1) ?? Number.NaN)
  if (recent === null || !Number.isFinite(recent)) return 'no_recent_value'
  const baseline = days.slice(-1 - BASELINE_DAYS, -1).filter(Number.isFinite)
  if (baseline.length < LEAST_BASELINE_DAYS) return 'under_14_days_of_baseline'
  const [usual, sd] = [mean(baseline), sampleSd(baseline)]
  if (usual === null || sd === null || sd === 0) return 'no_variation'
  return (recent - usual) / sd
}

function weekMean(days: readonly number[]): number | null {
  const week = days.slice(-WEEK_DAYS).filter(Number.isFinite)
  return week.length < LEAST_WEEK_DAYS ? null : mean(week)
}

export interface OverloadCourse {
  /** The score of each of the last days asked for, ascending; null where data were insufficient. */
  history: (number | null)[]
  /** The last week against the week before; null under three scores in either. */
  trend: 'rising' | 'falling' | 'steady' | null
  /** Above 70 on at least 10 of the last 14 days: a reason to offer the questionnaire, nothing more. */
  persistentlyHigh: boolean
}

/** The indicator over the last `days` days (at least 14), from the same inputs. */
export function overloadCourse(inputs: OverloadInputs, days = BASELINE_DAYS): OverloadCourse {
  const length = Math.max(days, HIGH_WINDOW_DAYS)
  const history = Array.from({ length }, (_, index) => overload(upTo(inputs, length - 1 - index)).score)
  const high = history.slice(-HIGH_WINDOW_DAYS).filter((score) => score !== null && score > HIGH_SCORE)
  return {
    history,
    trend: trendOf(history.slice(-2 * WEEK_DAYS, -WEEK_DAYS), history.slice(-WEEK_DAYS)),
    persistentlyHigh: high.length >= HIGH_DAYS,
  }
}

function upTo(inputs: OverloadInputs, daysAgo: number): OverloadInputs {
  const until = (days: readonly number[]) => days.slice(0, Math.max(0, days.length - daysAgo))
  return {
    recovery: until(inputs.recovery),
    hrv: until(inputs.hrv),
    sleep_debt: until(inputs.sleep_debt),
    load_ratio: until(inputs.load_ratio),
    mood: until(inputs.mood),
  }
}

function trendOf(
  before: readonly (number | null)[],
  now: readonly (number | null)[],
): OverloadCourse['trend'] {
  const known = [before, now].map((week) => week.filter((score) => score !== null))
  if (known.some((week) => week.length < LEAST_WEEK_DAYS)) return null
  const [was, is] = known.map((week) => mean(week) ?? Number.NaN)
  const change = (is ?? Number.NaN) - (was ?? Number.NaN)
  if (Math.abs(change) < TREND_POINTS) return 'steady'
  return change > 0 ? 'rising' : 'falling'
}
