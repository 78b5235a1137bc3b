import { mergeAll } from '../../models/series/rollup.ts'
import type { Level, LevelPoint } from '../domain/observation.ts'
import { levelPage } from './level-page.ts'
import type { OpenSeries } from './open-series.ts'
import { createRawValues } from './raw-values.ts'
import type { Reader } from './reader.ts'
import {
  type BucketRow,
  DAYS,
  HOUR_MS,
  HOURS,
  type PlacedBucket,
  placed,
  QUARTERS,
  quantumOf,
  STATISTICS,
  startOf,
} from './rollup-rows.ts'
import { dayHolding, quartersOf } from './rollup-tables.ts'
import { createSealedDays, type SealedDays } from './sealed-days.ts'
import type { Page } from './store.ts'

/** One level of one person's metric, by store keys; half-open window over the buckets' starts. */
export interface LevelWindow {
  person: number
  metric: number
  level: Level
  fromMs: number
  toMs: number
  limit: number
}

/**
 * Reads buckets from stored rows and from what the writer still had in memory. Hours in `rollup_pending` are put together from
 * their minutes, so it makes no difference what was stored between the answer of the writer and this read. Call it inside
 * a snapshot.
 */
export interface Levels {
  read(window: LevelWindow, open: readonly OpenSeries[]): Page<LevelPoint>
}

const COLUMNS = STATISTICS.join(', ')
const SERIES = 'person = :person AND metric = :metric'

/** Stored buckets of the first `limit + 1` starts; rival devices share a start. */
export const STORED_BUCKETS = `
  SELECT start, device, rev, ${COLUMNS} FROM rollup
  WHERE level = :level AND ${SERIES} AND start >= :from AND start < coalesce((
    SELECT DISTINCT start FROM rollup
    WHERE level = :level AND ${SERIES} AND start >= :from AND start < :to
    ORDER BY start LIMIT 1 OFFSET :limit + 1
  ), :to)
  ORDER BY start, device`

/** Hours in which the series has rows: an index into tables that are keyed by time first. */
export const HOURS_WITH_ROWS = `
  SELECT start FROM rollup WHERE level = ${HOURS} AND ${SERIES} AND start >= :from AND start < :to
  UNION
  SELECT hour_start FROM rollup_pending WHERE ${SERIES} AND hour_start >= :from AND hour_start < :to
  ORDER BY 1 LIMIT :limit`

const DEVICES_OF_HOUR = `
  SELECT device FROM rollup WHERE level = ${HOURS} AND ${SERIES} AND start = :hour
  UNION
  SELECT device FROM rollup_pending WHERE ${SERIES} AND hour_start = :hour
  ORDER BY 1`

const PENDING = `
  SELECT device, hour_start AS hour FROM rollup_pending
  WHERE ${SERIES} AND hour_start > :from - 3600000 AND hour_start < :to
  ORDER BY hour_start, device`

const QUARTERS_OF_DAY = `
  SELECT start, device, rev, ${COLUMNS} FROM rollup
  WHERE level = ${QUARTERS} AND ${SERIES} AND start >= :from AND start < :to AND device = :device
  ORDER BY start`

const RANKS = 'SELECT key, rank FROM device ORDER BY key'

const ZONE = `
  SELECT coalesce(z.zone, p.timezone) AS zone FROM person p LEFT JOIN rollup_zone z ON z.person = p.key WHERE p.key = :person`

/** Longer than any local day. */
const LONGEST_DAY_MS = 26 * HOUR_MS
const HOURS_AT_ONCE = 64

interface PendingHour {
  device: number
  hour: number
}

