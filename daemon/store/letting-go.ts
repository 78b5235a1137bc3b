import type Database from 'better-sqlite3'
import { type ChunkMinute, packMinutes } from '../../models/series/chunk.ts'
import { METRICS } from '../domain/metric.ts'
import { type RetentionLimits, rawDays } from '../domain/retention.ts'
import type { LateRows } from './late-rows.ts'
import type { RawValues } from './raw-values.ts'
import { HOUR_MS, type SeriesKeys, startOf } from './rollup-rows.ts'
import { unlessDamaged } from './rollup-tables.ts'
import { DAY_MS, type SealedDays } from './sealed-days.ts'
import type { LetGo } from './upkeep-order.ts'

/** Lets go what is older than its limit: minutes as rows, single values, minutes at all. Hours and days stay. */
export interface LettingGo {
  /** Each `next()` is one short step; between two of them the program may end. Only packed days are touched. */
  letGo(limits: RetentionLimits, nowMs: number): Generator<void, LetGo>
}

export interface LettingGoDeps {
  db: Database.Database
  sealed: SealedDays
  late: LateRows
  raw: RawValues
}

const STEP_DAYS = 50
/** Minutes of all series that one step deletes. */
const STEP_MINUTES_MS = 10 * 60_000
/** Of days with more values than this one step reads some hours. */
const STEP_VALUES = 5000
const STEP_VALUES_MS = 4 * HOUR_MS
/** A clock that is wrong by years must not cost years: one round goes on by so much at most from where the last one was. */
const ADVANCE_MS = 2 * DAY_MS
const REVISIONS_STEP = 500

interface Day extends SeriesKeys {
  id: number
  day: number
  n: number
}

const KEYS = 'id, person, metric, device, day, n'
const SAME_SERIES = 's.person = r.person AND s.metric = r.metric AND s.device = r.device'

