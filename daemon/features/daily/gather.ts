/** Computes rows of local days from what is stored: readings, records, and roll-ups of what devices measured. */
import { dailyRows, type DailyRow as Model } from '../../../models/series/daily.ts'
import { mean } from '../../../models/series/moments.ts'
import type { LevelPoint, StoredObservation } from '../../domain/observation.ts'
import { leadingMeals, leadingStretches, nominalMinutes, type RankOf } from '../../domain/rivals.ts'
import { sleptMinutes } from '../../domain/sleep.ts'
import { dayBounds, localDay } from '../../domain/zone.ts'
import { iso } from '../../kernel/envelope.ts'
import type { Sources } from '../../store/sources.ts'
import type { Store } from '../../store/store.ts'
import { COUNTS, type CountMetric, countsOf, type DayCount } from './counts.ts'
import type { DailyRow, DayField, DayNumbers, Reason } from './row.ts'

/** A record as the day needs it. */
export interface DayRecord {
  deviceId: string
  source: string
  startMs: number
  endMs: number
  dayMs: number
  updatedAtMs: number
  fields: Readonly<Record<string, unknown>>
}

export interface GatherDeps {
  store: Pick<Store, 'observations'>
  sources: Pick<Sources, 'ranks'>
  /** One trace out of all that report somebody's glucose. */
  glucose: (personId: string, fromMs: number, toMs: number) => Promise<StoredObservation[]>
  records: (window: {
    kind: 'sleep' | 'activity' | 'meal'
    personId: string
    fromMs: number
    toMs: number
  }) => DayRecord[]
  now: () => number
}

/** Days to compute: consecutive, in one zone. */
export interface Stretch {
  personId: string
  zone: string
  dates: readonly string[]
}

const DAY_MS = 86_400_000
/** A record lasts a day at most, so what overlaps a day's records lies within this of them. */
export const OVERLAP_MS = 2 * DAY_MS
const VALUES_AT_ONCE = 50_000

/** Metrics that a row takes from roll-ups: the preferred device's mean or maximum of the day. */
const OF_DAY = {
  recovery: 'mean',
  strain: 'max',
  hrv_rmssd: 'mean',
  hrv_sdnn: 'mean',
  resting_heart_rate: 'mean',
  sleep_duration: 'max',
  sleep_quality: 'mean',
} as const satisfies Record<string, 'mean' | 'max'>
type OfDay = keyof typeof OF_DAY

/** What a row is made of; a commit that touches none of it leaves rows as they are. */
export const METRICS_OF_A_DAY: ReadonlySet<string> = new Set([
  ...Object.keys(OF_DAY),
  'glucose',
  'mood',
  ...COUNTS,
])

