import type Database from 'better-sqlite3'
import { type ChunkRow, packRows } from '../../models/series/chunk.ts'
import { type SeriesKeys, seriesName, startOf } from './rollup-rows.ts'
import { unlessDamaged } from './rollup-tables.ts'
import { DAY_MS, rowAt, type SealedDay, type SealedDays } from './sealed-days.ts'

/** What a packed day says about an instant: nothing, its row, or that the day takes nothing any more. */
export type Packed = { kind: 'none' } | { kind: 'row'; row: ChunkRow } | { kind: 'closed' }

/** Packed days as the writer works on them. Every function runs inside the caller's transaction. */
export interface LateRows {
  /** No day that begins here or later is packed. */
  readonly horizonMs: number
  lookUp(series: SeriesKeys, atMs: number): Packed
  /** Takes the row of an instant out of its day; nothing happens when there is none. */
  takeOut(series: SeriesKeys, atMs: number): void
  /** Stores a day in place of the one that was packed before; `chunk` when its rows were packed already. */
  store(series: SeriesKeys, dayMs: number, rows: readonly ChunkRow[], chunk?: Uint8Array): void
  /** Packed days changed by another hand, or what was done here is undone. */
  forget(): void
}

/** Days of series whose head is remembered: a file of old values asks for the same ones row after row. */
const KEPT_HEADS = 4096

export function createLateRows(db: Database.Database, sealed: SealedDays): LateRows {
  const newest = db.prepare<[], { day: number | null }>('SELECT max(day) AS day FROM sealed_day')
  const write = db.prepare<
    SeriesKeys & {
      day: number
      n: number
      min: number | null
      max: number | null
      chunk: Uint8Array
      minuteRows: number
    }
  >(
    `INSERT OR REPLACE INTO sealed_day (person, metric, device, day, n, min, max, chunk, minute_rows)
     VALUES (:person, :metric, :device, :day, :n, :min, :max, :chunk, :minuteRows)`,
  )
  const heads = new Map<string, SealedDay | null>()
  let horizonMs = horizon()

  function horizon(): number {
    const day = newest.get()?.day ?? null
    return day === null ? Number.NEGATIVE_INFINITY : day + DAY_MS
  }

  function head(series: SeriesKeys, atMs: number): SealedDay | null {
    const name = `${seriesName(series)}:${startOf(atMs, DAY_MS)}`
    const known = heads.get(name)
    if (known !== undefined) return known
    const found = sealed.one(series, atMs)
    if (heads.size >= KEPT_HEADS) heads.clear()
    heads.set(name, found)
    return found
  }

  /** A day that cannot be read must not stop the commits of everybody: its late rows become rows. */
  function readable(day: SealedDay): readonly ChunkRow[] {
    return unlessDamaged(() => sealed.values(day)) ?? []
  }

  function store(
    { person, metric, device }: SeriesKeys,
    day: number,
    rows: readonly ChunkRow[],
    chunk = packRows(rows),
  ): void {
    const series = { person, metric, device }
    const minuteRows = sealed.one(series, day)?.minuteRows === false ? 0 : 1
    let min: number | null = null
    let max: number | null = null
    for (const { value } of rows) {
      min = Math.min(min ?? value, value)
      max = Math.max(max ?? value, value)
    }
    write.run({ ...series, day, n: rows.length, min, max, chunk, minuteRows })
    heads.delete(`${seriesName(series)}:${day}`)
    horizonMs = Math.max(horizonMs, day + DAY_MS)
  }

  return {
    get horizonMs() {
      return horizonMs
    },
    lookUp(series, atMs) {
      const day = head(series, atMs)
      if (day === null) return { kind: 'none' }
      if (!day.holdsValues) return { kind: 'closed' }
      const row = rowAt(readable(day), atMs)
      return row === null ? { kind: 'none' } : { kind: 'row', row }
    },
    takeOut(series, atMs) {
      const day = head(series, atMs)
      if (day === null) return
      const rows = readable(day)
      if (rowAt(rows, atMs) === null) return
      store(
        series,
        day.day,
        rows.filter((row) => row.atMs !== atMs),
      )
    },
    store,
    forget() {
      heads.clear()
      sealed.forget()
      horizonMs = horizon()
    },
  }
}
