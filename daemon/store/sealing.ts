import type Database from 'better-sqlite3'
import { CHUNK_ROWS, type ChunkRow, packingRows } from '../../models/series/chunk.ts'
import type { LateRows } from './late-rows.ts'
import { type SeriesKeys, seriesName, startOf } from './rollup-rows.ts'
import { unlessDamaged } from './rollup-tables.ts'
import type { SealWatch } from './seal-watch.ts'
import { DAY_MS, overlaid, type SealedDays } from './sealed-days.ts'
import type { Sealed } from './upkeep-order.ts'

/**
 * Packs days that are over, step by step, oldest first. Between two steps other commits may come and the program may end at any of them: a
 * packed day counts from the moment it is stored, the rows it was made of lie over it until they go, and what changed meanwhile stays a row.
 */
export interface Sealing {
  /** Each `next()` is one short step; ends when nothing more can be packed. */
  seal(nowMs: number): Generator<void, Sealed>
}

export interface SealingDeps {
  db: Database.Database
  sealed: SealedDays
  late: LateRows
  watch: SealWatch
}

/** A day is packed when it ended this long ago: until then late values are common. */
export const SEAL_AFTER_MS = 2 * DAY_MS
/** Rows read or deleted in one step: some two milliseconds, so that a commit which comes meanwhile does not feel it. */
const STEP_ROWS = 400
/** Rows of one day in memory at a time; further series of the day wait for the next round. */
const ROUND_ROWS = 100_000

interface HotRow extends ChunkRow, SeriesKeys {}

/** The rows of a series in the day that is being packed. */
interface Gathered {
  keys: SeriesKeys
  rows: ChunkRow[]
}

const NEXT_ROWS = `
  SELECT o.ts AS atMs, o.person, o.metric, o.device, o.value, o.quality, o.revision, o.extra, s.name AS source
  FROM observation o CROSS JOIN source s ON s.key = o.source
  WHERE (o.ts, o.person, o.metric, o.device) > (:atMs, :person, :metric, :device) AND o.ts < :toMs
  ORDER BY o.ts, o.person, o.metric, o.device LIMIT ${STEP_ROWS}`

