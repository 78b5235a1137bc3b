import type Database from 'better-sqlite3'
import { DamagedColumns } from '../../models/series/columns.ts'
import { type Bucket, emptyBucket, mergeAll } from '../../models/series/rollup.ts'
import { dayBounds, isZone, localDay } from '../domain/zone.ts'
import type { RawValues } from './raw-values.ts'
import {
  type BucketRow,
  type BucketValue,
  bucketOf,
  DAYS,
  HOUR_MS,
  HOURS,
  MINUTE_MS,
  type PlacedBucket,
  placed,
  QUARTER_MS,
  QUARTERS,
  quantumOf,
  type SeriesHour,
  type SeriesKeys,
  STATISTICS,
  seriesName,
  startOf,
  statisticValues,
} from './rollup-rows.ts'

/** Roll-up rows as the writer sees them. Every function runs inside the caller's transaction. */
export interface RollupTables {
  /** Newest instant in the stored days of the series, null when it has none. */
  newestAt(series: SeriesKeys): number | null
  /** Newest instant in the stored minutes of the hour, null when it has none. */
  newestInHour(hour: SeriesHour): number | null
  minute(series: SeriesKeys, startMs: number): PlacedBucket | null
  /** The minute as its raw rows say, empty when it has none; null when they cannot be read: then what is rolled up stays. */
  minuteFromRaw(series: SeriesKeys, startMs: number): Bucket | null
  /** Stores a minute with a revision of at least `rev` and above the stored one. */
  writeMinute(series: SeriesKeys, startMs: number, bucket: Bucket, rev: number): void
  /** Forgets a minute that has no rows any more. */
  dropMinute(series: SeriesKeys, startMs: number): void
  /**
   * Stores the quarters and the hour from each hour's minutes, then the days they touch from the quarters. An hour that brings
   * its quarters has none stored yet, and its minutes are not read.
   */
  writeHours(hours: readonly (SeriesHour & { quarters?: readonly PlacedBucket[] | null })[]): void
  pendingHours(): SeriesHour[]
  addPending(hour: SeriesHour): void
  dropPending(hour: SeriesHour): void
  /** The zone of the person's stored days, fixed here when there was none yet. */
  zoneOf(person: number): string
  setZone(person: number, zone: string): void
  /** Forgets zones learnt inside a transaction that did not commit. */
  forgetZones(): void
}

const columns = STATISTICS.join(', ')
const values = STATISTICS.map(() => '?').join(', ')
const updates = STATISTICS.map((name) => `${name} = excluded.${name}`).join(', ')

// Both are bound by position: a reading of a slow sensor writes a minute of its own, and twenty names cost more than the row.
const WRITE_MINUTE = `
  INSERT INTO rollup_minute (start, person, metric, device, ${columns}, rev)
  VALUES (?, ?, ?, ?, ${values}, ?)
  ON CONFLICT (start, person, metric, device) DO UPDATE SET ${updates}, rev = max(rollup_minute.rev + 1, excluded.rev)`

const WRITE_LEVEL = `
  INSERT INTO rollup (level, person, metric, start, device, ${columns}, rev)
  VALUES (?, ?, ?, ?, ?, ${values}, 1)
  ON CONFLICT (level, person, metric, start, device) DO UPDATE SET ${updates}, rev = rollup.rev + 1`

export const NEWEST_IN_HOUR = `
  WITH RECURSIVE minute (start) AS (
    SELECT :hour + 3540000 UNION ALL SELECT start - 60000 FROM minute WHERE start > :hour
  )
  SELECT r.last_at AS atMs
  FROM minute CROSS JOIN rollup_minute r
    ON r.start = minute.start AND r.person = :person AND r.metric = :metric AND r.device = :device
  ORDER BY minute.start DESC LIMIT 1`

const QUARTERS_BETWEEN = `
  SELECT start, device, rev, ${columns} FROM rollup
  WHERE level = ${QUARTERS} AND person = :person AND metric = :metric AND start >= :from AND start < :to AND device = :device
  ORDER BY start`

const QUARTERS_AN_HOUR = 4

