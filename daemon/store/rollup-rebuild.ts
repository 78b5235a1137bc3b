import type Database from 'better-sqlite3'
import { addSample, type Bucket, emptyBucket, mergeInto } from '../../models/series/rollup.ts'
import type { RawValues } from './raw-values.ts'
import {
  type BucketRow,
  bucketOf,
  DAYS,
  HOUR_MS,
  MINUTE_MS,
  QUARTERS,
  quantumOf,
  type SeriesHour,
  type SeriesKeys,
  STATISTICS,
  scaledValue,
  seriesName,
  startOf,
  statisticsOf,
} from './rollup-rows.ts'
import { dayHolding, type RollupTables, unlessDamaged } from './rollup-tables.ts'

/** Roll-ups made anew from what lies below them: after a crash, and when a person's days move to another time zone. */
export interface RollupRebuild {
  /** Finishes every hour that was open when the program ended, one transaction an hour. Returns how many there were. */
  recover(): number
  /** Cuts the person's days anew in the zone of their profile, inside the caller's transaction. */
  rezone(person: number): void
  /** Persons whose stored days were cut in another zone than their profile names. */
  strayed(): number[]
}

const COLUMNS = STATISTICS.join(', ')

export function createRollupRebuild(
  db: Database.Database,
  tables: RollupTables,
  raw: Pick<RawValues, 'minutesFromValues'>,
  isPacked: (hour: SeriesHour) => boolean,
): RollupRebuild {
  const newestMinutes = db.prepare<{ from: number; to: number }, SeriesKeys & { start: number }>(
    `SELECT person, metric, device, max(start) AS start FROM rollup_minute
     WHERE start >= :from AND start < :to GROUP BY person, metric, device`,
  )
  const rows = db.prepare<{ from: number; to: number }, SeriesKeys & { ts: number; value: number }>(
    `SELECT ts, person, metric, device, value FROM observation WHERE ts >= :from AND ts < :to
     ORDER BY ts, person, metric, device`,
  )
  const dayRevision = db.prepare<{ person: number }, { rev: number | null }>(
    `SELECT max(rev) AS rev FROM rollup WHERE level = ${DAYS} AND person = :person`,
  )
  const dropDays = db.prepare<{ person: number }>(
    `DELETE FROM rollup WHERE level = ${DAYS} AND person = :person`,
  )
  const metrics = db.prepare<{ person: number }, { metric: number }>(
    `SELECT DISTINCT metric FROM rollup WHERE level = ${QUARTERS} AND person = :person ORDER BY metric`,
  )
  const quarters = db.prepare<{ person: number; metric: number }, BucketRow>(
    `SELECT start, device, rev, ${COLUMNS} FROM rollup WHERE level = ${QUARTERS} AND person = :person AND metric = :metric
     ORDER BY start, device`,
  )
  const writeDay = db.prepare<SeriesKeys & ReturnType<typeof statisticsOf> & { start: number; rev: number }>(
    `INSERT INTO rollup (level, person, metric, start, device, ${COLUMNS}, rev)
     VALUES (${DAYS}, :person, :metric, :start, :device, ${STATISTICS.map((name) => `:${name}`).join(', ')}, :rev)`,
  )
  const profileZone = db.prepare<{ person: number }, { zone: string }>(
    `SELECT timezone AS zone FROM person WHERE key = :person`,
  )
  const strayed = db.prepare<[], { person: number }>(
    `SELECT z.person FROM rollup_zone z JOIN person p ON p.key = z.person WHERE p.timezone <> z.zone ORDER BY z.person`,
  )

  /**
   * Makes the missing minutes of one hour. Stored minutes are whole except a series' newest one, so each series is read again
   * from there.
   */
  function remakeMinutes(hour: number, pending: readonly SeriesHour[]): void {
    const from = new Map(pending.map((series) => [seriesName(series), hour]))
    for (const row of newestMinutes.all({ from: hour, to: hour + HOUR_MS })) {
      if (from.has(seriesName(row))) from.set(seriesName(row), row.start)
    }
    const made = new Map<string, { series: SeriesKeys; startMs: number; bucket: Bucket }>()
    // Iterated, not fetched: an hour under load holds more rows than memory should.
    for (const row of rows.iterate({ from: Math.min(...from.values()), to: hour + HOUR_MS })) {
      const name = seriesName(row)
      const since = from.get(name)
      if (since === undefined || row.ts < since) continue
      const startMs = startOf(row.ts, MINUTE_MS)
      let minute = made.get(`${name}:${startMs}`)
      if (!minute) {
        minute = { series: row, startMs, bucket: emptyBucket() }
        made.set(`${name}:${startMs}`, minute)
      }
      addSample(minute.bucket, row.ts, scaledValue(row.metric, row.value), quantumOf(row.metric))
    }
    for (const { series, startMs, bucket } of made.values()) tables.writeMinute(series, startMs, bucket, 1)
  }

  /** Late rows of a packed day: its values lie in two places, and there are few such hours. */
  function remakePacked(series: SeriesHour): void {
    const window = { fromMs: series.hour, toMs: series.hour + HOUR_MS }
    for (const { startMs, bucket } of unlessDamaged(() => raw.minutesFromValues(series, window)) ?? [])
      tables.writeMinute(series, startMs, bucket, 1)
  }

  function recoverHour(hour: number, pending: readonly SeriesHour[]): void {
    const packed = pending.filter(isPacked)
    for (const series of packed) remakePacked(series)
    if (packed.length < pending.length)
      remakeMinutes(
        hour,
        pending.filter((series) => !packed.includes(series)),
      )
    tables.writeHours(pending)
    for (const series of pending) tables.dropPending(series)
  }

  function rezoneMetric(person: number, metric: number, zone: string, rev: number): void {
    const { maxGapMs } = quantumOf(metric)
    const days: { device: number; startMs: number; bucket: Bucket }[] = []
    const current = new Map<number, { startMs: number; bucket: Bucket }>()
    for (const row of quarters.iterate({ person, metric })) {
      const startMs = dayHolding(row.start, zone).fromMs
      let day = current.get(row.device)
      if (day?.startMs !== startMs) {
        day = { startMs, bucket: emptyBucket() }
        current.set(row.device, day)
        days.push({ device: row.device, ...day })
      }
      mergeInto(day.bucket, bucketOf(row), maxGapMs)
    }
    for (const { device, startMs, bucket } of days)
      writeDay.run({ person, metric, device, start: startMs, rev, ...statisticsOf(bucket) })
  }

  return {
    recover() {
      const byHour = new Map<number, SeriesHour[]>()
      for (const pending of tables.pendingHours()) {
        const group = byHour.get(pending.hour)
        if (group) group.push(pending)
        else byHour.set(pending.hour, [pending])
      }
      let count = 0
      for (const [hour, pending] of byHour) {
        db.transaction(() => recoverHour(hour, pending)).immediate()
        count += pending.length
      }
      return count
    },
    rezone(person) {
      const zone = profileZone.get({ person })?.zone
      if (zone === undefined) return
      const rev = (dayRevision.get({ person })?.rev ?? 0) + 1
      tables.setZone(person, zone)
      dropDays.run({ person })
      for (const { metric } of metrics.all({ person })) rezoneMetric(person, metric, zone, rev)
    },
    strayed: () => strayed.all().map((row) => row.person),
  }
}
