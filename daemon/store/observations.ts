import type { ChunkRow } from '../../models/series/chunk.ts'
import { METRICS, metricNamed } from '../domain/metric.ts'
import type { Observation, ObservationExtra, StoredObservation } from '../domain/observation.ts'
import { HubError } from '../kernel/errors.ts'
import { createLevels, HOURS_WITH_ROWS } from './levels.ts'
import type { OpenSeries } from './open-series.ts'
import type { Reader } from './reader.ts'
import { HOUR_MS, type SeriesHour, seriesName, startOf } from './rollup-rows.ts'
import { NEWEST_IN_HOUR } from './rollup-tables.ts'
import { between, createSealedDays, DAY_MS, instantOf, rowAt, type SealedDay } from './sealed-days.ts'
import type { Observations, Page, Range } from './store.ts'
import type { Writer } from './writer.ts'

const FACTS = `
  o.ts AS atMs, o.person, o.metric, o.value, o.quality, o.revision, o.extra, d.id AS deviceId, s.name AS source`

/** CROSS JOIN keeps SQLite on the time-first key instead of starting from a device. */
export const RAW_OF_HOUR = `
  SELECT ${FACTS}, o.device
  FROM observation o CROSS JOIN device d ON d.key = o.device CROSS JOIN source s ON s.key = o.source
  WHERE o.ts >= :from AND o.ts < :to AND o.person = :person AND o.metric = :metric AND (o.ts > :from OR o.device > :after)
  ORDER BY o.ts, o.device LIMIT :limit`

const ONE = `
  SELECT ${FACTS}
  FROM observation o CROSS JOIN device d ON d.key = o.device CROSS JOIN source s ON s.key = o.source
  WHERE o.ts = :at AND o.person = :person AND o.metric = :metric AND o.device = :device`

const REPLACED = `
  SELECT ${FACTS}
  FROM observation_revision o CROSS JOIN device d ON d.key = o.device CROSS JOIN source s ON s.key = o.source
  WHERE o.ts = :at AND o.person = :person AND o.metric = :metric AND o.device = :device
  ORDER BY o.revision`

/** Newest instant of each device in the newest stored day. */
export const NEWEST_DAY = `
  SELECT device, last_at AS atMs FROM rollup
  WHERE level = 1440 AND person = :person AND metric = :metric AND start = (
    SELECT max(start) FROM rollup WHERE level = 1440 AND person = :person AND metric = :metric
  )
  ORDER BY last_at DESC, device`

const PENDING = `
  SELECT person, metric, device, hour_start AS hour FROM rollup_pending WHERE person = :person ORDER BY metric, device`

interface RawRow {
  atMs: number
  value: number
  quality: number | null
  revision: number
  extra: string | null
  deviceId: string
  source: string
}

interface KeyedRow extends RawRow {
  device: number
}

interface WindowKeys {
  person: number
  metric: number
  from: number
  to: number
}

/** Where a newest value lies. */
interface Newest {
  device: number
  atMs: number
}

const HOURS_AT_ONCE = 64

