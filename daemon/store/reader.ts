import type Database from 'better-sqlite3'
import { HubError } from '../kernel/errors.ts'
import { createStatements } from './statements.ts'
import type { SqlParams } from './store.ts'

/** Reads of committed data on the calling thread. */
export interface Reader {
  all<Row>(sql: string, params?: SqlParams): Row[]
  get<Row>(sql: string, params?: SqlParams): Row | undefined
  /** Runs several reads on one and the same state of the database; keep it short, it holds back the checkpoint. */
  snapshot<Result>(read: () => Result): Result
}

/** `db` is a read-only connection. */
export function createReader(db: Database.Database): Reader {
  const prepared = createStatements(db)
  const begin = db.prepare('BEGIN')
  const end = db.prepare('COMMIT')

  function statement(sql: string) {
    if (!db.open) throw new HubError('SHUTTING_DOWN', 'The hub is stopping. Ask again when it is back.')
    return prepared(sql)
  }

  return {
    // The shape of a row follows from its SQL, which only the caller knows.
    all: <Row>(sql: string, params?: SqlParams) => statement(sql).all(...bound(params)) as Row[],
    get: <Row>(sql: string, params?: SqlParams) => statement(sql).get(...bound(params)) as Row | undefined,
    snapshot(read) {
      if (!db.open || db.inTransaction) return read()
      begin.run()
      try {
        return read()
      } finally {
        end.run()
      }
    },
  }
}

function bound(params: SqlParams | undefined): unknown[] {
  return params ? [params] : []
}
