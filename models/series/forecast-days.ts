/** The hours of a person and what is known of their days, on the wall clock: hour 0 is the first of 1970 as the clock showed it. */

export const DAY_HOURS = 24
/** 10, 20 … 90 percent. */
export const QUANTILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const

/** One value an hour; NaN where nothing was measured. */
export interface HourlySeries {
  firstHour: number
  values: Float64Array
}

/** What a calendar knows of a day, also of one to come. */
export interface DayFacts {
  isSchoolDay: boolean
  /** 0 nothing, 1 something, 2 a strain, 3 a great one (an exam, a performance). */
  event: number
}

export type DayLookup = (day: number) => DayFacts

/** `sleep` are minutes asleep in an hour, which follow tomorrow's school in the evening; a `level` follows today's. */
export type TargetKind = 'level' | 'sleep'

export interface Subject {
  kind: TargetKind
  days: DayLookup
  ageYears: number | null
}

export function dayOf(hour: number): number {
  return Math.floor(hour / DAY_HOURS)
}

export function hourOfDay(hour: number): number {
  return hour - dayOf(hour) * DAY_HOURS
}

/** NaN outside of what was measured. */
export function valueAt({ firstHour, values }: HourlySeries, hour: number): number {
  return values[hour - firstHour] ?? Number.NaN
}

/** The part before an hour: a forecast may know nothing else. */
export function before({ firstHour, values }: HourlySeries, hour: number): HourlySeries {
  return { firstHour, values: values.subarray(0, Math.max(0, hour - firstHour)) }
}

const EVENING = 17

/** Whether the hour belongs to a school day, for what the target follows. */
export function isSchoolHour({ kind, days }: Subject, hour: number): boolean {
  const day = dayOf(hour)
  return days(kind === 'sleep' && hourOfDay(hour) >= EVENING ? day + 1 : day).isSchoolDay
}