export function createSealing({ db, sealed, late, watch }: SealingDeps): Sealing {
  const oldest = db.prepare<{ fromMs: number }, { atMs: number | null }>(
    'SELECT min(ts) AS atMs FROM observation WHERE ts >= :fromMs',
  )
  const nextRows = db.prepare<SeriesKeys & { atMs: number; toMs: number }, HotRow>(NEXT_ROWS)
  const pending = db.prepare<SeriesKeys & { fromMs: number; toMs: number }, { hour: number }>(
    `SELECT hour_start AS hour FROM rollup_pending
     WHERE person = :person AND metric = :metric AND device = :device AND hour_start >= :fromMs AND hour_start < :toMs LIMIT 1`,
  )
  const stepEnd = db.prepare<{ fromMs: number; toMs: number }, { atMs: number }>(
    `SELECT ts AS atMs FROM observation WHERE ts >= :fromMs AND ts < :toMs ORDER BY ts LIMIT 1 OFFSET ${STEP_ROWS}`,
  )
  const seriesIn = db.prepare<{ fromMs: number; toMs: number }, SeriesKeys>(
    'SELECT DISTINCT person, metric, device FROM observation WHERE ts >= :fromMs AND ts < :toMs',
  )
  const dropAll = db.prepare<{ fromMs: number; toMs: number }>(
    'DELETE FROM observation WHERE ts >= :fromMs AND ts < :toMs',
  )
  const dropSeries = db.prepare<SeriesKeys & { fromMs: number; toMs: number }>(
    `DELETE FROM observation
     WHERE ts >= :fromMs AND ts < :toMs AND person = :person AND metric = :metric AND device = :device`,
  )
  const bytesOf = db.prepare<SeriesKeys & { day: number }, { bytes: number }>(
    `SELECT length(chunk) AS bytes FROM sealed_day
     WHERE person = :person AND metric = :metric AND device = :device AND day = :day`,
  )

  /** The day's rows by series, as many series as fit; `waiting` when some did not. */
  function* gather(
    day: number,
    handled: ReadonlySet<string>,
  ): Generator<void, { found: Map<string, Gathered>; waiting: boolean }> {
    const found = new Map<string, Gathered>()
    const waiting = new Set<string>()
    let count = 0
    let cursor = { atMs: day, person: -1, metric: -1, device: -1 }
    for (;;) {
      const rows = nextRows.all({ ...cursor, toMs: day + DAY_MS })
      for (const { person, metric, device, ...row } of rows) {
        const keys = { person, metric, device }
        const name = seriesName(keys)
        if (handled.has(name) || waiting.has(name)) continue
        const known = found.get(name)
        if (known) known.rows.push(row)
        else found.set(name, { keys, rows: [row] })
        count += 1
      }
      while (count > ROUND_ROWS && found.size > 1) {
        const [name = '', { rows: dropped } = { rows: [] }] = [...found].at(-1) ?? []
        found.delete(name)
        waiting.add(name)
        count -= dropped.length
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < STEP_ROWS) return { found, waiting: waiting.size > 0 }
      cursor = { atMs: last.atMs, person: last.person, metric: last.metric, device: last.device }
      yield
    }
  }

  /** What changed since it was read, or is not rolled up yet, stays rows. */
  function isLeft(day: number, keys: SeriesKeys): boolean {
    if (watch.isTouched(seriesName(keys))) return true
    return pending.get({ ...keys, fromMs: day, toMs: day + DAY_MS }) !== undefined
  }

  /** Whether the series is packed now. */
  function* packOne(day: number, { keys, rows }: Gathered): Generator<void, boolean> {
    if (isLeft(day, keys)) return false
    const known = sealed.one(keys, day)
    if (known !== null && !known.holdsValues) return false
    // What cannot be read is not written over: its late rows stay rows.
    const before = known ? unlessDamaged(() => sealed.values(known)) : []
    if (before === null) return false
    if (before.length > STEP_ROWS) yield
    const whole = overlaid(before, rows)
    if (whole.length > CHUNK_ROWS) return false
    const chunk = yield* packingRows(whole)
    if (isLeft(day, keys)) return false
    db.transaction(() => late.store(keys, day, whole, chunk)).immediate()
    return true
  }

  /** Deletes what is packed, all series together: rows of one time share their pages. */
  function* clear(day: number, packed: ReadonlyMap<string, Gathered>): Generator<void> {
    for (let fromMs = day; fromMs < day + DAY_MS; ) {
      const end = stepEnd.get({ fromMs, toMs: day + DAY_MS })?.atMs ?? day + DAY_MS
      const window = { fromMs, toMs: Math.max(end, fromMs + 1) }
      const here = seriesIn.all(window)
      const gone = here.filter((keys) => packed.has(seriesName(keys)) && !watch.isTouched(seriesName(keys)))
      db.transaction(() => {
        if (gone.length === here.length) dropAll.run(window)
        else for (const keys of gone) dropSeries.run({ ...keys, ...window })
      }).immediate()
      fromMs = window.toMs
      yield
    }
  }

  function* sealDay(day: number, done: Sealed): Generator<void> {
    const handled = new Set<string>()
    for (;;) {
      watch.begin(day)
      const { found, waiting } = yield* gather(day, handled)
      const packed = new Map<string, Gathered>()
      for (const [name, gathered] of found) {
        handled.add(name)
        if (yield* packOne(day, gathered)) {
          packed.set(name, gathered)
          done.rows += gathered.rows.length
          done.bytes += bytesOf.get({ ...gathered.keys, day })?.bytes ?? 0
        } else done.left += 1
        // Only the name is needed from here on.
        gathered.rows = []
        yield
      }
      if (packed.size > 0) yield* clear(day, packed)
      watch.end()
      if (!waiting) return
    }
  }

  return {
    *seal(nowMs) {
      const done: Sealed = { days: 0, rows: 0, bytes: 0, left: 0 }
      let fromMs = Number.MIN_SAFE_INTEGER
      for (;;) {
        const atMs = oldest.get({ fromMs })?.atMs ?? null
        if (atMs === null) return done
        const day = startOf(atMs, DAY_MS)
        if (day + DAY_MS + SEAL_AFTER_MS > nowMs) return done
        yield* sealDay(day, done)
        done.days += 1
        fromMs = day + DAY_MS
      }
    },
  }
}
