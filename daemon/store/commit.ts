import type Database from 'better-sqlite3'
import type { Clock } from '../kernel/clock.ts'
import { HubError } from '../kernel/errors.ts'
import { type AppendRun, createAppends } from './appends.ts'
import { createKeys } from './keys.ts'
import { createLateRows } from './late-rows.ts'
import { createLettingGo } from './letting-go.ts'
import type { OpenSeries } from './open-series.ts'
import { type Batch, type Committed, ROW_LENGTH, UNIT, type Unit } from './protocol.ts'
import { createRawValues } from './raw-values.ts'
import { createRollupRebuild } from './rollup-rebuild.ts'
import { createRollupTables } from './rollup-tables.ts'
import { createRollups, type RollupLimits } from './rollups.ts'
import { createSealWatch } from './seal-watch.ts'
import { createSealedDays } from './sealed-days.ts'
import { createSealing } from './sealing.ts'
import { createStatements } from './statements.ts'
import type { SqlParams, WriteResult } from './store.ts'
import { createUnits } from './units.ts'
import { createUpkeep, type Upkeep } from './upkeep.ts'

/** The only code that writes to the database: one transaction a batch, roll-ups included. */
export interface Committer {
  /** Rows become durable all together or, when it throws, none of them. */
  commit(batch: Batch): Committed
  /** Series of the person in memory, as of the last commit. */
  open(person: number, metric: number | null): OpenSeries[]
  /** Stores every open roll-up. */
  settleAll(): void
  /** Packs days that are over and lets go what is too old, a step at a time between commits. */
  upkeep: Upkeep['run']
  /** Hours that a crash had left open and that were finished when this was created. */
  readonly recoveredHours: number
}

export interface CommitterDeps {
  db: Database.Database
  clock: Pick<Clock, 'monotonic'>
  bytesWritten: () => number | null
  limits: RollupLimits
}

/** Units that change rows under the roll-ups, for instance to erase a person. */
const TOUCHES_ROLLUPS = /\b(observation|sealed_day|rollup_minute|rollup_pending|rollup)\b/i

export function createCommitter({ db, clock, bytesWritten, limits }: CommitterDeps): Committer {
  const keys = createKeys(db)
  const rows = rowsOf(db)
  const sealed = createSealedDays(rows)
  const raw = createRawValues(rows, sealed)
  const late = createLateRows(db, sealed)
  const watch = createSealWatch()
  const tables = createRollupTables(db, raw)
  const rebuild = createRollupRebuild(db, tables, raw, (hour) => sealed.one(hour, hour.hour) !== null)
  const recoveredHours = rebuild.recover()
  for (const person of rebuild.strayed()) db.transaction(() => rebuild.rezone(person)).immediate()
  const rollups = createRollups(tables, limits)
  const appends = createAppends({ db, keys, rollups, late, watch })
  const units = createUnits(db)
  const upkeep = createUpkeep({
    db,
    sealing: createSealing({ db, sealed, late, watch }),
    lettingGo: createLettingGo({ db, sealed, late, raw }),
  })
  const [begin, commit, rollback] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((sql) => db.prepare(sql))

  function transact(work: () => void): number {
    let syncFromMs: number
    begin?.run()
    try {
      work()
      syncFromMs = clock.monotonic()
      commit?.run()
    } catch (cause) {
      if (db.inTransaction) rollback?.run()
      rollups.rolledBack()
      tables.forgetZones()
      keys.forget()
      late.forget()
      throw cause
    }
    rollups.committed()
    return clock.monotonic() - syncFromMs
  }

  function runUnit(unit: Unit, nowMs: number): WriteResult[] {
    if (unit.kind === 'write') return units.write(unit.writes)
    if (unit.kind === 'retract') {
      const gone = unit.keys.filter((key) => appends.retract(key, nowMs))
      return [{ changes: gone.length, rows: [] }]
    }
    if (unit.kind === 'move') return [{ changes: appends.move(unit.rows, unit.byMs, nowMs), rows: [] }]
    const person = keys.person(unit.personId)
    if (person === null) throw new HubError('NOT_FOUND', `There is no person ${unit.personId}.`)
    rebuild.rezone(person)
    return []
  }

  function runUnitAlone(unit: Unit, nowMs: number): WriteResult[] {
    try {
      return units.run(() => runUnit(unit, nowMs))
    } catch (cause) {
      // What it packed anew is undone.
      late.forget()
      throw cause
    } finally {
      keys.forget()
      if (unit.kind === 'rezone') tables.forgetZones()
      else if (unit.kind === 'write' && unit.writes.some((write) => TOUCHES_ROLLUPS.test(write.sql))) {
        rollups.distrust()
        late.forget()
        watch.touchAll()
      }
    }
  }

  function runCalls(batch: Batch, done: Pick<Committed, 'outcomes'> & Lists): void {
    const run: AppendRun = { batch, extras: new Map(batch.extras), ...done }
    let row = 0
    let unit = 0
    batch.calls.forEach((rows, call) => {
      if (rows !== UNIT) {
        const refusal = appends.append(run, row, row + rows)
        if (refusal !== null) done.refused.push([call, 'NOT_FOUND', refusal])
        row += rows
        return
      }
      const next = batch.units[unit++]
      if (!next) throw new Error('a batch names more units than it holds')
      try {
        done.results.push([call, runUnitAlone(next, batch.nowMs)])
      } catch (cause) {
        if (!(cause instanceof HubError)) throw cause
        done.refused.push([call, cause.code, cause.message])
      }
    })
  }

  return {
    recoveredHours,
    commit(batch) {
      const fromMs = clock.monotonic()
      const lists: Lists = { revisions: [], results: [], refused: [] }
      const outcomes = new Uint8Array(batch.rows.length / ROW_LENGTH)
      const syncMs = transact(() => {
        runCalls(batch, { outcomes, ...lists })
        rollups.settle(batch.nowMs)
      })
      return {
        outcomes,
        ...lists,
        more: rollups.dueCount > 0,
        gauges: {
          batchMs: clock.monotonic() - fromMs,
          syncMs,
          bytesWritten: bytesWritten(),
          openSeries: rollups.openCount,
          dueHours: rollups.dueCount,
          closedRows: appends.closedRows,
        },
      }
    },
    open: (person, metric) => rollups.open(person, metric),
    settleAll: () => void transact(() => rollups.settleAll()),
    upkeep: upkeep.run,
  }
}

/** Reads on the connection that writes, inside its transactions. */
function rowsOf(db: Database.Database) {
  const statement = createStatements(db)
  return {
    // The shape of a row follows from its SQL, which only the caller knows.
    all: <Row>(sql: string, params: SqlParams = {}) => statement(sql).all(params) as Row[],
    get: <Row>(sql: string, params: SqlParams = {}) => statement(sql).get(params) as Row | undefined,
  }
}

/** The lists of `Committed` while they grow. */
interface Lists {
  revisions: [row: number, revision: number][]
  results: [call: number, results: WriteResult[]][]
  refused: [call: number, code: HubError['code'], message: string][]
}