/** Observations over the reader's connection, with what only the writer knows asked from it. */
export function createObservations(
  reader: Reader,
  writer: Pick<Writer, 'append' | 'open' | 'run'>,
): Observations {
  const sealed = createSealedDays(reader)
  const levels = createLevels(reader, sealed)

  function personKey(id: string): number | null {
    return reader.get<{ key: number }>('SELECT key FROM person WHERE id = :id', { id })?.key ?? null
  }

  function rowsOf(personId: string, metric: string, rows: readonly RawRow[]): StoredObservation[] {
    return rows.map(({ atMs, value, quality, revision, extra, deviceId, source }) => ({
      personId,
      deviceId,
      metric,
      atMs,
      value,
      source,
      quality,
      extra: extra === null ? null : parsedExtra(extra),
      revision,
    }))
  }

  function deviceId(key: number): string {
    return reader.get<{ id: string }>('SELECT id FROM device WHERE key = :key', { key })?.id ?? ''
  }

  /** The rows of a window of which the day is packed, for every device: those in the table lie over the packed ones. */
  function overPacked(days: readonly SealedDay[], keys: WindowKeys): KeyedRow[] {
    const packed = days.flatMap((day) => {
      const id = deviceId(day.device)
      return between(sealed.values(day), instantOf, { fromMs: keys.from, toMs: keys.to }).map((row) => ({
        ...row,
        device: day.device,
        deviceId: id,
      }))
    })
    const rows = reader.all<KeyedRow>(RAW_OF_HOUR, { ...keys, after: -1, limit: -1 })
    if (rows.length === 0 && days.length === 1) return packed
    const byKey = new Map<string, KeyedRow>(packed.map((row) => [`${row.atMs}:${row.device}`, row]))
    for (const row of rows) byKey.set(`${row.atMs}:${row.device}`, row)
    return [...byKey.values()].sort((a, b) => a.atMs - b.atMs || a.device - b.device)
  }

  function one(keys: { at: number; person: number; metric: number; device: number }): RawRow | undefined {
    const row = reader.get<RawRow>(ONE, keys)
    if (row) return row
    const day = sealed.one(keys, keys.at)
    const packed: ChunkRow | null = day && rowAt(sealed.values(day), keys.at)
    return packed ? { ...packed, deviceId: deviceId(keys.device) } : undefined
  }

  /** Reads rows in order until `enough`, hour by hour, so that a rare metric does not cost a walk over everybody's rows. */
  function collect(range: KeyedRange, enough: (rows: readonly KeyedRow[]) => boolean): RawRow[] {
    const { person, metric, fromMs, toMs, limit } = range
    const rows: KeyedRow[] = []
    const packedDays = new Map<number, SealedDay[]>()
    const packedOf = (hour: number): SealedDay[] => {
      const day = startOf(hour, DAY_MS)
      const known = packedDays.get(day) ?? sealed.ofMetric(person, metric, day)
      packedDays.set(day, known)
      return known
    }
    let hourFrom = startOf(fromMs, HOUR_MS)
    for (;;) {
      const params = { person, metric, from: hourFrom, to: toMs, limit: HOURS_AT_ONCE }
      const hours = reader.all<{ start: number }>(HOURS_WITH_ROWS, params)
      for (const { start } of hours) {
        const to = Math.min(toMs, start + HOUR_MS)
        const packed = packedOf(start)
        if (packed.length > 0) {
          rows.push(...overPacked(packed, { person, metric, from: Math.max(fromMs, start), to }))
          hourFrom = start + HOUR_MS
          if (enough(rows)) return rows
          continue
        }
        let cursor = { from: Math.max(fromMs, start), after: -1 }
        for (;;) {
          const chunk = reader.all<KeyedRow>(RAW_OF_HOUR, {
            person,
            metric,
            to,
            limit: limit + 1,
            ...cursor,
          })
          rows.push(...chunk)
          if (enough(rows)) return rows
          const last = chunk.at(-1)
          if (!last || chunk.length <= limit) break
          cursor = { from: last.atMs, after: last.device }
        }
        hourFrom = start + HOUR_MS
      }
      if (hours.length < HOURS_AT_ONCE) return rows
    }
  }

  function range({ personId, metric, fromMs, toMs, limit }: Range): Page<StoredObservation> {
    const person = personKey(personId)
    if (person === null) return { points: [], nextFromMs: null }
    const keys = { person, metric: keyOf(metric), fromMs, toMs, limit }
    const rows = reader.snapshot(() =>
      collect(keys, (found) => found.length > limit && found.at(-1)?.atMs !== found[limit - 1]?.atMs),
    )
    const lastMs = rows[limit - 1]?.atMs
    const end = lastMs === undefined ? -1 : rows.findIndex((row) => row.atMs > lastMs)
    return {
      points: rowsOf(personId, metric, end < 0 ? rows : rows.slice(0, end)),
      nextFromMs: rows[end]?.atMs ?? null,
    }
  }

  /** Newest instants of the person's series that neither the writer's memory nor the stored days know. */
  function waiting(person: number, open: readonly OpenSeries[]): (Newest & { metric: number })[] {
    const known = new Set(open.map(seriesName))
    return reader
      .all<SeriesHour>(PENDING, { person })
      .filter((hour) => !known.has(seriesName(hour)))
      .flatMap((hour) =>
        reader
          .all<{ atMs: number }>(NEWEST_IN_HOUR, { ...hour })
          .map(({ atMs }) => ({ metric: hour.metric, device: hour.device, atMs })),
      )
  }

  function newest(person: number, metric: number, unsettled: readonly Newest[]): RawRow | undefined {
    const stored = reader.all<Newest>(NEWEST_DAY, { person, metric })
    const candidates = [...unsettled, ...stored].sort((a, b) => b.atMs - a.atMs || a.device - b.device)
    for (const { atMs, device } of candidates) {
      const row = one({ at: atMs, person, metric, device })
      if (row) return row
    }
    return undefined
  }

  function latest(personId: string, person: number, open: readonly OpenSeries[]): StoredObservation[] {
    const unsettled = [
      ...open.map(({ metric, device, lastMs }) => ({ metric, device, atMs: lastMs })),
      ...waiting(person, open),
    ]
    return METRICS.flatMap(({ key, name }) => {
      const row = newest(
        person,
        key,
        unsettled.filter((one) => one.metric === key),
      )
      return row ? rowsOf(personId, name, [row]) : []
    })
  }

  return {
    append(batch) {
      const refusal = refusalOf(batch)
      return refusal ? Promise.reject(refusal) : writer.append(batch)
    },
    range: async (wanted) => range(wanted),
    async level({ personId, metric, ...window }) {
      const person = personKey(personId)
      if (person === null) return { points: [], nextFromMs: null }
      const key = keyOf(metric)
      // The writer first: what it stores after its answer, the rows show.
      const open = await writer.open(person, key)
      return reader.snapshot(() => levels.read({ person, metric: key, ...window }, open))
    },
    async latest(personId) {
      const person = personKey(personId)
      if (person === null) return []
      const open = await writer.open(person, null)
      return reader.snapshot(() => latest(personId, person, open))
    },
    async retract(keys) {
      for (const { metric } of keys) keyOf(metric)
      const results = await writer.run({ kind: 'retract', keys })
      return results.reduce((sum, { changes }) => sum + changes, 0)
    },
    async move(rows, byMs) {
      for (const { metric } of rows) keyOf(metric)
      const told = rows.map(({ extra, ...key }) => ({ ...key, extra: extra && JSON.stringify(extra) }))
      const results = await writer.run({ kind: 'move', rows: told, byMs })
      return results.reduce((sum, { changes }) => sum + changes, 0)
    },
    async history({ personId, deviceId, metric, atMs }) {
      const person = personKey(personId)
      const device = reader.get<{ key: number }>('SELECT key FROM device WHERE id = :id', {
        id: deviceId,
      })?.key
      if (person === null || device === undefined) return []
      const keys = { at: atMs, person, metric: keyOf(metric), device }
      return rowsOf(personId, metric, reader.all<RawRow>(REPLACED, keys))
    },
  }
}

interface KeyedRange {
  person: number
  metric: number
  fromMs: number
  toMs: number
  limit: number
}

function keyOf(metric: string): number {
  const found = metricNamed(metric)
  if (!found) throw new HubError('UNKNOWN_METRIC', `There is no metric ${metric}.`)
  return found.key
}

/** Rows that SQLite would refuse must not reach a commit that others share; null when all are fit. */
function refusalOf(rows: readonly Observation[]): HubError | null {
  for (const { metric, atMs, value, quality } of rows) {
    if (!metricNamed(metric)) return new HubError('UNKNOWN_METRIC', `There is no metric ${metric}.`)
    if (
      !Number.isSafeInteger(atMs) ||
      !Number.isFinite(value) ||
      (quality !== null && !Number.isFinite(quality))
    )
      return new HubError('VALIDATION_ERROR', `A value of ${metric} is not a number at a whole millisecond.`)
  }
  return null
}

function parsedExtra(json: string): ObservationExtra {
  // Written by the store itself from an ObservationExtra.
  return JSON.parse(json) as ObservationExtra
}
