import { type Bucket, copyBucket, growingCopy, mergeInto, uncount } from '../../models/series/rollup.ts'
import {
  hourName,
  type PlacedBucket,
  QUARTER_MS,
  quantumOf,
  type SeriesHour,
  type SeriesKeys,
  seriesName,
  startOf,
} from './rollup-rows.ts'

/** A series as the writer remembers it. */
export interface Series extends SeriesKeys {
  lastMs: number
  minute: OpenMinute | null
  /** The hour that `rollup_pending` holds because of `minute`, null when all is stored or due. */
  hour: number | null
  /** The quarters of `hour` as its closed minutes make them; null when stored minutes have to be asked. */
  quarters: PlacedBucket[] | null
  /** The last quarter is the transaction's own to change. */
  ownsQuarter: boolean
}

/** An hour that is over, with its quarters where they are known without the stored minutes. */
export interface DueHour extends SeriesHour {
  quarters: readonly PlacedBucket[] | null
}

/** The minute that still grows. */
export interface OpenMinute {
  startMs: number
  rev: number
  bucket: Bucket
  /** A row was slipped in or replaced: the bucket is read again from the raw rows before the commit. */
  stale: boolean
}

/** One minute of one series. */
export interface Minute {
  series: SeriesKeys
  startMs: number
}

/** What one transaction changed; applied to memory when it commits, thrown away when it does not. */
export interface Draft {
  series: Map<string, Series>
  dropped: Set<string>
  closed: (Minute & { bucket: Bucket; rev: number })[]
  late: Map<string, Minute>
  /** The hours of those minutes. */
  lateHours: Set<string>
  /** Hours that lost a minute. */
  emptied: Map<string, SeriesHour>
  dueAdded: Map<string, DueHour>
  dueDone: Set<string>
  /** Hours whose place in `rollup_pending` may have to change. */
  touched: Map<string, SeriesHour>
  pendingAdded: string[]
  pendingDropped: string[]
  /** Histograms that open minutes share with memory, and the bins that were counted in them; a rollback takes them back. */
  countedIn: Map<number, number>[]
  countedBins: number[]
  /** Rows that were inserted. */
  rows: number
}

export function emptyDraft(): Draft {
  return {
    series: new Map(),
    dropped: new Set(),
    closed: [],
    late: new Map(),
    lateHours: new Set(),
    emptied: new Map(),
    dueAdded: new Map(),
    dueDone: new Set(),
    touched: new Map(),
    pendingAdded: [],
    pendingDropped: [],
    countedIn: [],
    countedBins: [],
    rows: 0,
  }
}

/** A series for one transaction to change; field by field, because this is done for every series of every commit. */
export function draftOf(base: Series, withBucket: boolean): Series {
  const { minute } = base
  return {
    person: base.person,
    metric: base.metric,
    device: base.device,
    lastMs: base.lastMs,
    minute: minute && {
      startMs: minute.startMs,
      rev: minute.rev,
      bucket: withBucket ? growingCopy(minute.bucket) : minute.bucket,
      stale: minute.stale,
    },
    hour: base.hour,
    quarters: base.quarters,
    ownsQuarter: false,
  }
}

/** Takes back what the transaction counted in histograms that memory holds. */
export function uncountAll({ countedIn, countedBins }: Draft): void {
  countedIn.forEach((bins, index) => {
    uncount(bins, countedBins[index] ?? 0)
  })
}

/** A closed minute of the open hour counts at once, so that the hour can be stored without reading its minutes back. */
export function addToQuarter(series: Series, { startMs, bucket }: OpenMinute): void {
  if (!series.quarters) return
  const quarterMs = startOf(startMs, QUARTER_MS)
  const last = series.quarters.at(-1)
  if (last?.startMs !== quarterMs) {
    const quarter = { startMs: quarterMs, device: series.device, rev: 0, bucket: copyBucket(bucket) }
    series.quarters = [...series.quarters, quarter]
  } else {
    const own = series.ownsQuarter ? last : { ...last, bucket: copyBucket(last.bucket) }
    mergeInto(own.bucket, bucket, quantumOf(series.metric).maxGapMs)
    if (own !== last) series.quarters = [...series.quarters.slice(0, -1), own]
  }
  series.ownsQuarter = true
}

export function minuteName(series: SeriesKeys, startMs: number): string {
  return `${seriesName(series)}:${startMs}`
}

/** Names cost more than what they find, and mostly nothing is late. */
export function isLate({ late }: Draft, keys: SeriesKeys, startMs: number): boolean {
  return late.size > 0 && late.has(minuteName(keys, startMs))
}

export function isLateHour({ lateHours }: Draft, hour: SeriesHour): boolean {
  return lateHours.size > 0 && lateHours.has(hourName(hour))
}
