import { addSample, emptyBucket } from '../../models/series/rollup.ts'
import type { Reader } from './reader.ts'
import {
  type BucketRow,
  HOUR_MS,
  MINUTE_MS,
  type PlacedBucket,
  placed,
  quantumOf,
  type SeriesHour,
  type SeriesKeys,
  STATISTICS,
  scaledValue,
  startOf,
} from './rollup-rows.ts'
import { between, instantOf, overlaid, type SealedDays } from './sealed-days.ts'

export interface RawValue {
  atMs: number
  value: number
}

/** Single values and minutes of a series wherever they lie: rows, or packed days under them. */
export interface RawValues {
  /** Ascending. The window lies within one UTC day. */
  values(series: SeriesKeys, window: { fromMs: number; toMs: number }): RawValue[]
  /** The minutes as the single values say. */
  minutesFromValues(series: SeriesKeys, window: { fromMs: number; toMs: number }): PlacedBucket[]
  /** The hour's minutes, ascending. */
  minutesOfHour(hour: SeriesHour): PlacedBucket[]
}

const VALUES = `
  SELECT ts AS atMs, value FROM observation
  WHERE ts >= :fromMs AND ts < :toMs AND person = :person AND metric = :metric AND device = :device
  ORDER BY ts`

/** Sixty look-ups by key: a range over the time-first table would read every series of the hour. */
export const MINUTES_OF_HOUR = `
  WITH RECURSIVE minute (start) AS (
    SELECT :hour UNION ALL SELECT start + 60000 FROM minute WHERE start < :hour + 3540000
  )
  SELECT r.start, r.device, r.rev, ${STATISTICS.map((name) => `r.${name}`).join(', ')}
  FROM minute CROSS JOIN rollup_minute r
    ON r.start = minute.start AND r.person = :person AND r.metric = :metric AND r.device = :device
  ORDER BY minute.start`

/** What follows from committed values is never older than what the writer told before. */
const NEWEST = Number.MAX_SAFE_INTEGER

export function createRawValues(reader: Pick<Reader, 'all'>, sealed: SealedDays): RawValues {
  function values({ person, metric, device }: SeriesKeys, window: { fromMs: number; toMs: number }) {
    const rows = reader.all<RawValue>(VALUES, { person, metric, device, ...window })
    const day = sealed.one({ person, metric, device }, window.fromMs)
    return day ? overlaid<RawValue>(between(sealed.values(day), instantOf, window), rows) : rows
  }

  function minutesFromValues(series: SeriesKeys, window: { fromMs: number; toMs: number }): PlacedBucket[] {
    const quantum = quantumOf(series.metric)
    const minutes: PlacedBucket[] = []
    for (const { atMs, value } of values(series, window)) {
      const startMs = startOf(atMs, MINUTE_MS)
      let minute = minutes.at(-1)
      if (minute?.startMs !== startMs) {
        minute = { startMs, device: series.device, rev: NEWEST, bucket: emptyBucket() }
        minutes.push(minute)
      }
      addSample(minute.bucket, atMs, scaledValue(series.metric, value), quantum)
    }
    return minutes
  }

  return {
    values,
    minutesFromValues,
    minutesOfHour({ person, metric, device, hour }) {
      const series = { person, metric, device }
      const day = sealed.one(series, hour)
      const window = { fromMs: hour, toMs: hour + HOUR_MS }
      if (day === null || day.minuteRows)
        return reader.all<BucketRow>(MINUTES_OF_HOUR, { ...series, hour }).map(placed)
      if (day.holdsValues) return minutesFromValues(series, window)
      return between(sealed.minutes(day), ({ startMs }) => startMs, window).map((minute) => ({
        ...minute,
        device,
        rev: NEWEST,
      }))
    },
  }
}
