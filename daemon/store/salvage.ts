import Database from 'better-sqlite3'
import { unpackRows } from '../../models/series/chunk.ts'
import { METRICS } from '../domain/metric.ts'
import type { Observation, ObservationExtra } from '../domain/observation.ts'
import { messageOf } from '../kernel/errors.ts'
import { DAY_MS } from './sealed-days.ts'

export interface Salvage {
  /** Rows that could be read and were offered to the store; those it already had count as well. */
  read: number
  /** Hours of which at least one row could not be read. */
  lostHours: number
}

export interface SalvageDeps {
  damagedPath: string
  /** Rows from this instant on: what the snapshot cannot have. */
  fromMs: number
  toMs: number
  append(batch: readonly Observation[]): Promise<unknown>
}

const HOUR_MS = 3_600_000
/** Far below what the writer's queue takes, so that devices are not turned away meanwhile. */
const ROWS_AT_ONCE = 2000

const ROWS = `
  SELECT o.ts AS atMs, o.metric, o.value, o.quality, o.extra, p.id AS personId, d.id AS deviceId, s.name AS source
  FROM observation o JOIN person p ON p.key = o.person JOIN device d ON d.key = o.device JOIN source s ON s.key = o.source
  WHERE o.ts >= :from AND o.ts < :to ORDER BY o.ts, o.person, o.metric, o.device LIMIT :limit OFFSET :offset`

const PACKED = `
  SELECT z.day, z.chunk, z.metric, p.id AS personId, d.id AS deviceId
  FROM sealed_day z JOIN person p ON p.key = z.person JOIN device d ON d.key = z.device
  WHERE z.day > :fromMs - :dayMs AND z.day < :toMs AND z.chunk IS NOT NULL ORDER BY z.day, z.id`

interface PackedDay {
  day: number
  chunk: Uint8Array
  metric: number
  personId: string
  deviceId: string
}

interface Row extends Omit<Observation, 'metric' | 'extra'> {
  metric: number
  extra: string | null
}

/**
 * Reads what a damaged database still gives of the time after its snapshot, hour by hour, and hands it to the store, which
 * knows what it has already. An hour that cannot be read is passed over and counted, as are the rows of persons who are not in the
 * snapshot: the store refuses those.
 */
export async function salvageObservations({
  damagedPath,
  fromMs,
  toMs,
  append,
}: SalvageDeps): Promise<Salvage> {
  const result: Salvage = { read: 0, lostHours: 0 }
  let damaged: Database.Database
  try {
    damaged = new Database(damagedPath, { readonly: true, fileMustExist: true })
  } catch {
    return { ...result, lostHours: Math.ceil((toMs - fromMs) / HOUR_MS) }
  }
  try {
    for (let from = fromMs; from < toMs; from += HOUR_MS) {
      const read = await salvageHour(damaged, { from, to: Math.min(toMs, from + HOUR_MS) }, append)
      result.read += read.rows
      if (read.failed !== null) result.lostHours += 1
    }
    await salvagePacked(damaged, { fromMs, toMs }, append, result)
  } finally {
    damaged.close()
  }
  return result
}

async function salvageHour(
  damaged: Database.Database,
  hour: { from: number; to: number },
  append: SalvageDeps['append'],
): Promise<{ rows: number; failed: string | null }> {
  let rows = 0
  let failed: string | null = null
  const remember = (cause: unknown) => {
    failed = messageOf(cause)
  }
  try {
    const read = damaged.prepare<object, Row>(ROWS)
    for (;;) {
      const found = read.all({ ...hour, limit: ROWS_AT_ONCE, offset: rows })
      for (const rowsOfOne of byPerson(found)) await append(rowsOfOne).catch(remember)
      rows += found.length
      if (found.length < ROWS_AT_ONCE) return { rows, failed }
    }
  } catch (cause) {
    return { rows, failed: messageOf(cause) }
  }
}

/** Days that were packed already. One that cannot be read counts with the hours of it that were wanted. */
async function salvagePacked(
  damaged: Database.Database,
  window: { fromMs: number; toMs: number },
  append: SalvageDeps['append'],
  result: Salvage,
): Promise<void> {
  let days: PackedDay[]
  try {
    days = damaged.prepare<object, PackedDay>(PACKED).all({ ...window, dayMs: DAY_MS })
  } catch {
    // A database from before days were packed, or the list itself is gone: then the hours tell.
    return
  }
  for (const { day, chunk, metric, personId, deviceId } of days) {
    try {
      const rows = unpackRows(chunk)
        .filter(({ atMs }) => atMs >= window.fromMs && atMs < window.toMs)
        .flatMap((row) => observationOf({ ...row, metric, personId, deviceId }))
      for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) await append(rows.slice(at, at + ROWS_AT_ONCE))
      result.read += rows.length
    } catch {
      result.lostHours += Math.ceil(
        (Math.min(day + DAY_MS, window.toMs) - Math.max(day, window.fromMs)) / HOUR_MS,
      )
    }
  }
}

/** One person a batch, because one whom the store does not know must not cost the others theirs. */
function byPerson(rows: readonly Row[]): Observation[][] {
  const batches = new Map<string, Observation[]>()
  for (const row of rows.flatMap(observationOf)) {
    const batch = batches.get(row.personId)
    if (batch) batch.push(row)
    else batches.set(row.personId, [row])
  }
  return [...batches.values()]
}

const METRIC_NAMES = new Map(METRICS.map(({ key, name }) => [key, name]))

function observationOf({
  metric,
  extra,
  atMs,
  value,
  source,
  quality,
  personId,
  deviceId,
}: Row): Observation[] {
  const row = { atMs, value, source, quality, personId, deviceId }
  const name = METRIC_NAMES.get(metric)
  if (name === undefined) return []
  // Written by the store itself from an ObservationExtra.
  return [{ ...row, metric: name, extra: extra === null ? null : (JSON.parse(extra) as ObservationExtra) }]
}
