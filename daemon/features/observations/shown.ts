import { type Static, Type } from 'typebox'
import { type Metric, metricNamed } from '../../domain/metric.ts'
import type { Level, LevelPoint, StoredObservation } from '../../domain/observation.ts'
import { readingOf } from '../../domain/reading.ts'
import { iso, Timestamp } from '../../kernel/envelope.ts'
import type { Page } from '../../store/store.ts'

const Place = Type.Object({
  lat: Type.Number(),
  lon: Type.Union([Type.Number(), Type.Null()]),
  accuracy_m: Type.Union([Type.Number(), Type.Null()]),
})
const Value = Type.Union([Type.Number(), Type.String(), Place])
const NextFrom = Type.Union([Timestamp, Type.Null()], { description: 'Ask again from here; null at the end' })

/** Recorded values as the API shows them. */
export const RawSeries = Type.Object({
  metric: Type.String(),
  unit: Type.String(),
  level: Type.Literal('raw'),
  points: Type.Array(
    Type.Object({
      ts: Timestamp,
      value: Value,
      source: Type.String(),
      device: Type.String(),
      quality: Type.Union([Type.Number(), Type.Null()]),
      revision: Type.Integer(),
      censored: Type.Optional(Type.Enum(['low', 'high'])),
    }),
  ),
  next_from: NextFrom,
})

/** Roll-up buckets as the API shows them. */
export const LevelSeries = Type.Object({
  metric: Type.String(),
  unit: Type.String(),
  level: Type.Enum(['1m', '15m', '1h', '1d']),
  points: Type.Array(
    Type.Object({
      ts: Timestamp,
      count: Type.Integer(),
      min: Type.Number(),
      max: Type.Number(),
      mean: Type.Number(),
      p50: Type.Number(),
    }),
  ),
  next_from: NextFrom,
})

/** The newest value of each metric. */
export const Latest = Type.Record(
  Type.String(),
  Type.Object({
    value: Value,
    unit: Type.String(),
    ts: Timestamp,
    age_ms: Type.Integer(),
    stale: Type.Boolean(),
    source: Type.String(),
    device: Type.String(),
  }),
)

export function rawSeries(metric: Metric, page: Page<StoredObservation>): Static<typeof RawSeries> {
  const points = page.points.map((one) => ({
    ts: iso(one.atMs),
    value: readingOf(one),
    source: one.source,
    device: one.deviceId,
    quality: one.quality,
    revision: one.revision,
    ...(one.extra?.censored ? { censored: one.extra.censored } : {}),
  }))
  return { metric: metric.name, unit: metric.unit, level: 'raw', points, next_from: nextFrom(page) }
}

export function levelSeries(
  metric: Metric,
  level: Level,
  page: Page<LevelPoint>,
): Static<typeof LevelSeries> {
  const points = page.points.map(({ atMs, ...bucket }) => ({ ts: iso(atMs), ...bucket }))
  return { metric: metric.name, unit: metric.unit, level, points, next_from: nextFrom(page) }
}

export function latestOf(values: readonly StoredObservation[], nowMs: number): Static<typeof Latest> {
  return Object.fromEntries(
    values.map((one) => {
      const metric = metricNamed(one.metric)
      const ageMs = Math.max(0, nowMs - one.atMs)
      const shown = {
        value: readingOf(one),
        unit: metric?.unit ?? '',
        ts: iso(one.atMs),
        age_ms: ageMs,
        stale: ageMs > (metric?.staleAfterMs ?? 0),
        source: one.source,
        device: one.deviceId,
      }
      return [one.metric, shown]
    }),
  )
}

function nextFrom({ nextFromMs }: Page<unknown>): string | null {
  return nextFromMs === null ? null : iso(nextFromMs)
}
