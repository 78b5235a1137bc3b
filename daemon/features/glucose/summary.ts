/** The numbers of a glucose report over local days, with what is missing said beside what is known. */
import { type Static, Type } from 'typebox'
import { glucoseGrid } from '../../../models/series/cgm-grid.ts'
import { mage } from '../../../models/series/cgm-mage.ts'
import { glucoseProfile } from '../../../models/series/cgm-profile.ts'
import { CUTS, shareOf } from '../../../models/series/cgm-ranges.ts'
import * as risk from '../../../models/series/cgm-risk.ts'
import { glucoseSummary } from '../../../models/series/cgm-summary.ts'
import type { GlucoseTrace, WallClock } from '../../../models/series/cgm-trace.ts'
import { conga, modd } from '../../../models/series/cgm-variability.ts'
import { quantile } from '../../../models/series/moments.ts'
import { Id } from '../../domain/id.ts'
import type { StoredObservation } from '../../domain/observation.ts'
import { Day } from '../../domain/person.ts'
import { wallClockMs } from '../../domain/zone.ts'
import { iso, Timestamp } from '../../kernel/envelope.ts'
import { traceOf } from './traces.ts'

const orNull = Type.Union([Type.Number(), Type.Null()])

/** mg/dL and percent; what cannot be said is null and `reasons` says why. */
const Numbers = Type.Object({
  avg_glucose: orNull,
  min_glucose: orNull,
  max_glucose: orNull,
  /** Sample standard deviation. */
  std_glucose: orNull,
  /** 70 to 180 mg/dL. */
  time_in_range_percent: orNull,
  time_above_range_percent: orNull,
  time_below_range_percent: orNull,
  /** Below 54, 54 to 69, 181 to 250, above 250, and 70 to 140 mg/dL. */
  very_low_percent: orNull,
  low_percent: orNull,
  high_percent: orNull,
  very_high_percent: orNull,
  tight_range_percent: orNull,
  /** Coefficient of variation and glucose management indicator, %. */
  cv: orNull,
  /** In, above and below the range that the person aims at. */
  time_in_target_percent: orNull,
  time_above_target_percent: orNull,
  time_below_target_percent: orNull,
  gmi: orNull,
  gri: orNull,
  lbgi: orNull,
  hbgi: orNull,
  adrr: orNull,
  j_index: orNull,
  grade: orNull,
  mage: orNull,
  /** SD of differences 1 and 24 hours apart; mean absolute difference to the day before. */
  conga_1h: orNull,
  conga_24h: orNull,
  modd: orNull,
  wear_percent: orNull,
})
type Numbers = Static<typeof Numbers>

export const Summary = Type.Object({
  person_id: Id,
  /** The last of the days. */
  date: Day,
  days: Type.Integer(),
  timezone: Type.String(),
  from: Timestamp,
  to: Timestamp,
  unit: Type.Literal('mg/dL'),
  target_glucose_min: Type.Number(),
  target_glucose_max: Type.Number(),
  readings: Type.Integer(),
  /** Readings at the end of the sensor's scale, counted as just beyond it. */
  censored: Type.Object({ low: Type.Integer(), high: Type.Integer() }),
  ...Numbers.properties,
  /** Whether the period is what the consensus asks for: 14 days and 70 % of the readings. */
  sufficient: Type.Boolean(),
  shortages: Type.Array(Type.Enum(['no_readings', 'one_reading', 'under_14_days', 'under_70_percent_wear'])),
  reasons: Type.Record(Type.String(), Type.String()),
  /** Ambulatory glucose profile in quarter hours of the local day; only with `profile=true`. */
  profile: Type.Optional(
    Type.Array(
      Type.Object({
        minute_of_day: Type.Integer(),
        readings: Type.Integer(),
        days: Type.Integer(),
        p5: orNull,
        p25: orNull,
        p50: orNull,
        p75: orNull,
        p95: orNull,
      }),
    ),
  ),
})
export type Summary = Static<typeof Summary>

/** Which days of whom; `fromMs` to `toMs` are their bounds in `zone`. */
export interface Period {
  personId: string
  date: string
  days: number
  zone: string
  fromMs: number
  toMs: number
  target: Target
}