export async function gatherRows(stretch: Stretch, deps: GatherDeps): Promise<DailyRow[]> {
  const { personId, zone, dates } = stretch
  const [first, last] = [dates[0], dates.at(-1)]
  if (first === undefined || last === undefined) return []
  const window = { personId, fromMs: dayBounds(first, zone).fromMs, toMs: dayBounds(last, zone).toMs }
  const dayOf = (atMs: number) => localDay(atMs, zone)
  const told = recordsOf(stretch, window, deps)
  const glucose = await deps.glucose(personId, window.fromMs, window.toMs)
  const measured = await measuredOn(window, dayOf, deps)
  const moods = await moodsOf(window, dayOf, deps)
  const rankOf = ranking(deps)
  const counted = new Map<CountMetric, Map<string, DayCount>>()
  for (const metric of COUNTS)
    counted.set(metric, await countsOf(metric, { window, dates, dayOf }, { ...deps, rankOf, zone }))
  const models = new Map(
    dailyRows(
      {
        glucose: glucose.map(({ atMs, value, source }) => ({
          atMs,
          mgPerDl: value,
          nominalMin: nominalMinutes(source),
        })),
        sleep: told.nights.map((night) => ({
          wokeMs: night.endMs,
          minutes: sleptMinutes(night.fields, night.endMs - night.startMs).minutes,
          quality: numberIn(night, 'quality_score'),
        })),
        activities: told.activities.map((one) => ({
          atMs: one.startMs,
          minutes: numberIn(one, 'duration_minutes') ?? Number.NaN,
        })),
        meals: told.meals.map((one) => ({
          atMs: one.startMs,
          carbsG: numberIn(one, 'carbs_grams'),
          kcal: numberIn(one, 'calories'),
        })),
      },
      dayOf,
    ).map((row) => [row.date, row]),
  )
  const days = {
    nights: daysIn(told.nights, dayOf),
    allNights: daysIn(told.allNights, dayOf),
    activities: daysIn(told.activities, dayOf),
    meals: daysIn(told.meals, dayOf),
  }
  return dates.map((date) => {
    const model = models.get(date)
    const has = {
      night: days.nights.has(date),
      activity: days.activities.has(date),
      meal: days.meals.has(date),
    }
    const count = (metric: CountMetric) => counted.get(metric)?.get(date)
    const told = {
      mood: moods.get(date) ?? null,
      steps: count('steps')?.value ?? null,
      active_energy: count('active_energy')?.value ?? null,
      distance: count('distance')?.value ?? null,
    }
    const numbers = numbersOf(model, measured(date), told, days.allNights.has(date))
    return {
      date,
      ...numbers,
      glucose_readings: model?.readings ?? 0,
      counted_by: Object.fromEntries(
        COUNTS.flatMap((metric) => (count(metric) ? [[metric, count(metric)?.from ?? []]] : [])),
      ),
      reasons: reasonsOf(numbers, model?.readings ?? 0, has),
      computed_at: iso(deps.now()),
    }
  })
}

interface Window {
  personId: string
  fromMs: number
  toMs: number
}

function numbersOf(
  model: Model | undefined,
  measured: Readonly<Record<OfDay, number | null>>,
  told: Pick<DayNumbers, 'mood' | CountMetric>,
  hasNight: boolean,
): DayNumbers {
  const { sleep_duration: sleptS, sleep_quality: quality, ...vitals } = measured
  // Nights that were told beat what a device had counted up to, which may be their own echo.
  const counted = hasNight || sleptS === null ? null : sleptS / 60
  return {
    avg_glucose: model?.glucoseMean ?? null,
    min_glucose: model?.glucoseMin ?? null,
    max_glucose: model?.glucoseMax ?? null,
    std_glucose: model?.glucoseSdSample ?? null,
    time_in_range_percent: model?.inRangePercent ?? null,
    time_above_range_percent: model?.abovePercent ?? null,
    time_below_range_percent: model?.belowPercent ?? null,
    total_carbs_grams: model?.carbsG ?? null,
    total_calories: model?.kcal ?? null,
    total_sleep_minutes: model?.sleepMinutes ?? counted,
    sleep_quality_score: model?.sleepQuality ?? (hasNight ? null : quality),
    total_exercise_minutes: model?.exerciseMinutes ?? null,
    ...vitals,
    ...told,
  }
}

function reasonsOf(
  numbers: DayNumbers,
  readings: number,
  has: { night: boolean; activity: boolean; meal: boolean },
): Record<string, Reason> {
  const eaten: Reason = has.meal ? 'not_told' : 'no_meals'
  const special: Partial<Record<DayField, Reason>> = {
    std_glucose: readings === 0 ? 'no_readings' : 'needs_two_readings',
    total_carbs_grams: eaten,
    total_calories: eaten,
    total_sleep_minutes: 'no_night',
    sleep_quality_score: has.night ? 'no_quality' : 'no_night',
    total_exercise_minutes: has.activity ? 'no_duration' : 'no_activities',
    mood: 'no_mood',
  }
  const missing = (Object.keys(numbers) as DayField[]).filter((field) => numbers[field] === null)
  const why = (field: DayField): Reason =>
    special[field] ?? (/glucose|range/.test(field) ? 'no_readings' : 'not_measured')
  return Object.fromEntries(missing.map((field) => [field, why(field)]))
}

