/** `compute forecast`: the next 24 hours of each child's targets as nine quantiles an hour. */
import { loadForecaster } from '../../../models/forecaster.ts'
import { calibrateForecast, forecast as forecastOf } from '../../../models/series/forecast.ts'
import {
  DAY_HOURS,
  type DayFacts,
  type HourlySeries,
  type Subject,
} from '../../../models/series/forecast-days.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Computation, InputFile } from './computation.ts'
import { readNumber } from './reading.ts'

/** Columns that are known of a day before it comes, or name the row; every other one is a target. */
const KNOWN = new Set(['child_id', 'person_id', 'ts_local', 'school_day', 'school_event'])
const HOUR_MS = 3_600_000
const LOCAL_HOUR = /^\d{4}-\d{2}-\d{2}[T ]\d{2}(?::00(?::00)?)?$/
const MOST_HOURS = 200_000
const PLACES = 1e6

interface Child {
  targets: Map<string, HourlySeries>
  calendar: Map<number, DayFacts>
  ageYears: number | null
}

/**
 * Rows `child_id,ts_local,TARGET…,school_day,school_event`, an hour each. `origins=` lists local hours; rows before one are its history
 * and its own hour is the first that is forecast. `future=FILE` (`date,child_id,school_day,school_event`) tells days after the last
 * row, `static=FILE` (`child_id,age`) ages; `targets=` names columns (default: all). Answers `{child:{origin:{target:[24][9]}}}`. For
 * each child and target the better of the net and of plain usual hours on their own last two weeks speaks.
 */
export const forecast: Computation = async (file, set) => {
  const origins = set.list('origins', [])
  if (origins.length === 0)
    throw new HubError('VALIDATION_ERROR', 'Say from when: --set origins=2025-03-03T18:00,…')
  const children = childrenOf(await file.csv(), file.path)
  await readFuture(set.file('future'), children)
  await readAges(set.file('static'), children)
  const wanted = set.list('targets', [])
  const { net } = loadForecaster()
  const answer: Record<string, Record<string, Record<string, number[][]>>> = {}
  for (const [name, child] of children) {
    const ofChild: Record<string, Record<string, number[][]>> = {}
    answer[name] = ofChild
    for (const origin of origins) {
      const hour = hourOf(origin.trim(), 'origins')
      const found: Record<string, number[][]> = {}
      ofChild[origin] = found
      for (const [target, series] of child.targets) {
        if (wanted.length > 0 && !wanted.includes(target)) continue
        const subject = subjectOf(child, target)
        const made = forecastOf(net, series, hour, subject, calibrateForecast(net, series, hour, subject))
        if (made === null)
          throw new HubError(
            'VALIDATION_ERROR',
            `${name} has no ${target} before ${origin}: nothing to forecast from.`,
          )
        found[target] = made.quantiles.map((row) => row.map((value) => Math.round(value * PLACES) / PLACES))
      }
    }
  }
  return answer
}

function subjectOf({ calendar, ageYears }: Child, target: string): Subject {
  return {
    kind: target.startsWith('sleep') ? 'sleep' : 'level',
    // A day of which nothing is said is like the same weekday of an ordinary week.
    days: (day) => calendar.get(day) ?? { isSchoolDay: isWeekday(day), event: 0 },
    ageYears,
  }
}

/** Day 0 was a Thursday. */
function isWeekday(day: number): boolean {
  const weekday = (((day + 3) % 7) + 7) % 7
  return weekday < 5
}

function childrenOf(rows: readonly Record<string, string>[], path: string): Map<string, Child> {
  const targets = Object.keys(rows[0] ?? {}).filter((name) => !KNOWN.has(name))
  if (rows.length === 0 || targets.length === 0)
    throw new HubError(
      'VALIDATION_ERROR',
      `${path} needs rows child_id,ts_local, a column of values and the calendar.`,
    )
  const children = new Map<string, Child>()
  for (const [name, own] of grouped(rows)) {
    const placed = own.map((row, at) => ({
      row,
      hour: hourOf(row['ts_local'] ?? '', `${name}, row ${at + 1}`),
    }))
    const firstHour = Math.min(...placed.map(({ hour }) => hour))
    const count = Math.max(...placed.map(({ hour }) => hour)) - firstHour + 1
    if (count > MOST_HOURS)
      throw new HubError('VALIDATION_ERROR', `${name} spans more than ${MOST_HOURS} hours.`)
    const calendar = new Map<number, DayFacts>()
    for (const { row, hour } of placed) calendar.set(Math.floor(hour / DAY_HOURS), factsOf(row))
    const series = targets.map((target) => {
      const values = new Float64Array(count).fill(Number.NaN)
      for (const { row, hour } of placed)
        values[hour - firstHour] = readNumber(row[target] ?? '', `${name}, ${target}`) ?? Number.NaN
      return [target, { firstHour, values }] as const
    })
    children.set(name, { targets: new Map(series), calendar, ageYears: null })
  }
  return children
}

function grouped(rows: readonly Record<string, string>[]): Map<string, Record<string, string>[]> {
  const groups = new Map<string, Record<string, string>[]>()
  for (const row of rows) {
    const name = row['child_id'] ?? row['person_id'] ?? ''
    const own = groups.get(name) ?? []
    groups.set(name, own)
    own.push(row)
  }
  return groups
}

function factsOf(row: Record<string, string>): DayFacts {
  return {
    isSchoolDay: (readNumber(row['school_day'] ?? '', 'school_day') ?? 0) > 0,
    event: Math.min(3, Math.max(0, readNumber(row['school_event'] ?? '', 'school_event') ?? 0)),
  }
}

async function readFuture(file: InputFile | null, children: ReadonlyMap<string, Child>): Promise<void> {
  for (const row of (await file?.csv()) ?? []) {
    const day = Math.floor(hourOf(`${row['date'] ?? ''}T00:00`, 'future, date') / DAY_HOURS)
    children.get(row['child_id'] ?? '')?.calendar.set(day, factsOf(row))
  }
}

async function readAges(file: InputFile | null, children: ReadonlyMap<string, Child>): Promise<void> {
  for (const row of (await file?.csv()) ?? []) {
    const child = children.get(row['child_id'] ?? '')
    if (child) child.ageYears = readNumber(row['age'] ?? '', 'static, age')
  }
}

function hourOf(text: string, what: string): number {
  const atMs = LOCAL_HOUR.test(text) ? Date.parse(`${text.slice(0, 13).replace(' ', 'T')}:00Z`) : Number.NaN
  if (Number.isNaN(atMs))
    throw new HubError(
      'VALIDATION_ERROR',
      `${what} is not a local hour like 2025-03-03T18:00: ${text || '(empty)'}`,
    )
  return atMs / HOUR_MS
}
