/** Makes the overload indicator's inputs of a person's days, and says what came of it. */
import { loadDays } from '../../../models/series/load.ts'
import {
  type Overload,
  type OverloadCourse,
  type OverloadInputs,
  overload,
  overloadCourse,
} from '../../../models/series/load-overload.ts'
import { sleepDebt, sleepNeed } from '../../../models/series/sleep.ts'

/** What the indicator takes from a local day. */
export interface BurnoutDay {
  date: string
  recovery: number | null
  hrv_rmssd: number | null
  total_sleep_minutes: number | null
  total_exercise_minutes: number | null
  mood: number | null
}

/** What must be known of the person. */
export interface BurnoutPerson {
  kind: string
  /** Full years, null when unknown. */
  age: number | null
  preferences: Readonly<Record<string, unknown>>
}

export interface Assessment {
  /** The day that is judged: today, or yesterday as long as nothing of last night has come. */
  asOf: string
  result: Overload
  course: OverloadCourse
}

/** Days before the shown ones that a baseline, a sleep debt and a settled load ratio need. */
export const DAYS_BEFORE = 28 + 28 + 14
const NIGHTS = 14
const ADULT_YEARS = 30

/** `days` without holes, ascending, today last; `ageYears` null for an adult of unknown age. */
export function assess(days: readonly BurnoutDay[], ageYears: number | null, shownDays: number): Assessment {
  const today = days.at(-1)
  const isSilent = today !== undefined && today.recovery === null && today.total_sleep_minutes === null
  const judged = isSilent ? days.slice(0, -1) : days
  const inputs = inputsOf(judged, sleepNeed(ageYears ?? ADULT_YEARS)?.fromHours ?? null)
  return {
    asOf: judged.at(-1)?.date ?? today?.date ?? '',
    result: overload(inputs),
    course: overloadCourse(inputs, shownDays),
  }
}

function inputsOf(days: readonly BurnoutDay[], needHours: number | null): OverloadInputs {
  const of = (pick: (day: BurnoutDay) => number | null) => days.map((day) => pick(day) ?? Number.NaN)
  const slept = of(({ total_sleep_minutes: minutes }) => (minutes === null ? null : minutes / 60))
  return {
    recovery: of(({ recovery }) => recovery),
    hrv: of(({ hrv_rmssd: rmssd }) => (rmssd === null || rmssd <= 0 ? null : Math.log(rmssd))),
    sleep_debt: days.map((_, index) =>
      debtOn(slept.slice(Math.max(0, index + 1 - NIGHTS), index + 1), needHours),
    ),
    load_ratio: ratios(days),
    mood: of(({ mood }) => mood),
  }
}

function debtOn(sleptHours: readonly number[], needHours: number | null): number {
  return needHours === null ? Number.NaN : (sleepDebt(sleptHours, needHours)?.hours ?? Number.NaN)
}

/** Load counts in minutes of exercise from the first day with any; before that nothing is known, afterwards silence is rest. */
function ratios(days: readonly BurnoutDay[]): number[] {
  const first = days.findIndex(({ total_exercise_minutes: minutes }) => minutes !== null && minutes > 0)
  if (first < 0) return days.map(() => Number.NaN)
  const loads = days.slice(first).map(({ total_exercise_minutes: minutes }) => minutes ?? 0)
  const known = loadDays(loads).map(({ ratioEwma }) => ratioEwma ?? Number.NaN)
  return [...Array.from({ length: first }, () => Number.NaN), ...known]
}