export function createLevels(reader: Reader, sealed: SealedDays = createSealedDays(reader)): Levels {
  const raw = createRawValues(reader, sealed)

  function minutesOf(window: LevelWindow, hour: PendingHour, open: readonly OpenSeries[]): PlacedBucket[] {
    const keys = { person: window.person, metric: window.metric, device: hour.device, hour: hour.hour }
    const byStart = new Map<number, PlacedBucket>()
    for (const minute of raw.minutesOfHour(keys)) byStart.set(minute.startMs, minute)
    for (const { device, minute } of open) {
      if (!minute || device !== hour.device || startOf(minute.startMs, HOUR_MS) !== hour.hour) continue
      const stored = byStart.get(minute.startMs)
      if (!stored || stored.rev < minute.rev) byStart.set(minute.startMs, { ...minute, device })
    }
    return [...byStart.values()].sort((a, b) => a.startMs - b.startMs)
  }

  function minutes(window: LevelWindow, open: readonly OpenSeries[]): PlacedBucket[] {
    const { person, metric, fromMs, toMs, limit } = window
    const found: PlacedBucket[] = []
    const starts = new Set<number>()
    let from = startOf(fromMs, HOUR_MS)
    for (;;) {
      const params = { person, metric, from, to: toMs, limit: HOURS_AT_ONCE }
      const hours = reader.all<{ start: number }>(HOURS_WITH_ROWS, params)
      for (const { start: hour } of hours) {
        for (const { device } of reader.all<{ device: number }>(DEVICES_OF_HOUR, { person, metric, hour })) {
          for (const minute of minutesOf(window, { device, hour }, open)) {
            found.push(minute)
            if (minute.startMs >= fromMs) starts.add(minute.startMs)
          }
        }
        if (starts.size > limit) return found
        from = hour + HOUR_MS
      }
      if (hours.length < HOURS_AT_ONCE) return found
    }
  }

  function stored(window: LevelWindow, level: number): PlacedBucket[] {
    const { person, metric, fromMs, toMs, limit } = window
    const params = { level, person, metric, from: fromMs, to: toMs, limit }
    return reader.all<BucketRow>(STORED_BUCKETS, params).map(placed)
  }

  function pendingHours({ person, metric, fromMs }: LevelWindow, toMs: number): PendingHour[] {
    return reader.all<PendingHour>(PENDING, { person, metric, from: fromMs, to: toMs })
  }

  function hoursOrQuarters(window: LevelWindow, open: readonly OpenSeries[]): PlacedBucket[] {
    const level = window.level === '15m' ? QUARTERS : HOURS
    const buckets = stored(window, level)
    // The bucket after the page counts too: its start is where reading goes on.
    const lastMs = startAfterPage(buckets, window.limit)
    const pending = pendingHours(window, window.toMs).filter(({ hour }) => hour <= lastMs)
    const isPending = new Set(pending.map(({ device, hour }) => `${device}:${hour}`))
    const made = pending.flatMap((hour) => {
      const quarters = quartersOf(minutesOf(window, hour, open), window.metric)
      if (level === QUARTERS || quarters.length === 0) return quarters
      return [merged(quarters, hour.device, hour.hour, window.metric)]
    })
    return buckets
      .filter(({ device, startMs }) => !isPending.has(`${device}:${startOf(startMs, HOUR_MS)}`))
      .concat(made)
  }

  function days(window: LevelWindow, open: readonly OpenSeries[]): PlacedBucket[] {
    const buckets = stored(window, DAYS)
    const lastMs = startAfterPage(buckets, window.limit)
    // A day that begins inside the window may end after it.
    const pending = pendingHours(window, window.toMs + LONGEST_DAY_MS).filter(({ hour }) => hour <= lastMs)
    const made = new Map<string, PlacedBucket>()
    for (const device of new Set(pending.map((hour) => hour.device))) {
      const hours = pending.filter((hour) => hour.device === device)
      for (const day of daysOf(window, hours, open)) made.set(`${device}:${day.startMs}`, day)
    }
    return buckets
      .filter(({ device, startMs }) => !made.has(`${device}:${startMs}`))
      .concat([...made.values()])
  }

  /** The days that pending hours of one device belong to, from stored quarters outside those hours and minutes inside. */
  function daysOf(
    window: LevelWindow,
    hours: readonly PendingHour[],
    open: readonly OpenSeries[],
  ): PlacedBucket[] {
    const { person, metric } = window
    const zone = reader.get<{ zone: string }>(ZONE, { person })?.zone ?? 'UTC'
    const pending = new Set(hours.map(({ hour }) => hour))
    const fresh = hours.flatMap((hour) => quartersOf(minutesOf(window, hour, open), metric))
    const made = new Map<number, PlacedBucket>()
    for (const { device, startMs } of fresh) {
      const day = dayHolding(startMs, zone)
      if (made.has(day.fromMs)) continue
      const params = { person, metric, device, from: day.fromMs, to: day.toMs }
      const parts = reader
        .all<BucketRow>(QUARTERS_OF_DAY, params)
        .map(placed)
        .filter((part) => !pending.has(startOf(part.startMs, HOUR_MS)))
        .concat(fresh.filter((part) => part.startMs >= day.fromMs && part.startMs < day.toMs))
      made.set(day.fromMs, merged(parts, device, day.fromMs, metric))
    }
    return [...made.values()]
  }

  function bucketsOf(window: LevelWindow, open: readonly OpenSeries[]): PlacedBucket[] {
    switch (window.level) {
      case '1m':
        return minutes(window, open)
      case '15m':
      case '1h':
        return hoursOrQuarters(window, open)
      case '1d':
        return days(window, open)
    }
  }

  return {
    read(window, open) {
      const own = open.filter(({ person, metric }) => person === window.person && metric === window.metric)
      const ranks = new Map(
        reader.all<{ key: number; rank: number }>(RANKS).map(({ key, rank }) => [key, rank]),
      )
      return levelPage(
        bucketsOf(window, own),
        window,
        (device) => ranks.get(device) ?? Number.POSITIVE_INFINITY,
      )
    },
  }
}

/** The start that follows a full page of stored buckets; infinite when they do not fill one. */
function startAfterPage(buckets: readonly PlacedBucket[], limit: number): number {
  const starts = [...new Set(buckets.map(({ startMs }) => startMs))]
  return starts[limit] ?? Number.POSITIVE_INFINITY
}

function merged(parts: PlacedBucket[], device: number, startMs: number, metric: number): PlacedBucket {
  const ascending = parts.sort((a, b) => a.startMs - b.startMs).map(({ bucket }) => bucket)
  return { startMs, device, rev: 0, bucket: mergeAll(ascending, quantumOf(metric).maxGapMs) }
}
