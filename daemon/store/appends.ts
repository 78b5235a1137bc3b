import type Database from 'better-sqlite3'
import type { ChunkRow } from '../../models/series/chunk.ts'
import { metricNamed } from '../domain/metric.ts'
import type { Keys } from './keys.ts'
import type { LateRows } from './late-rows.ts'
import { type Batch, FIELD, OUTCOMES, ROW_LENGTH } from './protocol.ts'
import type { Rollups } from './rollups.ts'
import type { SealWatch } from './seal-watch.ts'
import type { NaturalKey } from './store.ts'

/** Rows of one batch that belong together, and where what became of them is noted. */
export interface AppendRun {
  batch: Batch
  extras: ReadonlyMap<number, string>
  outcomes: Uint8Array
  revisions: [row: number, revision: number][]
}

/** Puts observations into the hot table inside the caller's transaction. */
export interface Appends {
  /** Takes rows `[from, to)`, or none of them and returns why. */
  append(run: AppendRun, from: number, to: number): string | null
  /** Moves the row of the key to the history; false when there is none. */
  retract(key: NaturalKey, nowMs: number): boolean
  /** Gives rows another instant; one that has a value already keeps it. Returns how many rows there were. */
  move(rows: readonly (NaturalKey & { extra: string | null })[], byMs: number, nowMs: number): number
  /** Rows so far for days whose single values were let go: they count as known. */
  readonly closedRows: number
}

export interface AppendsDeps {
  db: Database.Database
  keys: Keys
  rollups: Rollups
  late: LateRows
  watch: SealWatch
}

interface StoredRow {
  value: number
  source: number
  quality: number | null
  revision: number
  extra: string | null
}

const NATURAL_KEY = 'ts = :ts AND person = :person AND metric = :metric AND device = :device'
/** A row that came back after it was retracted counts on where its history ended. */
const NEXT_REVISION = `max(revision, coalesce((SELECT max(revision) + 1 FROM observation_revision WHERE ${NATURAL_KEY}), 0))`
const [ACCEPTED, DUPLICATE, REVISED] = [
  OUTCOMES.indexOf('accepted'),
  OUTCOMES.indexOf('duplicate'),
  OUTCOMES.indexOf('revised'),
]

