/** What a forecast is made from: hourly series on the person's wall clock, and what is known of their days. */
import type { DayFacts, HourlySeries, Subject } from '../../../models/series/forecast-days.ts'
import type { LevelPoint } from '../../domain/observation.ts'
import { isDay, localDay, wallClockMs } from '../../domain/zone.ts'
import type { Store } from '../../store/store.ts'

/** What can be forecast; `sleep_duration` in hours. */
export const TARGETS = ['stress', 'sleep_duration', 'heart_rate', 'hrv_rmssd', 'activity'] as const
export type Target = (typeof TARGETS)[number]

/** A night as far as a forecast looks at it. */
export interface Night {
  startMs: number
  endMs: number
  sleptMinutes: number
}

/** What must be known of the person. */
export interface ForecastPerson {
  timezone: string
  ageYears: number | null
  schoolEvents: readonly unknown[]
}

export interface SeriesDeps {
  observations: Pick<Store['observations'], 'level'>
  person: (personId: string) => ForecastPerson | null
  nights: (personId: string, fromMs: number, toMs: number) => readonly Night[]
}

/** Where the values come from: sleep is hours slept within the hour where nights were recorded, else what devices told. */
export type Basis = 'values' | 'nights'

export interface TargetSeries {
  series: HourlySeries
  subject: Subject
  basis: Basis
  /** Hours with a value. */
  points: number
}

export const HOUR_MS = 3_600_000
const LOOK_BACK_MS = 56 * 24 * HOUR_MS
const PAGE_ROWS = 5000
const SECONDS_AN_HOUR = 3600
/** Devices that tell sleep oftener than this tell it by the hour; others tell whole nights. */
const HOURLY_POINTS_A_DAY = 3
/** Words in the name of a school event that weigh more than a trip: strain, and great strain. */
const STRAIN = /test|quiz|presentation|performance|concert|match|tournament|klassenarbeit|referat|auftritt/i
const GREAT_STRAIN = /exam|final|pr[üu]fung|abitur|matura/i

/** The hour of the wall clock, counted from 1970 as the clock showed it. */
export function localHour(atMs: number, zone: string): number {
  return Math.floor(wallClockMs(atMs, zone) / HOUR_MS)
}

/** The series of one target up to `nowMs`; null for a person who is not there. */
export async function seriesFor(
  { observations, person, nights }: SeriesDeps,
  personId: string,
  target: Target,
  nowMs: number,
): Promise<TargetSeries | null> {
  const about = person(personId)
  if (about === null) return null
  const fromMs = nowMs - LOOK_BACK_MS
  const points = await hourly(observations, personId, target, fromMs, nowMs)
  const zone = about.timezone
  const days = daysOf(about)
  const subjectOf = (kind: Subject['kind']): Subject => ({ kind, days, ageYears: about.ageYears })
  if (target === 'sleep_duration') {
    const known = nights(personId, fromMs, nowMs)
    const span =
      points.length === 0 ? 1 : ((points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0)) / (24 * HOUR_MS)
    if (known.length > 0 && points.length < HOURLY_POINTS_A_DAY * Math.max(1, span))
      return { ...ofNights(known, nowMs, zone), subject: subjectOf('sleep'), basis: 'nights' }
  }
  const scale = target === 'sleep_duration' ? 1 / SECONDS_AN_HOUR : 1
  return { ...ofPoints(points, zone, scale), subject: subjectOf('level'), basis: 'values' }
}

async function hourly(
  observations: SeriesDeps['observations'],
  personId: string,
  metric: string,
  fromMs: number,
  toMs: number,
): Promise<LevelPoint[]> {
  const points: LevelPoint[] = []
  let next: number | null = fromMs
  while (next !== null) {
    const range = { personId, metric, fromMs: next, toMs, limit: PAGE_ROWS, level: '1h' as const }
    const page = await observations.level(range)
    points.push(...page.points)
    next = page.nextFromMs
  }
  return points
}

function ofPoints(points: readonly LevelPoint[], zone: string, scale: number) {
  const placed = points.map(({ atMs, mean }) => ({ hour: localHour(atMs, zone), value: mean * scale }))
  const series = emptySeries(placed[0]?.hour ?? 0, placed.at(-1)?.hour ?? -1)
  for (const { hour, value } of placed) series.values[hour - series.firstHour] = value
  return { series, points: series.values.filter((value) => !Number.isNaN(value)).length }
}

/** Minutes asleep in each hour, from the first night on; a night's minutes are spread over its time in bed. */
function ofNights(nights: readonly Night[], nowMs: number, zone: string) {
  const series = emptySeries(localHour(nights[0]?.startMs ?? nowMs, zone), localHour(nowMs, zone) - 1)
  series.values.fill(0)
  for (const { startMs, endMs, sleptMinutes } of nights) {
    const share = Math.min(1, (sleptMinutes * 60_000) / Math.max(1, endMs - startMs))
    for (let atMs = startMs - (startMs % HOUR_MS); atMs < endMs; atMs += HOUR_MS) {
      const inside = Math.min(atMs + HOUR_MS, endMs) - Math.max(atMs, startMs)
      const place = localHour(atMs, zone) - series.firstHour
      const before = series.values[place]
      if (before !== undefined) series.values[place] = Math.min(60, before + (share * inside) / 60_000)
    }
  }
  return { series, points: series.values.length }
}

function emptySeries(firstHour: number, lastHour: number): HourlySeries {
  return { firstHour, values: new Float64Array(Math.max(0, lastHour - firstHour + 1)).fill(Number.NaN) }
}

/** School is from Monday to Friday; events are those that are kept with the person. */
export function daysOf({ timezone, schoolEvents }: ForecastPerson): (day: number) => DayFacts {
  const events = new Map<number, number>()
  for (const told of schoolEvents) {
    const found = eventIn(told, timezone)
    if (found) events.set(found.day, Math.max(events.get(found.day) ?? 0, found.weight))
  }
  return (day) => {
    // Day 0 was a Thursday.
    const weekday = (((day + 3) % 7) + 7) % 7
    return { isSchoolDay: weekday < 5, event: events.get(day) ?? 0 }
  }
}

function eventIn(told: unknown, zone: string): { day: number; weight: number } | null {
  if (typeof told !== 'object' || told === null) return null
  const text = (names: readonly string[]) =>
    names.map((name): unknown => Reflect.get(told, name)).find((value) => typeof value === 'string')
  const when = text(['start_time', 'start', 'datetime', 'date'])
  if (typeof when !== 'string') return null
  const date = /(?:Z|[+-]\d{2}:?\d{2})$/.test(when) ? dateOf(Date.parse(when), zone) : when.slice(0, 10)
  if (date === null || !isDay(date)) return null
  const name = String(text(['title', 'name', 'event', 'summary', 'type']) ?? '')
  const weight = GREAT_STRAIN.test(name) ? 3 : STRAIN.test(name) ? 2 : 1
  return { day: Date.parse(`${date}T00:00:00Z`) / (24 * HOUR_MS), weight }
}

function dateOf(atMs: number, zone: string): string | null {
  return Number.isNaN(atMs) ? null : localDay(atMs, zone)
}
