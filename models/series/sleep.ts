/** Sleep need, efficiency, regularity and debt. */
import { valueAt } from './moments.ts'

const DAY_MIN = 1440

/** Hours of sleep a day; `to` is null where only the least is recommended. */
export interface SleepNeed {
  fromHours: number
  toHours: number | null
}

/**
 * Hours that an age (years) needs: AASM 2016 for children and teens (18 counts as teen), AASM and SRS 2015 for adults. Null under one
 * year, where no recommendation is given for 0 to 4 months and naps decide.
 */
export function sleepNeed(age: number): SleepNeed | null {
  if (!(age >= 1)) return null
  if (age < 3) return { fromHours: 11, toHours: 14 }
  if (age < 6) return { fromHours: 10, toHours: 13 }
  if (age < 13) return { fromHours: 9, toHours: 12 }
  if (age < 19) return { fromHours: 8, toHours: 10 }
  return { fromHours: 7, toHours: null }
}

/** Percent of the time in bed that was slept; null without time in bed, or when more was slept than lain. */
export function sleepEfficiency(asleepMin: number, inBedMin: number): number | null {
  return inBedMin > 0 && asleepMin >= 0 && asleepMin <= inBedMin ? (100 * asleepMin) / inBedMin : null
}

/** A shortfall of this many days ago weighs half. */
const DEBT_HALF_LIFE_DAYS = 7
const DEBT_DAYS = 14

export interface SleepDebt {
  hours: number
  /** Nights of the last 14 that are known. */
  nights: number
}

/**
 * Hours short of the need over the last 14 nights, with a half-life of one week: Σ max(0, need − slept) · 2^(−age/7). Our own
 * definition; sleeping in pays nothing back. `sleptHours` ends with last night, NaN where a night is unknown, which adds nothing:
 * under 7 known nights there is no debt to speak of and the answer is null.
 */
export function sleepDebt(sleptHours: readonly number[], needHours: number): SleepDebt | null {
  const recent = sleptHours.slice(-DEBT_DAYS)
  const known = recent.filter(Number.isFinite)
  if (known.length < 7) return null
  const hours = recent.reduce((sum, slept, index) => {
    if (!Number.isFinite(slept)) return sum
    const nightsAgo = recent.length - 1 - index
    return sum + Math.max(0, needHours - slept) * 2 ** (-nightsAgo / DEBT_HALF_LIFE_DAYS)
  }, 0)
  return { hours, nights: known.length }
}

/** A minute of the sleep record. */
export const AWAKE = 0
export const ASLEEP = 1
export const UNKNOWN = 2

/** Pairs of minutes a day apart must be this many (four full days) before a regularity is shown. */
const LEAST_PAIRS = 4 * DAY_MIN

/**
 * Sleep Regularity Index, −100 to 100: how often one is in the same state (asleep or awake) as 24 hours before (Phillips 2017,
 * doi 10.1038/s41598-017-03171-4). One state a minute; unknown minutes count for nothing. Null under four days of known pairs.
 */
export function sleepRegularity(stateByMinute: Uint8Array): number | null {
  let same = 0
  let pairs = 0
  for (let minute = DAY_MIN; minute < stateByMinute.length; minute += 1) {
    const now = stateByMinute[minute]
    const before = stateByMinute[minute - DAY_MIN]
    if (now === UNKNOWN || before === UNKNOWN) continue
    pairs += 1
    if (now === before) same += 1
  }
  return pairs < LEAST_PAIRS ? null : -100 + (200 * same) / pairs
}

/** The sum of minutes in a sleep state, for nights told as stretches; overlapping stretches count once. */
export function coveredMinutes(stretches: readonly { fromMs: number; toMs: number }[]): number {
  const ordered = [...stretches].sort((a, b) => a.fromMs - b.fromMs)
  let coveredMs = 0
  let reachedMs = Number.NEGATIVE_INFINITY
  for (const { fromMs, toMs } of ordered) {
    coveredMs += Math.max(0, toMs - Math.max(fromMs, reachedMs))
    reachedMs = Math.max(reachedMs, toMs)
  }
  return coveredMs / 60_000
}

/** Resting heart rate looks at half an hour of sleep at a time. */
const RESTING_WINDOW_MIN = 30
const LEAST_SHARE_KNOWN = 0.8

/**
 * Resting heart rate of a night: the lowest mean of 30 minutes, of one value a minute with NaN where none is known. Windows with
 * under 24 known minutes are passed over; null when none is left. Our own definition, stable against single low readings.
 */
export function restingHeartRate(bpmByMinute: Float64Array): number | null {
  let sum = 0
  let known = 0
  let lowest: number | null = null
  bpmByMinute.forEach((bpm, minute) => {
    if (Number.isFinite(bpm)) {
      sum += bpm
      known += 1
    }
    const leaving = valueAt(bpmByMinute, minute - RESTING_WINDOW_MIN)
    if (Number.isFinite(leaving)) {
      sum -= leaving
      known -= 1
    }
    if (minute + 1 < RESTING_WINDOW_MIN || known < LEAST_SHARE_KNOWN * RESTING_WINDOW_MIN) return
    const average = sum / known
    lowest = lowest === null ? average : Math.min(lowest, average)
  })
  return lowest
}