/** Records that count in the window; what several sources tell of a night, a run or a meal is one story. */
function recordsOf({ zone, dates }: Stretch, window: Window, { records, sources }: GatherDeps) {
  const rankOf = ranking({ sources })
  const wide = { ...window, fromMs: window.fromMs - OVERLAP_MS, toMs: window.toMs + OVERLAP_MS }
  const leading = (kind: 'sleep' | 'activity') => {
    const all = records({ kind, ...wide })
    return dates.flatMap((date) => {
      const { fromMs, toMs } = dayBounds(date, zone)
      const near = all.filter(({ dayMs }) => dayMs >= fromMs - OVERLAP_MS && dayMs < toMs + OVERLAP_MS)
      return leadingStretches(near, rankOf).filter(({ dayMs }) => dayMs >= fromMs && dayMs < toMs)
    })
  }
  const meals = () => {
    const all = records({ kind: 'meal', ...wide })
    const told = all.map((one) => ({ ...one, atMs: one.startMs, carbsG: numberIn(one, 'carbs_grams') }))
    return leadingMeals(told, rankOf).filter(({ dayMs }) => dayMs >= window.fromMs && dayMs < window.toMs)
  }
  return {
    nights: leading('sleep'),
    /** Rivals too: their values must not come back as what a device measured. */
    allNights: records({ kind: 'sleep', ...window }),
    activities: leading('activity'),
    meals: meals(),
  }
}

function ranking({ sources }: Pick<GatherDeps, 'sources'>): RankOf {
  const ranks = sources.ranks()
  return (id) => ranks.get(id) ?? Number.POSITIVE_INFINITY
}

function daysIn(records: readonly DayRecord[], dayOf: (atMs: number) => string): Set<string> {
  return new Set(records.map(({ dayMs }) => dayOf(dayMs)))
}

function numberIn({ fields }: DayRecord, name: string): number | null {
  const value = fields[name]
  return typeof value === 'number' ? value : null
}

async function measuredOn(window: Window, dayOf: (atMs: number) => string, { store }: GatherDeps) {
  const byMetric = new Map<string, Map<string, LevelPoint>>()
  for (const metric of Object.keys(OF_DAY)) {
    const { points } = await store.observations.level({
      ...window,
      metric,
      level: '1d',
      limit: VALUES_AT_ONCE,
    })
    byMetric.set(metric, new Map(points.map((point) => [dayOf(point.atMs), point])))
  }
  return (date: string): Record<OfDay, number | null> => {
    const of = (metric: OfDay) => byMetric.get(metric)?.get(date)?.[OF_DAY[metric]] ?? null
    return {
      recovery: of('recovery'),
      strain: of('strain'),
      hrv_rmssd: of('hrv_rmssd'),
      hrv_sdnn: of('hrv_sdnn'),
      resting_heart_rate: of('resting_heart_rate'),
      sleep_duration: of('sleep_duration'),
      sleep_quality: of('sleep_quality'),
    }
  }
}

function grouped<Point extends { atMs: number }>(
  points: readonly Point[],
  dayOf: (atMs: number) => string,
): Map<string, Point[]> {
  const groups = new Map<string, Point[]>()
  for (const point of points) {
    const day = dayOf(point.atMs)
    const group = groups.get(day)
    if (group) group.push(point)
    else groups.set(day, [point])
  }
  return groups
}

/** Ratings of different moments are no rivals, whoever took them. */
async function moodsOf(window: Window, dayOf: (atMs: number) => string, { store }: GatherDeps) {
  const { points } = await store.observations.range({ ...window, metric: 'mood', limit: VALUES_AT_ONCE })
  const byDay = grouped(points, dayOf)
  return new Map([...byDay].map(([date, ratings]) => [date, mean(ratings.map(({ value }) => value))]))
}
