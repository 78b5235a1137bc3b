/**
 * Suggestions for rules from what is usual for this very person in the last fortnight. They describe a person's own pattern
 * and say nothing medical; none of them is in force until somebody takes it over.
 */
import { type Static, Type } from 'typebox'
import type { GlucoseUnit } from '../../domain/glucose-unit.ts'
import { type Metric, metricNamed } from '../../domain/metric.ts'
import type { LevelPoint } from '../../domain/observation.ts'
import { type Condition, RuleDraft, replay } from '../../domain/rule.ts'
import { toldIn } from '../../domain/unit.ts'
import { iso, Timestamp } from '../../kernel/envelope.ts'
import type { Store } from '../../store/store.ts'
import type { NearDevice } from './ports.ts'

export const Preset = Type.Object(
  {
    id: Type.String(),
    title: Type.String(),
    description: Type.String(),
    rule: RuleDraft,
    /** What the suggestion rests on; null where it rests on no values. */
    basis: Type.Union([
      Type.Object(
        {
          from: Timestamp,
          to: Timestamp,
          days_with_data: Type.Integer(),
          usual_low: Type.Number(),
          usual_high: Type.Number(),
          unit: Type.String(),
          /** How often it would have fired in this time. */
          would_have_fired: Type.Integer(),
        },
        { additionalProperties: false },
      ),
      Type.Null(),
    ]),
  },
  { additionalProperties: false },
)
export type Preset = Static<typeof Preset>

const DAY_MS = 86_400_000
const BUCKET_MS = 15 * 60_000
export const PRESET_DAYS = 14
const DAYS_NEEDED = 3
const BUCKETS_A_DAY = 4
/** A suggestion that would have fired oftener than once a week is no safety net but a nuisance. */
const FIRINGS_MAX = 2
/** Tried from the tightest; 1 is the farthest value there was. */
const SHARES = [0.98, 0.99, 0.995, 1] as const
const BATTERY_PERCENT = 15
const SILENT_SECONDS = 30 * 60
const SILENT_SECONDS_MAX = 12 * 3600

const SIDES: readonly { metric: string; side: 'above' | 'below'; forS: number }[] = [
  { metric: 'heart_rate', side: 'above', forS: 900 },
  { metric: 'heart_rate', side: 'below', forS: 900 },
  { metric: 'spo2', side: 'below', forS: 900 },
  { metric: 'respiratory_rate', side: 'above', forS: 900 },
  { metric: 'skin_temp', side: 'above', forS: 900 },
  { metric: 'body_temp', side: 'above', forS: 0 },
  { metric: 'hrv_rmssd', side: 'below', forS: 0 },
  { metric: 'stress', side: 'above', forS: 900 },
  { metric: 'glucose', side: 'above', forS: 900 },
  { metric: 'glucose', side: 'below', forS: 0 },
]

export interface Suggested {
  presets: Preset[]
  /** Metrics with values, but with too few of them for a suggestion. */
  tooFew: string[]
}

/** `seesMetric` leaves out what the reader has no grant for. */
export async function suggest(
  { observations }: Pick<Store, 'observations'>,
  personId: string,
  nowMs: number,
  near: readonly NearDevice[],
  seesMetric: (metric: Metric) => boolean,
  glucoseUnit: GlucoseUnit = 'mg/dL',
): Promise<Suggested> {
  const fromMs = nowMs - PRESET_DAYS * DAY_MS
  const presets: Preset[] = []
  const tooFew = new Set<string>()
  const series = new Map<string, LevelPoint[]>()
  for (const { metric: name, side, forS } of SIDES) {
    const metric = metricNamed(name)
    if (!metric || !seesMetric(metric)) continue
    const range = { personId, metric: name, fromMs, toMs: nowMs, limit: 5000, level: '15m' as const }
    const points = series.get(name) ?? (await observations.level(range)).points
    series.set(name, points)
    const days = daysIn(points)
    if (points.length > 0 && days < DAYS_NEEDED) tooFew.add(name)
    if (days >= DAYS_NEEDED)
      presets.push(ownRange(metric, side, forS, points, { fromMs, nowMs, days, glucoseUnit }))
  }
  const beats = series.get('heart_rate') ?? []
  if (near.length > 0 && daysIn(beats) >= DAYS_NEEDED) presets.push(silenceOf(beats))
  if (near.length > 0) presets.push(battery(near))
  return { presets, tooFew: [...tooFew] }
}

function daysIn(points: readonly LevelPoint[]): number {
  const buckets = new Map<number, number>()
  for (const { atMs } of points) {
    const day = Math.floor(atMs / DAY_MS)
    buckets.set(day, (buckets.get(day) ?? 0) + 1)
  }
  return [...buckets.values()].filter((count) => count >= BUCKETS_A_DAY).length
}

