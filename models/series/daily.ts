/** One row a local day from glucose, sleep, activities and meals; a part without records is null. */

import { CUTS, shareOf } from './cgm-ranges.ts'
import { type GlucoseReading, glucoseTrace } from './cgm-trace.ts'
import { mean, populationSd, quantile, sampleSd } from './moments.ts'

export interface DailyRecords {
  glucose: readonly GlucoseReading[]
  /** A night belongs to the day of waking. */
  sleep: readonly { wokeMs: number; minutes: number; quality: number | null }[]
  activities: readonly { atMs: number; minutes: number }[]
  meals: readonly { atMs: number; carbsG: number | null; kcal: number | null }[]
}

export interface DailyRow {
  date: string
  readings: number
  glucoseMean: number | null
  glucoseMin: number | null
  glucoseMax: number | null
  glucoseSdSample: number | null
  glucoseSdPopulation: number | null
  inRangePercent: number | null
  abovePercent: number | null
  belowPercent: number | null
  sleepMinutes: number | null
  sleepQuality: number | null
  exerciseMinutes: number | null
  carbsG: number | null
  kcal: number | null
}

/** Rows of every local day that has a record, ascending. `dayOf` names the local day of an instant, so 23- and 25-hour days are whole. */
export function dailyRows(records: DailyRecords, dayOf: (atMs: number) => string): DailyRow[] {
  const glucose = byDay(records.glucose, ({ atMs }) => dayOf(atMs))
  const sleep = byDay(records.sleep, ({ wokeMs }) => dayOf(wokeMs))
  const activities = byDay(records.activities, ({ atMs }) => dayOf(atMs))
  const meals = byDay(records.meals, ({ atMs }) => dayOf(atMs))
  const days = new Set([glucose, sleep, activities, meals].flatMap((part) => [...part.keys()]))
  return [...days].sort().map((date) => ({
    date,
    ...glucoseOf(glucose.get(date) ?? []),
    sleepMinutes: sum((sleep.get(date) ?? []).map(({ minutes }) => minutes)),
    sleepQuality: mean((sleep.get(date) ?? []).map(({ quality }) => quality ?? Number.NaN)),
    exerciseMinutes: sum((activities.get(date) ?? []).map(({ minutes }) => minutes)),
    carbsG: sum((meals.get(date) ?? []).map(({ carbsG }) => carbsG ?? Number.NaN)),
    kcal: sum((meals.get(date) ?? []).map(({ kcal }) => kcal ?? Number.NaN)),
  }))
}

function glucoseOf(readings: readonly GlucoseReading[]) {
  const trace = glucoseTrace(readings)
  const { mgPerDl } = trace
  return {
    readings: mgPerDl.length,
    glucoseMean: mean(mgPerDl),
    glucoseMin: quantile(mgPerDl, 0),
    glucoseMax: quantile(mgPerDl, 1),
    glucoseSdSample: sampleSd(mgPerDl),
    glucoseSdPopulation: populationSd(mgPerDl),
    inRangePercent: shareOf(trace, (v) => v >= CUTS.low && v <= CUTS.high),
    abovePercent: shareOf(trace, (v) => v > CUTS.high),
    belowPercent: shareOf(trace, (v) => v < CUTS.low),
  }
}

/** Sum of what is known; null when nothing is, because a meal without calories is not a meal of none. */
function sum(numbers: readonly number[]): number | null {
  const known = numbers.filter(Number.isFinite)
  return known.length === 0 ? null : known.reduce((total, one) => total + one, 0)
}

function byDay<Entry>(entries: readonly Entry[], dayOf: (entry: Entry) => string): Map<string, Entry[]> {
  const days = new Map<string, Entry[]>()
  for (const entry of entries) {
    const day = dayOf(entry)
    const known = days.get(day)
    if (known) known.push(entry)
    else days.set(day, [entry])
  }
  return days
}