export function createRollupTables(
  db: Database.Database,
  raw: Pick<RawValues, 'minutesFromValues' | 'minutesOfHour'>,
): RollupTables {
  const newest = db.prepare<SeriesKeys, { atMs: number }>(
    `SELECT last_at AS atMs FROM rollup
     WHERE level = ${DAYS} AND person = :person AND metric = :metric AND device = :device
     ORDER BY start DESC LIMIT 1`,
  )
  const newestInHour = db.prepare<SeriesHour, { atMs: number }>(NEWEST_IN_HOUR)
  const readMinute = db.prepare<SeriesKeys & { start: number }, BucketRow>(
    `SELECT start, device, rev, ${columns} FROM rollup_minute
     WHERE start = :start AND person = :person AND metric = :metric AND device = :device`,
  )
  const writeMinute = db.prepare<BucketValue[]>(WRITE_MINUTE)
  const writeLevel = db.prepare<BucketValue[]>(WRITE_LEVEL)
  const dropMinute = db.prepare<SeriesKeys & { start: number }>(
    `DELETE FROM rollup_minute WHERE start = :start AND person = :person AND metric = :metric AND device = :device`,
  )
  const dropLevel = db.prepare<SeriesKeys & { level: number; start: number }>(
    `DELETE FROM rollup
     WHERE level = :level AND person = :person AND metric = :metric AND start = :start AND device = :device`,
  )
  const quartersBetween = db.prepare<SeriesKeys & { from: number; to: number }, BucketRow>(QUARTERS_BETWEEN)
  const listPending = db.prepare<[], SeriesHour>(
    `SELECT person, metric, device, hour_start AS hour FROM rollup_pending ORDER BY hour_start, person, metric, device`,
  )
  const addPending = db.prepare<SeriesHour>(
    `INSERT INTO rollup_pending (person, metric, device, hour_start) VALUES (:person, :metric, :device, :hour)
     ON CONFLICT DO NOTHING`,
  )
  const dropPending = db.prepare<SeriesHour>(
    `DELETE FROM rollup_pending
     WHERE person = :person AND metric = :metric AND device = :device AND hour_start = :hour`,
  )
  const readZone = db.prepare<{ person: number }, { cut: string | null; own: string }>(
    `SELECT (SELECT zone FROM rollup_zone WHERE person = p.key) AS cut, p.timezone AS own FROM person p WHERE p.key = :person`,
  )
  const writeZone = db.prepare<{ person: number; zone: string }>(
    `INSERT INTO rollup_zone (person, zone) VALUES (:person, :zone) ON CONFLICT (person) DO UPDATE SET zone = excluded.zone`,
  )
  const zones = new Map<number, string>()

  function zoneOf(person: number): string {
    const known = zones.get(person)
    if (known !== undefined) return known
    const row = readZone.get({ person })
    const zone = row?.cut ?? row?.own ?? 'UTC'
    if (row?.cut === null) writeZone.run({ person, zone })
    if (zones.size >= 1000) zones.clear()
    zones.set(person, zone)
    return zone
  }

  function storeLevel(
    level: number,
    { person, metric, device }: SeriesKeys,
    startMs: number,
    bucket: Bucket,
  ) {
    writeLevel.run(level, person, metric, startMs, device, ...statisticValues(bucket))
  }

  function writeDay(series: SeriesKeys, day: { fromMs: number; toMs: number }): void {
    const quarters = quartersBetween.all({ ...keysOf(series), from: day.fromMs, to: day.toMs }).map(bucketOf)
    if (quarters.length === 0) {
      dropLevel.run({ ...keysOf(series), level: DAYS, start: day.fromMs })
      return
    }
    const bucket = mergeAll(quarters, quantumOf(series.metric).maxGapMs)
    storeLevel(DAYS, series, day.fromMs, bucket)
  }

  /** Drops stored quarters of the hour that have no rows any more; returns their starts. */
  function dropEmptyQuarters(hour: SeriesHour, made: readonly PlacedBucket[]): number[] {
    if (made.length === QUARTERS_AN_HOUR) return []
    const series = keysOf(hour)
    const kept = new Set(made.map(({ startMs }) => startMs))
    const stored = quartersBetween.all({ ...series, from: hour.hour, to: hour.hour + HOUR_MS })
    const gone = stored.map(({ start }) => start).filter((start) => !kept.has(start))
    for (const start of gone) dropLevel.run({ ...series, level: QUARTERS, start })
    return gone
  }

  /** Returns the starts of the quarters that changed. */
  function writeHour(hour: SeriesHour, known: readonly PlacedBucket[] | null): number[] {
    const series = keysOf(hour)
    const minutes = known ? [] : unlessDamaged(() => raw.minutesOfHour(hour))
    if (minutes === null) return []
    const quarters = known ?? quartersOf(minutes, hour.metric)
    const gone = known ? [] : dropEmptyQuarters(hour, quarters)
    if (quarters.length === 0) {
      dropLevel.run({ ...series, level: HOURS, start: hour.hour })
      return gone
    }
    for (const { startMs, bucket } of quarters) storeLevel(QUARTERS, series, startMs, bucket)
    const whole = mergeAll(
      quarters.map((quarter) => quarter.bucket),
      quantumOf(hour.metric).maxGapMs,
    )
    storeLevel(HOURS, series, hour.hour, whole)
    return [...gone, ...quarters.map(({ startMs }) => startMs)]
  }

  return {
    newestAt: (series) => newest.get(keysOf(series))?.atMs ?? null,
    newestInHour: (hour) => newestInHour.get({ ...keysOf(hour), hour: hour.hour })?.atMs ?? null,
    minute(series, startMs) {
      const row = readMinute.get({ ...keysOf(series), start: startMs })
      return row ? placed(row) : null
    },
    minuteFromRaw(series, startMs) {
      const window = { fromMs: startMs, toMs: startMs + MINUTE_MS }
      const minutes = unlessDamaged(() => raw.minutesFromValues(series, window))
      return minutes && (minutes[0]?.bucket ?? emptyBucket())
    },
    writeMinute(series, startMs, bucket, rev) {
      const { person, metric, device } = series
      writeMinute.run(startMs, person, metric, device, ...statisticValues(bucket), rev)
    },
    dropMinute: (series, startMs) => void dropMinute.run({ ...keysOf(series), start: startMs }),
    writeHours(hours) {
      const days = new Map<string, { series: SeriesKeys; fromMs: number; toMs: number }>()
      // Neighbouring quarters mostly share their day, and the calendar is slow to ask.
      let day = { zone: '', fromMs: 0, toMs: 0 }
      for (const hour of hours) {
        const zone = zoneOf(hour.person)
        for (const startMs of writeHour(hour, hour.quarters ?? null)) {
          if (day.zone !== zone || startMs < day.fromMs || startMs >= day.toMs)
            day = { zone, ...dayHolding(startMs, zone) }
          const { fromMs, toMs } = day
          days.set(`${seriesName(hour)}:${fromMs}`, { series: hour, fromMs, toMs })
        }
      }
      for (const { series, ...touched } of days.values()) writeDay(series, touched)
    },
    pendingHours: () => listPending.all(),
    addPending: (hour) => void addPending.run({ ...keysOf(hour), hour: hour.hour }),
    dropPending: (hour) => void dropPending.run({ ...keysOf(hour), hour: hour.hour }),
    zoneOf,
    setZone(person, zone) {
      writeZone.run({ person, zone })
      zones.delete(person)
    },
    forgetZones: () => zones.clear(),
  }
}

