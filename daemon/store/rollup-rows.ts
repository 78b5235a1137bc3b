import { type Bucket, type Quantum, quantise } from '../../models/series/rollup.ts'
import { decodeBins, encodeBins } from '../../models/series/rollup-bins.ts'
import { metricByKey } from '../domain/metric.ts'

export const MINUTE_MS = 60_000
export const QUARTER_MS = 15 * MINUTE_MS
export const HOUR_MS = 60 * MINUTE_MS

/** The stored levels of table `rollup`, by length in minutes. */
export const QUARTERS = 15
export const HOURS = 60
export const DAYS = 1440

/** One series by the keys of the store. */
export interface SeriesKeys {
  person: number
  metric: number
  device: number
}

/** One hour of one series. */
export interface SeriesHour extends SeriesKeys {
  hour: number
}

/** The statistic columns both roll-up tables share, without keys and revision. */
export const STATISTICS = [
  'n',
  'sum',
  'sum_sq',
  'min',
  'min_at',
  'max',
  'max_at',
  'first',
  'first_at',
  'last',
  'last_at',
  'covered_ms',
  'sum_v_dt',
  'n_diff',
  'sum_sq_diff',
  'bins',
] as const

/** One row of either table as SQLite gives it. */
export interface BucketRow {
  start: number
  device: number
  rev: number
  n: number
  sum: number
  sum_sq: number | null
  min: number
  min_at: number
  max: number
  max_at: number
  first: number
  first_at: number
  last: number
  last_at: number
  covered_ms: number
  sum_v_dt: number | null
  n_diff: number
  sum_sq_diff: number | null
  bins: Uint8Array
}

/** A bucket where it lies on the time axis. */
export interface PlacedBucket {
  startMs: number
  device: number
  rev: number
  bucket: Bucket
}

export function bucketOf(row: BucketRow): Bucket {
  return {
    n: row.n,
    sum: row.sum,
    sumSq: row.sum_sq,
    min: row.min,
    minAt: row.min_at,
    max: row.max,
    maxAt: row.max_at,
    first: row.first,
    firstAt: row.first_at,
    last: row.last,
    lastAt: row.last_at,
    coveredMs: row.covered_ms,
    sumVDt: row.sum_v_dt,
    nDiff: row.n_diff,
    sumSqDiff: row.sum_sq_diff,
    bins: decodeBins(row.bins),
  }
}

export function placed(row: BucketRow): PlacedBucket {
  return { startMs: row.start, device: row.device, rev: row.rev, bucket: bucketOf(row) }
}

/** Parameters for the statement that writes a bucket. */
export function statisticsOf(bucket: Bucket): Omit<BucketRow, 'start' | 'device' | 'rev'> {
  return {
    n: bucket.n,
    sum: bucket.sum,
    sum_sq: bucket.sumSq,
    min: bucket.min,
    min_at: bucket.minAt,
    max: bucket.max,
    max_at: bucket.maxAt,
    first: bucket.first,
    first_at: bucket.firstAt,
    last: bucket.last,
    last_at: bucket.lastAt,
    covered_ms: bucket.coveredMs,
    sum_v_dt: bucket.sumVDt,
    n_diff: bucket.nDiff,
    sum_sq_diff: bucket.sumSqDiff,
    bins: encodeBins(bucket.bins),
  }
}

export type BucketValue = number | Uint8Array | null

/** The same in the order of STATISTICS, for statements that are bound by position. */
export function statisticValues(bucket: Bucket): BucketValue[] {
  return [
    bucket.n,
    bucket.sum,
    bucket.sumSq,
    bucket.min,
    bucket.minAt,
    bucket.max,
    bucket.maxAt,
    bucket.first,
    bucket.firstAt,
    bucket.last,
    bucket.lastAt,
    bucket.coveredMs,
    bucket.sumVDt,
    bucket.nDiff,
    bucket.sumSqDiff,
    encodeBins(bucket.bins),
  ]
}

/** How the metric behind a key is counted. */
export function quantumOf(metric: number): Quantum {
  return metricByKey(metric)
}

export function scaledValue(metric: number, value: number): number {
  return quantise(value, metricByKey(metric).scale)
}

/** Start of the UTC stretch of `lengthMs` that holds the instant; also right before 1970. */
export function startOf(atMs: number, lengthMs: number): number {
  return Math.floor(atMs / lengthMs) * lengthMs
}

export function seriesName({ person, metric, device }: SeriesKeys): string {
  return `${person}:${metric}:${device}`
}

export function hourName(hour: SeriesHour): string {
  return `${seriesName(hour)}:${hour.hour}`
}
