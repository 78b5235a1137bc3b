import { type ChunkMinute, type ChunkRow, unpackMinutes, unpackRows } from '../../models/series/chunk.ts'
import type { Reader } from './reader.ts'
import { type SeriesKeys, startOf } from './rollup-rows.ts'

export const DAY_MS = 86_400_000

/** A packed day of a series. */
export interface SealedDay extends SeriesKeys {
  id: number
  /** Start of the UTC day. */
  day: number
  n: number
  /** False once its single values were let go. */
  holdsValues: boolean
  /** Whether its minutes are packed. */
  holdsMinutes: boolean
  /** Whether its minutes are rows; else they follow from the values or are packed. */
  minuteRows: boolean
}

/** Packed days as both connections read them. What was unpacked is remembered while it fits; `forget` it when a transaction was undone. */
export interface SealedDays {
  one(series: SeriesKeys, atMs: number): SealedDay | null
  /** The day of every device of a person's metric. */
  ofMetric(person: number, metric: number, atMs: number): SealedDay[]
  /** Ascending; none once they were let go. Throws DamagedColumns when the stored bytes changed. */
  values(day: SealedDay): readonly ChunkRow[]
  /** Packed minutes, ascending; none while they are rows or follow from the values. */
  minutes(day: SealedDay): readonly ChunkMinute[]
  forget(): void
}

const HEAD = `
  SELECT id, person, metric, device, day, n, chunk IS NOT NULL AS holdsValues, minutes IS NOT NULL AS holdsMinutes, minute_rows AS minuteRows FROM sealed_day
  WHERE person = :person AND metric = :metric AND day = :day`
export const SEALED_ONE = `${HEAD} AND device = :device`
export const SEALED_OF_METRIC = `${HEAD} ORDER BY device`

/** Rows kept unpacked; the day used longest ago leaves first. */
const KEPT_ROWS = 100_000

type Flags = 'holdsValues' | 'holdsMinutes' | 'minuteRows'
type Head = Omit<SealedDay, Flags> & Record<Flags, number>

export function createSealedDays(reader: Pick<Reader, 'all' | 'get'>): SealedDays {
  const unpacked = new Map<string, readonly (ChunkRow | ChunkMinute)[]>()
  let kept = 0

  function remembered<Row extends ChunkRow | ChunkMinute>(name: string, unpack: () => readonly Row[]) {
    // Under one name always lies what the same function unpacked.
    const rows = (unpacked.get(name) as readonly Row[] | undefined) ?? unpack()
    if (unpacked.delete(name)) kept -= rows.length
    unpacked.set(name, rows)
    kept += rows.length
    for (const [oldest, { length }] of unpacked) {
      if (kept <= KEPT_ROWS || oldest === name) break
      unpacked.delete(oldest)
      kept -= length
    }
    return rows
  }

  function blob(column: 'chunk' | 'minutes', id: number): Uint8Array | null {
    const sql = `SELECT ${column} AS bytes FROM sealed_day WHERE id = :id`
    return reader.get<{ bytes: Uint8Array | null }>(sql, { id })?.bytes ?? null
  }

  return {
    one({ person, metric, device }, atMs) {
      const head = reader.get<Head>(SEALED_ONE, { person, metric, device, day: startOf(atMs, DAY_MS) })
      return head ? dayOf(head) : null
    },
    ofMetric: (person, metric, atMs) =>
      reader.all<Head>(SEALED_OF_METRIC, { person, metric, day: startOf(atMs, DAY_MS) }).map(dayOf),
    values: ({ id, holdsValues }) =>
      holdsValues
        ? remembered(`values ${id}`, () => {
            const bytes = blob('chunk', id)
            return bytes === null ? [] : unpackRows(bytes)
          })
        : [],
    minutes: ({ id, holdsMinutes }) =>
      holdsMinutes
        ? remembered(`minutes ${id}`, () => {
            const bytes = blob('minutes', id)
            return bytes === null ? [] : unpackMinutes(bytes)
          })
        : [],
    forget() {
      unpacked.clear()
      kept = 0
    },
  }
}

function dayOf({ holdsValues, holdsMinutes, minuteRows, ...head }: Head): SealedDay {
  return {
    ...head,
    holdsValues: holdsValues === 1,
    holdsMinutes: holdsMinutes === 1,
    minuteRows: minuteRows === 1,
  }
}

/** The rows in `[fromMs, toMs)` of ascending ones. */
export function between<Row>(
  rows: readonly Row[],
  instant: (row: Row) => number,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Row[] {
  return rows.slice(lowerBound(rows, instant, fromMs), lowerBound(rows, instant, toMs))
}

/** Position of the first row not before the instant. */
function lowerBound<Row>(rows: readonly Row[], instant: (row: Row) => number, atMs: number): number {
  let [low, high] = [0, rows.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const row = rows[middle]
    if (row !== undefined && instant(row) < atMs) low = middle + 1
    else high = middle
  }
  return low
}

/** The packed row of an instant. */
export function rowAt(rows: readonly ChunkRow[], atMs: number): ChunkRow | null {
  const row = rows[lowerBound(rows, instantOf, atMs)]
  return row?.atMs === atMs ? row : null
}

export function instantOf({ atMs }: { atMs: number }): number {
  return atMs
}

/** Packed rows with the newer ones of the same instants over them; both and the result ascend, each instant once. */
export function overlaid<Row extends { atMs: number }>(packed: readonly Row[], newer: readonly Row[]): Row[] {
  if (packed.length === 0) return [...newer]
  if (newer.length === 0) return [...packed]
  const all: Row[] = []
  let at = 0
  for (const row of newer) {
    for (let old = packed[at]; old !== undefined && old.atMs <= row.atMs; old = packed[++at])
      if (old.atMs < row.atMs) all.push(old)
    all.push(row)
  }
  return all.concat(packed.slice(at))
}