export function createAppends({ db, keys, rollups, late, watch }: AppendsDeps): Appends {
  let closedRows = 0
  // Bound by position: the one statement that runs for every row.
  const insert = db.prepare<[number, number, number, number, number, number, number | null, string | null]>(
    `INSERT INTO observation (ts, person, metric, device, value, source, quality, revision, extra)
     VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING`,
  )
  const read = db.prepare<RowKey, StoredRow>(
    `SELECT value, source, quality, revision, extra FROM observation WHERE ${NATURAL_KEY}`,
  )
  const keepOld = db.prepare<RowKey & { replacedAt: number }>(
    `INSERT INTO observation_revision (ts, person, metric, device, revision, value, source, quality, extra, replaced_at)
     SELECT ts, person, metric, device, ${NEXT_REVISION}, value, source, quality, extra, :replacedAt FROM observation WHERE ${NATURAL_KEY}`,
  )
  const keepPacked = db.prepare<RowKey & StoredRow & { replacedAt: number }>(
    `INSERT INTO observation_revision (ts, person, metric, device, revision, value, source, quality, extra, replaced_at)
     VALUES (:ts, :person, :metric, :device,
       max(:revision, coalesce((SELECT max(revision) + 1 FROM observation_revision WHERE ${NATURAL_KEY}), 0)),
       :value, :source, :quality, :extra, :replacedAt)`,
  )
  const insertOver = db.prepare<RowKey & StoredRow>(
    `INSERT INTO observation (ts, person, metric, device, value, source, quality, revision, extra)
     VALUES (:ts, :person, :metric, :device, :value, :source, :quality, :revision, :extra)`,
  )
  const replace = db.prepare<RowKey & Omit<StoredRow, 'revision'>>(
    `UPDATE observation SET value = :value, source = :source, quality = :quality, extra = :extra, revision = revision + 1
     WHERE ${NATURAL_KEY}`,
  )

  const remove = db.prepare<RowKey>(`DELETE FROM observation WHERE ${NATURAL_KEY}`)

  function revise(run: AppendRun, row: number, key: RowKey, fresh: Omit<StoredRow, 'revision'>): number {
    const old = read.get(key)
    if (!old || isSame(old, fresh)) return DUPLICATE
    keepOld.run({ ...key, replacedAt: run.batch.nowMs })
    replace.run({ ...key, ...fresh })
    run.revisions.push([row, old.revision + 1])
    changed(key)
    return REVISED
  }

  function changed(key: RowKey): void {
    rollups.change(key, key.ts)
    watch.touch(key, key.ts)
  }

  /** The row's outcome when its day is packed and no row lies over the packed one; null when it is as good as new. */
  function putOverPacked(
    run: AppendRun,
    row: number,
    key: RowKey,
    fresh: Omit<StoredRow, 'revision'>,
  ): number | null {
    const packed = late.lookUp(key, key.ts)
    if (packed.kind === 'none' || read.get(key)) return null
    if (packed.kind === 'closed') {
      closedRows += 1
      return DUPLICATE
    }
    const old = storedRow(packed.row)
    if (isSame(old, fresh)) return DUPLICATE
    keepPacked.run({ ...key, ...old, replacedAt: run.batch.nowMs })
    insertOver.run({ ...key, ...fresh, revision: old.revision + 1 })
    run.revisions.push([row, old.revision + 1])
    changed(key)
    return REVISED
  }

  function storedRow({ value, source, quality, revision, extra }: ChunkRow): StoredRow {
    return { value, source: keys.source(source), quality, revision, extra }
  }

  function put(run: AppendRun, row: number): void {
    const { rows, names } = run.batch
    const field = (name: keyof typeof FIELD) => rows[row * ROW_LENGTH + FIELD[name]] ?? Number.NaN
    const key: RowKey = {
      ts: field('at'),
      person: keys.person(names[field('person')] ?? '') ?? 0,
      metric: field('metric'),
      device: keys.device(names[field('device')] ?? '') ?? 0,
    }
    const value = field('value')
    const source = keys.source(names[field('source')] ?? '')
    const quality = Number.isNaN(field('quality')) ? null : field('quality')
    const extra = run.extras.get(row) ?? null
    if (key.ts < late.horizonMs) {
      const outcome = putOverPacked(run, row, key, { value, source, quality, extra })
      if (outcome !== null) {
        run.outcomes[row] = outcome
        return
      }
    }
    const { changes } = insert.run(key.ts, key.person, key.metric, key.device, value, source, quality, extra)
    if (changes === 1) {
      run.outcomes[row] = ACCEPTED
      rollups.add(key, key.ts, value)
      watch.touch(key, key.ts)
    } else run.outcomes[row] = revise(run, row, key, { value, source, quality, extra })
  }

  return {
    append(run, from, to) {
      const { rows, names } = run.batch
      for (let row = from; row < to; row += 1) {
        const person = names[rows[row * ROW_LENGTH + FIELD.person] ?? -1] ?? ''
        if (keys.person(person) === null) return `There is no person ${person}. Add the person first.`
        const device = names[rows[row * ROW_LENGTH + FIELD.device] ?? -1] ?? ''
        if (keys.device(device) === null) return `There is no device ${device}. Pair the device first.`
      }
      for (let row = from; row < to; row += 1) put(run, row)
      return null
    },
    retract: (key, nowMs) => retract(keyOf(key), nowMs),
    move(rows, byMs, nowMs) {
      const moving = rows.flatMap(({ extra, ...named }) => {
        const key = keyOf(named)
        const old = rowOf(key)
        return old && retract(key, nowMs)
          ? [{ key: { ...key, ts: key.ts + byMs }, row: { ...old, extra } }]
          : []
      })
      // Only now, because one may go where another stood.
      for (const { key, row } of moving) {
        if (rowOf(key)) continue
        insertOver.run({ ...key, ...row, revision: 0 })
        rollups.add(key, key.ts, row.value)
        watch.touch(key, key.ts)
      }
      return moving.length
    },
    get closedRows() {
      return closedRows
    },
  }

  function keyOf({ personId, deviceId, metric, atMs }: NaturalKey): RowKey {
    return {
      ts: atMs,
      person: keys.person(personId) ?? 0,
      metric: metricNamed(metric)?.key ?? 0,
      device: keys.device(deviceId) ?? 0,
    }
  }

  /** The row of a key, wherever it lies. */
  function rowOf(key: RowKey): StoredRow | null {
    const row = read.get(key)
    if (row) return row
    const packed = key.ts < late.horizonMs ? late.lookUp(key, key.ts) : null
    return packed?.kind === 'row' ? storedRow(packed.row) : null
  }

  function retract(key: RowKey, nowMs: number): boolean {
    const atMs = key.ts
    const packed = atMs < late.horizonMs ? late.lookUp(key, atMs) : null
    keepOld.run({ ...key, replacedAt: nowMs })
    const wasRow = remove.run(key).changes > 0
    if (!wasRow && packed?.kind !== 'row') return false
    if (packed?.kind === 'row') {
      if (!wasRow) keepPacked.run({ ...key, ...storedRow(packed.row), replacedAt: nowMs })
      late.takeOut(key, atMs)
    }
    rollups.remove(key, key.ts)
    watch.touch(key, key.ts)
    return true
  }
}

/** A natural key in the store's own numbers. */
interface RowKey {
  ts: number
  person: number
  metric: number
  device: number
}

/** Facts that are half of the value: a position's longitude, whether the truth lies beyond, until when it counts. */
const MEANT = ['lon', 'censored', 't_end'] as const

function isSame(old: Omit<StoredRow, 'revision'>, fresh: Omit<StoredRow, 'revision'>): boolean {
  if (old.value !== fresh.value) return false
  if (old.extra === fresh.extra) return true
  const [was, is] = [factsOf(old.extra), factsOf(fresh.extra)]
  return MEANT.every((name) => Reflect.get(was, name) === Reflect.get(is, name))
}

function factsOf(extra: string | null): object {
  const facts: unknown = extra === null ? null : JSON.parse(extra)
  return typeof facts === 'object' && facts !== null ? facts : {}
}
