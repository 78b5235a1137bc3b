/** Guard rails for a young athlete's week; each is a published guideline that a coach may step over with a reason. */

export interface YouthSession {
  /** Day of the week, 0 to 6. */
  day: number
  /** Hour of the day that it starts, with minutes as a fraction. */
  startHour: number
  minutes: number
  organized: boolean
  intensity: 'low' | 'high' | null
}

export type YouthViolation =
  | 'hours_over_age'
  | 'over_16h'
  | 'no_rest_day'
  | 'over_5_days'
  | 'organized_free_ratio'
  | 'under_48h_between_high'

export interface YouthWeek {
  hours: number
  organizedHours: number
  /** Days with organized sport. */
  sportDays: number
  /** Days of the week without organized sport. */
  restDays: number
  violations: YouthViolation[]
}

/** Where each guideline is from; the wording is "outside guideline X (source)". */
export const YOUTH_SOURCES: Readonly<Record<YouthViolation, string>> = {
  hours_over_age: 'more hours a week than years of age (Jayanthi 2015, AJSM, n = 1190: odds 2.07)',
  over_16h: 'more than 16 hours a week (Brenner, AAP 2016)',
  no_rest_day: 'at least one day off a week (AAP 2007)',
  over_5_days: 'one sport on at most five days a week (AAP 2007)',
  organized_free_ratio: 'organized to free play above 2 : 1 (Jayanthi 2015: odds 1.87)',
  under_48h_between_high: 'under 48 hours from one hard session or match to the next (common practice)',
}

export interface YouthLimits {
  weekHours: number
  sportDays: number
  organizedToFree: number
  hoursBetweenHigh: number
}

export const YOUTH_LIMITS: YouthLimits = {
  weekHours: 16,
  sportDays: 5,
  organizedToFree: 2,
  hoursBetweenHigh: 48,
}

/** Checks one week of sessions against the guidelines for `age` (years). A week without sessions violates nothing. */
export function youthWeek(age: number, sessions: readonly YouthSession[], limits = YOUTH_LIMITS): YouthWeek {
  const organized = sessions.filter((session) => session.organized)
  const minutes = minutesOf(sessions)
  const organizedMinutes = minutesOf(organized)
  const sportDays = new Set(organized.map((session) => session.day)).size
  const checks: Record<YouthViolation, boolean> = {
    hours_over_age: minutes > 60 * age,
    over_16h: minutes > 60 * limits.weekHours,
    no_rest_day: sportDays >= 7,
    over_5_days: sportDays > limits.sportDays,
    organized_free_ratio: organizedMinutes > limits.organizedToFree * (minutes - organizedMinutes),
    under_48h_between_high: shortestRecovery(sessions) < limits.hoursBetweenHigh,
  }
  const violations = (Object.keys(checks) as YouthViolation[]).filter((name) => checks[name])
  return {
    hours: minutes / 60,
    organizedHours: organizedMinutes / 60,
    sportDays,
    restDays: 7 - sportDays,
    violations,
  }
}

/** Limits are compared in minutes, because two thirds of ten hours are not a number of hours. */
function minutesOf(sessions: readonly YouthSession[]): number {
  return sessions.reduce((sum, session) => sum + session.minutes, 0)
}

/** Hours between the starts of hard sessions that follow each other; infinite with fewer than two. */
function shortestRecovery(sessions: readonly YouthSession[]): number {
  const starts = sessions
    .filter((session) => session.intensity === 'high')
    .map((session) => session.day * 24 + session.startHour)
    .sort((a, b) => a - b)
  return Math.min(...starts.slice(1).map((later, index) => later - (starts[index] ?? later)))
}