/** The range that somebody aims at, both ends included. */
export interface Target {
  minMgPerDl: number
  maxMgPerDl: number
}

export function summaryOf(readings: readonly StoredObservation[], period: Period): Summary {
  const trace = traceOf(readings)
  const wallClock: WallClock = (atMs) => wallClockMs(atMs, period.zone)
  const { numbers, shortages } = numbersOf(trace, wallClock, period.target)
  const ends = (end: 'low' | 'high') => readings.filter(({ extra }) => extra?.censored === end).length
  return {
    person_id: period.personId,
    date: period.date,
    days: period.days,
    timezone: period.zone,
    from: iso(period.fromMs),
    to: iso(period.toMs),
    unit: 'mg/dL',
    target_glucose_min: period.target.minMgPerDl,
    target_glucose_max: period.target.maxMgPerDl,
    readings: readings.length,
    censored: { low: ends('low'), high: ends('high') },
    ...numbers,
    sufficient: shortages.length === 0,
    shortages,
    reasons: reasonsOf(numbers, readings.length),
  }
}

/** The profile of the same readings, by local time of day. */
export function profileOf(
  readings: readonly StoredObservation[],
  zone: string,
): NonNullable<Summary['profile']> {
  return glucoseProfile(traceOf(readings), (atMs) => wallClockMs(atMs, zone)).map(
    ({ minuteOfDay, ...bin }) => ({ minute_of_day: minuteOfDay, ...bin }),
  )
}

function numbersOf(trace: GlucoseTrace, wallClock: WallClock, { minMgPerDl, maxMgPerDl }: Target) {
  const { atMs, mgPerDl } = trace
  const { mean, sd, cv, gmi, gri, ranges, wearPercent, shortages } = glucoseSummary(trace)
  const grid = glucoseGrid(trace, wallClock)
  const numbers: Numbers = {
    avg_glucose: mean,
    min_glucose: quantile(mgPerDl, 0),
    max_glucose: quantile(mgPerDl, 1),
    std_glucose: sd,
    time_in_range_percent: ranges?.inRange ?? null,
    time_above_range_percent: shareOf(trace, (value) => value > CUTS.high),
    time_below_range_percent: shareOf(trace, (value) => value < CUTS.low),
    very_low_percent: ranges?.veryLow ?? null,
    low_percent: ranges?.low ?? null,
    high_percent: ranges?.high ?? null,
    very_high_percent: ranges?.veryHigh ?? null,
    tight_range_percent: ranges?.tight ?? null,
    cv,
    gmi,
    time_in_target_percent: shareOf(trace, (value) => value >= minMgPerDl && value <= maxMgPerDl),
    time_above_target_percent: shareOf(trace, (value) => value > maxMgPerDl),
    time_below_target_percent: shareOf(trace, (value) => value < minMgPerDl),
    gri,
    lbgi: risk.lowIndex(mgPerDl),
    hbgi: risk.highIndex(mgPerDl),
    adrr: risk.averageDailyRiskRange(atMs, mgPerDl, wallClock),
    j_index: mean === null || sd === null ? null : risk.jIndex(mean, sd),
    grade: risk.grade(mgPerDl)?.score ?? null,
    mage: grid && mage(grid).average,
    conga_1h: grid && conga(grid, 1),
    conga_24h: grid && conga(grid, 24),
    modd: grid && modd(grid),
    wear_percent: wearPercent,
  }
  return { numbers, shortages }
}

const NEEDS: Partial<Record<keyof Numbers, string>> = {
  mage: 'needs 32 points in a row and an excursion of one standard deviation',
  conga_1h: 'needs two pairs of readings an hour apart',
  conga_24h: 'needs two pairs of readings a day apart',
  modd: 'needs two readings a day apart',
}

function reasonsOf(numbers: Numbers, readings: number): Record<string, string> {
  const names = (Object.keys(numbers) as (keyof Numbers)[]).filter((name) => numbers[name] === null)
  const why = (name: keyof Numbers) =>
    readings === 0 ? 'no readings' : (NEEDS[name] ?? 'needs two readings')
  return Object.fromEntries(names.map((name) => [name, why(name)]))
}
