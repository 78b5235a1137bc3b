import type Database from 'better-sqlite3'
import { HubError, messageOf } from '../kernel/errors.ts'
import { failureOf, isConstraint } from './failure.ts'
import { createStatements } from './statements.ts'
import type { SqlValue, Write, WriteResult } from './store.ts'

/** Runs statements as units that succeed or fail on their own inside a shared transaction. */
export interface Units {
  /** Throws HubError when this unit was undone, anything else when the whole transaction is lost. */
  run(work: () => WriteResult[]): WriteResult[]
  /** The statements of one unit, in order. */
  write(writes: readonly Write[]): WriteResult[]
}

export function createUnits(db: Database.Database): Units {
  const statement = createStatements(db)
  const begin = db.prepare('SAVEPOINT unit')
  const undo = db.prepare('ROLLBACK TO unit')
  const release = db.prepare('RELEASE unit')

  function runOne({ sql, params, expect }: Write): WriteResult {
    const prepared = statement(sql)
    const bound = params ? [params] : []
    const result: WriteResult = prepared.reader
      ? returned(prepared, bound)
      : { changes: prepared.run(...bound).changes, rows: [] }
    if (expect !== undefined && result.changes !== expect)
      throw new HubError('CONFLICT', 'Someone else changed this in the meantime. Read it again and repeat.')
    return result
  }

  return {
    run(work) {
      begin.run()
      try {
        const results = work()
        release.run()
        return results
      } catch (cause) {
        // Some errors end the transaction by themselves; then there is no unit left to undo.
        if (failureOf(cause) !== 'other' || !db.inTransaction) throw cause
        undo.run()
        release.run()
        throw asUnitError(cause)
      }
    },
    write: (writes) => writes.map(runOne),
  }
}

function returned(statement: Database.Statement<unknown[], unknown>, bound: unknown[]): WriteResult {
  // better-sqlite3 gives every row as an object of SQL values, which its types cannot know.
  const rows = statement.all(...bound) as Record<string, SqlValue>[]
  return { changes: statement.readonly ? 0 : rows.length, rows }
}

function asUnitError(cause: unknown): HubError {
  if (cause instanceof HubError) return cause
  return isConstraint(cause)
    ? new HubError('CONFLICT', `This would break a rule of the store: ${messageOf(cause)}.`, { cause })
    : new HubError('INTERNAL', `A statement of the store failed: ${messageOf(cause)}.`, { cause })
}