export function createLettingGo({ db, sealed, late, raw }: LettingGoDeps): LettingGo {
  const lastRound = db.prepare<[], { at: string }>(`SELECT value AS at FROM meta WHERE name = 'let_go_at'`)
  const noteRound = db.prepare<{ value: string }>(
    `INSERT INTO meta (name, value) VALUES ('let_go_at', :value) ON CONFLICT (name) DO UPDATE SET value = :value`,
  )
  const withMinuteRows = db.prepare<{ beforeMs: number }, { day: number }>(
    'SELECT DISTINCT day FROM sealed_day WHERE day < :beforeMs AND minute_rows = 1 ORDER BY day',
  )
  const unmark = db.prepare<{ day: number }>(
    'UPDATE sealed_day SET minute_rows = 0 WHERE day = :day AND minute_rows = 1',
  )
  const oldestMinute = db.prepare<{ fromMs: number }, { start: number | null }>(
    'SELECT min(start) AS start FROM rollup_minute WHERE start >= :fromMs',
  )
  const dropMinutes = db.prepare<{ fromMs: number; toMs: number; day: number }>(
    `DELETE FROM rollup_minute AS r WHERE r.start >= :fromMs AND r.start < :toMs AND EXISTS (
       SELECT 1 FROM sealed_day s WHERE ${SAME_SERIES} AND s.day = :day AND s.minute_rows = 0)`,
  )
  const withValues = db.prepare<{ metric: number; beforeMs: number }, Day>(
    `SELECT ${KEYS} FROM sealed_day
     WHERE metric = :metric AND day < :beforeMs AND chunk IS NOT NULL ORDER BY day, id`,
  )
  const isBusy = db.prepare<SeriesKeys & { fromMs: number; toMs: number }, { one: number }>(
    `SELECT 1 AS one FROM observation
       WHERE ts >= :fromMs AND ts < :toMs AND person = :person AND metric = :metric AND device = :device
     UNION ALL
     SELECT 1 FROM rollup_pending WHERE person = :person AND metric = :metric AND device = :device
       AND hour_start >= :fromMs AND hour_start < :toMs
     LIMIT 1`,
  )
  const dropValues = db.prepare<{ id: number; minutes: Uint8Array }>(
    'UPDATE sealed_day SET chunk = NULL, minutes = :minutes, minute_rows = 0 WHERE id = :id',
  )
  const dropRevisions = db.prepare<{ metric: number; beforeMs: number }>(
    `DELETE FROM observation_revision WHERE (ts, person, metric, device, revision) IN (
       SELECT ts, person, metric, device, revision FROM observation_revision
       WHERE metric = :metric AND ts < :beforeMs LIMIT ${REVISIONS_STEP})`,
  )
  const dropPacked = db.prepare<{ beforeMs: number }>(
    `UPDATE sealed_day SET minutes = NULL WHERE id IN (
       SELECT id FROM sealed_day WHERE day < :beforeMs AND minutes IS NOT NULL LIMIT ${STEP_DAYS})`,
  )

  /** The instant that limits count from. */
  function trusted(nowMs: number): number {
    const last = lastRound.get()?.at ?? null
    const atMs = last === null ? nowMs : Math.min(nowMs, Number(last) + ADVANCE_MS)
    noteRound.run({ value: String(Math.max(atMs, Number(last ?? atMs))) })
    return atMs
  }

  /** Marked first: from then on the minutes follow from the values, and it does not matter how far the rows are gone. */
  function* minuteRows(beforeMs: number, done: LetGo): Generator<void> {
    for (const { day } of withMinuteRows.all({ beforeMs })) {
      unmark.run({ day })
      late.forget()
      yield
    }
    let fromMs = oldestMinute.get({ fromMs: Number.MIN_SAFE_INTEGER })?.start ?? null
    while (fromMs !== null && fromMs < beforeMs) {
      const window = {
        fromMs: startOf(fromMs, STEP_MINUTES_MS),
        toMs: startOf(fromMs, STEP_MINUTES_MS) + STEP_MINUTES_MS,
      }
      done.minuteRows += dropMinutes.run({ ...window, day: startOf(fromMs, DAY_MS) }).changes
      fromMs = oldestMinute.get({ fromMs: window.toMs })?.start ?? null
      yield
    }
  }

  /** Null when the values are damaged. */
  function* minutesOf(day: Day): Generator<void, ChunkMinute[] | null> {
    const minutes: ChunkMinute[] = []
    for (let fromMs = day.day; fromMs < day.day + DAY_MS; fromMs += STEP_VALUES_MS) {
      const window = { fromMs, toMs: fromMs + STEP_VALUES_MS }
      const found = unlessDamaged(() => raw.minutesFromValues(day, window))
      if (found === null) return null
      for (const { startMs, bucket } of found) minutes.push({ startMs, bucket })
      if (day.n > STEP_VALUES) yield
    }
    return minutes
  }

  function isLeft({ day, person, metric, device }: Day): boolean {
    return isBusy.get({ person, metric, device, fromMs: day, toMs: day + DAY_MS }) !== undefined
  }

  function* letValuesGo(day: Day): Generator<void, boolean> {
    if (isLeft(day)) return false
    // Damaged values are older than their limit and cannot be read by anybody.
    const minutes = packMinutes((yield* minutesOf(day)) ?? [])
    // What came meanwhile is a row, and waits for the next round.
    if (isLeft(day)) return false
    // Rows of its minutes, if any are left, count no more and go when they are old enough.
    dropValues.run({ id: day.id, minutes })
    late.forget()
    return true
  }

  function* values(metric: number, beforeMs: number, done: LetGo): Generator<void> {
    for (const day of withValues.all({ metric, beforeMs })) {
      if (yield* letValuesGo(day)) done.values += day.n
      yield
    }
    while (dropRevisions.run({ metric, beforeMs }).changes === REVISIONS_STEP) yield
  }

  return {
    *letGo(limits, nowMs) {
      const done: LetGo = { minuteRows: 0, values: 0, minuteDays: 0 }
      const atMs = trusted(nowMs)
      const before = (days: number) => startOf(atMs - days * DAY_MS, DAY_MS)
      yield* minuteRows(before(limits.minute_row_days), done)
      for (const { key, class: of } of METRICS) yield* values(key, before(rawDays(limits, of)), done)
      for (;;) {
        const { changes } = dropPacked.run({ beforeMs: before(limits.minute_days) })
        done.minuteDays += changes
        if (changes > 0) sealed.forget()
        if (changes < STEP_DAYS) return done
        yield
      }
    },
  }
}
