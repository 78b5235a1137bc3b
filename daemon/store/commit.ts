import type Database from 'better-sqlite3'
import type { Clock } from '../kernel/clock.ts'
import { HubError } from '../kernel/errors.ts'
import { type AppendRun, createAppends } from './appends.ts'
import { createKeys } from './keys.ts'
import { type Batch, type Committed, ROW_LENGTH, UNIT, type Unit } from './protocol.ts'
import { createRollupRebuild } from './rollup-rebuild.ts'
import { createRollupTables } from './rollup-tables.ts'
import { createRollups, type OpenSeries, type RollupLimits } from './rollups.ts'
import type { WriteResult } from './store.ts'
import { createUnits } from './units.ts'

/** The only code that writes to the database: one transaction a batch, roll-ups included. */
export interface Committer {
  /** Rows become durable all together or, when it throws, none of them. */
  commit(batch: Batch): Committed
  /** Series of the person in memory, as of the last commit. */
  open(person: number, metric: number | null): OpenSeries[]
  /** Stores every open roll-up. */
  settleAll(): void
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
const TOUCHES_ROLLUPS = /\b(observation|rollup_minute|rollup_pending|rollup)\b/i

export function createCommitter({ db, clock, bytesWritten, limits }: CommitterDeps): Committer {
  const keys = createKeys(db)
  const tables = createRollupTables(db)
  const rebuild = createRollupRebuild(db, tables)
  const recoveredHours = rebuild.recover()
  for (const person of rebuild.strayed()) db.transaction(() => rebuild.rezone(person)).immediate()
  const rollups = createRollups(tables, limits)
  const appends = createAppends(db, keys, rollups)
  const units = createUnits(db)
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
    const person = keys.person(unit.personId)
    if (person === null) throw new HubError('NOT_FOUND', `There is no person ${unit.personId}.`)
    rebuild.rezone(person)
    return []
  }

  function runUnitAlone(unit: Unit, nowMs: number): WriteResult[] {
    try {
      return units.run(() => runUnit(unit, nowMs))
    } finally {
      keys.forget()
      if (unit.kind === 'rezone') tables.forgetZones()
      else if (unit.kind === 'write' && unit.writes.some((write) => TOUCHES_ROLLUPS.test(write.sql)))
        rollups.distrust()
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
        },
      }
    },
    open: (person, metric) => rollups.open(person, metric),
    settleAll: () => void transact(() => rollups.settleAll()),
  }
}

/** The lists of `Committed` while they grow. */
interface Lists {
  revisions: [row: number, revision: number][]
  results: [call: number, results: WriteResult[]][]
  refused: [call: number, code: HubError['code'], message: string][]
}
