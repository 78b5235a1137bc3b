/** `compute daily`: one row a local day from a folder of records. */
import { join } from 'node:path'
import { type DailyRow, dailyRows } from '../../../models/series/daily.ts'
import { localDay } from '../../domain/zone.ts'
import { HubError } from '../../kernel/errors.ts'
import { type Computation, type InputFile, inputFile } from './computation.ts'
import { instantOf, readNumber, zoneOf } from './reading.ts'

const FILES = ['glucose.csv', 'sleep.csv', 'activities.csv', 'meals.csv'] as const

type Table = Record<string, string>[]

/** A folder with glucose.csv, sleep.csv, activities.csv and meals.csv (not all need be there) → a row for every local day. */
export const daily: Computation = async (folder, set) => {
  const zone = zoneOf(set)
  const tables = await tablesOf(folder)
  const days = dailyRows(recordsOf(tables, zone), (atMs) => localDay(atMs, zone))
  return { timezone: zone, rows: days.map(rowOf) }
}

/** The tables of the folder; a file that is missing has no rows. Throws VALIDATION_ERROR when none of them is there. */
async function tablesOf(folder: InputFile): Promise<Table[]> {
  const tables = await Promise.all(FILES.map((name) => tableIn(folder, name)))
  if (tables.every((table) => table === null))
    throw new HubError(
      'VALIDATION_ERROR',
      `daily reads a folder with ${FILES.join(', ')}; there is none of them.`,
    )
  return tables.map((table) => table ?? [])
}

async function tableIn(folder: InputFile, name: string): Promise<Table | null> {
  try {
    return await inputFile(join(folder.path, name)).csv()
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    throw cause
  }
}

function recordsOf([glucose = [], sleep = [], activities = [], meals = []]: Table[], zone: string) {
  const at = (row: Record<string, string>, name: string) => instantOf(row[name] ?? '', zone, name)
  const cell = (row: Record<string, string>, name: string) => readNumber(row[name] ?? '', name)
  return {
    glucose: glucose.map((row) => ({
      atMs: at(row, 'timestamp'),
      mgPerDl: cell(row, 'value') ?? Number.NaN,
    })),
    sleep: sleep.map((row) => ({
      wokeMs: at(row, 'sleep_end'),
      minutes: cell(row, 'duration_minutes') ?? Number.NaN,
      quality: cell(row, 'quality_score'),
    })),
    activities: activities.map((row) => ({
      atMs: at(row, 'timestamp'),
      minutes: cell(row, 'duration_minutes') ?? Number.NaN,
    })),
    meals: meals.map((row) => ({
      atMs: at(row, 'timestamp'),
      carbsG: cell(row, 'carbs_grams'),
      kcal: cell(row, 'calories'),
    })),
  }
}

function rowOf(day: DailyRow) {
  return {
    date: day.date,
    n_readings: day.readings,
    avg_glucose: day.glucoseMean,
    min_glucose: day.glucoseMin,
    max_glucose: day.glucoseMax,
    std_glucose_sample: day.glucoseSdSample,
    std_glucose_population: day.glucoseSdPopulation,
    time_in_range_percent: day.inRangePercent,
    time_above_range_percent: day.abovePercent,
    time_below_range_percent: day.belowPercent,
    total_sleep_minutes: day.sleepMinutes,
    sleep_quality_score: day.sleepQuality,
    total_exercise_minutes: day.exerciseMinutes,
    total_carbs_grams: day.carbsG,
    total_calories: day.kcal,
  }
}