function ownRange(
  metric: Metric,
  side: 'above' | 'below',
  forS: number,
  points: readonly LevelPoint[],
  {
    fromMs,
    nowMs,
    days,
    glucoseUnit,
  }: { fromMs: number; nowMs: number; days: number; glucoseUnit: GlucoseUnit },
): Preset {
  const values = points.map(({ mean }) => mean).sort((one, other) => one - other)
  const [low, high] = [valueAt(values, 0.02), valueAt(values, 0.98)]
  const step = 10 ** Math.floor(Math.log10(Math.max(high - low, 2 / metric.scale) / 10))
  const { condition, fired } = quietest(metric, side, forS, points, { values, step })
  const name = metric.name.replaceAll('_', ' ')
  const { number, unit } = toldIn(metric, glucoseUnit)
  return {
    id: `${metric.name}_${side}`,
    title: `${name} ${side} own usual range`,
    description: `Most of the last ${PRESET_DAYS} days this person's ${name} was ${number(tidy(low, step))} to ${number(tidy(high, step))} ${unit}. Tells when it is ${side} that. A comparison with the person's own days, not a medical limit.`,
    rule: { name: `${name} ${side} own usual range`, condition, severity: 'warning', enabled: true },
    basis: {
      ...{ from: iso(fromMs), to: iso(nowMs), days_with_data: days, unit: metric.unit },
      ...{ usual_low: tidy(low, step), usual_high: tidy(high, step), would_have_fired: fired },
    },
  }
}

/** The tightest threshold that would not have cried wolf in the time it is drawn from. */
function quietest(
  metric: Metric,
  side: 'above' | 'below',
  forS: number,
  points: readonly LevelPoint[],
  { values, step }: { values: readonly number[]; step: number },
): { condition: Condition; fired: number } {
  const sign = side === 'above' ? 1 : -1
  const past = points.map(({ atMs, mean }) => ({ atMs, value: mean }))
  const gapMs = Math.max(metric.maxGapMs, BUCKET_MS + 1)
  const clamped = (value: number) => Math.min(Math.max(value, metric.min), metric.max)
  let best: { condition: Condition; fired: number } | null = null
  for (const share of SHARES) {
    const edge = valueAt(values, side === 'above' ? share : 1 - share)
    const threshold = clamped(tidy(edge + sign * step, step))
    const clearAt = clamped(tidy(threshold - sign * step, step))
    const condition: Condition = {
      ...{ type: side, metric: metric.name, threshold, clear_at: clearAt },
      ...(forS > 0 && { for_seconds: forS, clear_for_seconds: 300 }),
    }
    best = { condition, fired: replay(condition, past, gapMs).length }
    if (best.fired <= FIRINGS_MAX) return best
  }
  if (best === null) throw new Error('there is no share to try')
  return best
}

/** Twice the longest pause that is usual: nights on the charger are no alarm. */
function silenceOf(beats: readonly LevelPoint[]): Preset {
  const pauses = beats
    .slice(1)
    .map(({ atMs }, index) => (atMs - (beats[index]?.atMs ?? atMs)) / 1000)
    .sort((one, other) => one - other)
  const usual = 2 * valueAt(pauses, 0.99)
  const after = Math.min(Math.max(SILENT_SECONDS, Math.ceil(usual / 300) * 300), SILENT_SECONDS_MAX)
  const condition = {
    type: 'no_data',
    metric: 'heart_rate',
    after_seconds: after,
    when_offline: 'tell',
  } as const
  return {
    id: 'heart_rate_no_data',
    title: 'watch silent longer than usual',
    description: `Tells when no heart rate arrives for ${Math.round(after / 60)} minutes, twice the longest pause that is usual here.`,
    rule: { name: 'Watch silent', condition, severity: 'warning', enabled: true },
    basis: null,
  }
}

function battery(near: readonly NearDevice[]): Preset {
  return {
    id: 'battery_below',
    title: 'battery low',
    description: `Tells when ${near.map(({ name }) => name).join(' or ')} reports less than ${BATTERY_PERCENT} % of charge.`,
    rule: {
      name: 'Battery low',
      condition: { type: 'battery', below_percent: BATTERY_PERCENT },
      severity: 'warning',
      enabled: true,
    },
    basis: null,
  }
}

function valueAt(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * (sorted.length - 1))))] ?? 0
}

function tidy(value: number, step: number): number {
  return Number((Math.round(value / step) * step).toPrecision(6))
}
