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
      const hour = { fromMs: startOf(fromMs, HOUR_MS), toMs: startOf(fromMs, HOUR_MS) + HOUR_MS }
      done.minuteRows += dropMinutes.run({ ...hour, day: startOf(fromMs, DAY_MS) }).changes
      fromMs = oldestMinute.get({ fromMs: hour.toMs })?.start ?? null
      yield
    }
  }

  function minutesOf(day: Day): ChunkMinute[] {
    const hours = Array.from({ length: DAY_MS / HOUR_MS }, (_, hour) => day.day + hour * HOUR_MS)
    return hours.flatMap((hour) =>
      raw
        .minutesFromValues(day, { fromMs: hour, toMs: hour + HOUR_MS })
        .map(({ startMs, bucket }) => ({ startMs, bucket })),
    )
  }

  function letValuesGo(day: Day): boolean {
    const window = { fromMs: day.day, toMs: day.day + DAY_MS }
    if (isBusy.get({ person: day.person, metric: day.metric, device: day.device, ...window })) return false
    // Damaged values are older than their limit and cannot be read by anybody.
    const minutes = packMinutes(unlessDamaged(() => minutesOf(day)) ?? [])
    // Rows of its minutes, if any are left, count no more and go when they are old enough.
    dropValues.run({ id: day.id, minutes })
    late.forget()
    return true
  }

  function* values(metric: number, beforeMs: number, done: LetGo): Generator<void> {
    for (const day of withValues.all({ metric, beforeMs })) {
      if (letValuesGo(day)) done.values += day.n
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