/** Null when a packed day cannot be read: one damaged day must not stop the commits of everybody. */
export function unlessDamaged<Result>(read: () => Result): Result | null {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof DamagedColumns) return null
    throw cause
  }
}

/** Quarter hours of consecutive minutes of one series. */
export function quartersOf(minutes: readonly PlacedBucket[], metric: number): PlacedBucket[] {
  const byStart = new Map<number, PlacedBucket[]>()
  for (const minute of minutes) {
    const startMs = startOf(minute.startMs, QUARTER_MS)
    const group = byStart.get(startMs)
    if (group) group.push(minute)
    else byStart.set(startMs, [minute])
  }
  const { maxGapMs } = quantumOf(metric)
  return [...byStart].map(([startMs, group]) => ({
    startMs,
    device: group[0]?.device ?? 0,
    rev: 0,
    bucket: mergeAll(
      group.map((minute) => minute.bucket),
      maxGapMs,
    ),
  }))
}

/** The local day that holds the instant. A zone this machine's calendar does not know counts as UTC: a day must have an end. */
export function dayHolding(atMs: number, zone: string): { fromMs: number; toMs: number } {
  const known = isZone(zone) ? zone : 'UTC'
  return dayBounds(localDay(atMs, known), known)
}

function keysOf({ person, metric, device }: SeriesKeys): SeriesKeys {
  return { person, metric, device }
}
