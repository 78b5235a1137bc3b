/** What is true of a made-up household by construction, for checking whoever looks for it. */
import { instantAt, type SampleDay } from './days.ts'
import type { Profile } from './profile.ts'

export interface Link {
  cause: string
  effect: string
  /** Days from cause to effect. */
  lag_days: number
  /** What was put in, per unit of the cause. */
  size: number
  unit: string
  /** Pearson's r between the two as they came out, over the days. */
  correlation: number
}

interface DayTruth {
  date: string
  late_meal: boolean
  sleep_minutes: number
  activity_minutes: number
  mood: number
  resting_heart_rate: number
  night_glucose: number
  after_activity_glucose: number
}

const NIGHT_H = 6
const HOUR_MS = 3_600_000
/** Of the twelve hours after exercise those that no later meal of the day hides. */
const AFTER_FROM_H = 17
const AFTER_TO_H = 24

/** Days with their drivers and outcomes, and the links between them. */
export function truthOf(
  profile: Profile,
  days: readonly SampleDay[],
  glucose: readonly { atMs: number; value: number }[],
  zone: string,
) {
  const meanBetween = (fromMs: number, toMs: number) => {
    const within = glucose.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
    return within.reduce((sum, { value }) => sum + value, 0) / Math.max(1, within.length)
  }
  const rows = days.map((day): DayTruth => {
    const midnight = instantAt(day.date, 0, zone)
    return {
      date: day.date,
      late_meal: day.lateMeal,
      sleep_minutes: day.sleep.asleepMin,
      activity_minutes: day.activity?.minutes ?? 0,
      mood: day.mood.rating,
      resting_heart_rate: day.restingPulse,
      night_glucose: round(meanBetween(midnight, midnight + NIGHT_H * HOUR_MS)),
      after_activity_glucose: round(
        meanBetween(midnight + AFTER_FROM_H * HOUR_MS, midnight + AFTER_TO_H * HOUR_MS),
      ),
    }
  })
  const { effects } = profile
  const link = (
    about: Omit<Link, 'correlation'>,
    cause: (row: DayTruth) => number,
    effect: (row: DayTruth) => number,
  ): Link => {
    const causes = rows.slice(0, rows.length - about.lag_days).map(cause)
    return { ...about, correlation: round(pearson(causes, rows.slice(about.lag_days).map(effect))) }
  }
  const links = [
    link(
      {
        cause: 'late_meal',
        effect: 'night_glucose',
        lag_days: 1,
        size: effects.lateMealOnNightGlucose,
        unit: 'mg/dL',
      },
      (row) => Number(row.late_meal),
      (row) => row.night_glucose,
    ),
    link(
      {
        cause: 'sleep_minutes',
        effect: 'mood',
        lag_days: 0,
        size: effects.sleepHourOnMood / 60,
        unit: 'points/min',
      },
      (row) => row.sleep_minutes,
      (row) => row.mood,
    ),
    link(
      {
        ...{ cause: 'sleep_minutes', effect: 'resting_heart_rate', lag_days: 0 },
        ...{ size: -effects.lostSleepHourOnRestingPulse / 60, unit: 'bpm/min' },
      },
      (row) => row.sleep_minutes,
      (row) => row.resting_heart_rate,
    ),
    link(
      {
        cause: 'activity',
        effect: 'after_activity_glucose',
        lag_days: 0,
        size: effects.activityOnGlucose,
        unit: 'mg/dL',
      },
      (row) => Number(row.activity_minutes > 0),
      (row) => row.after_activity_glucose,
    ),
  ]
  return { id: profile.id, name: profile.name, timezone: zone, links, days: rows }
}

function pearson(a: readonly number[], b: readonly number[]): number {
  const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / Math.max(1, list.length)
  const [meanA, meanB] = [mean(a), mean(b)]
  let [ab, aa, bb] = [0, 0, 0]
  a.forEach((one, index) => {
    const [da, db] = [one - meanA, (b[index] ?? meanB) - meanB]
    ab += da * db
    aa += da * da
    bb += db * db
  })
  return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb)
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
