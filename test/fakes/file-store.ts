/** A database without its writer thread: same migrations, same atomic units, for tests of what is built upon it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { HubError } from '../../daemon/kernel/errors.ts'
import { createCounters } from '../../daemon/store/counters.ts'
import type { SqlParams, Store, Write, WriteResult } from '../../daemon/store/store.ts'

const MIGRATIONS = join(import.meta.dirname, '../../daemon/store/migrations')

export function fileStore(path: string): Store {
  const db = new Database(path)
  migrate(db)
  const run = db.transaction((unit: readonly Write[]): WriteResult[] =>
    unit.map((write) => runOne(db, write)),
  )
  const listeners = new Set<Parameters<Store['onCommitted']>[0]>()
  const unused = () => Promise.reject(new Error('the fake store keeps no observations'))
  return {
    all: <Row>(sql: string, params: SqlParams = {}) => db.prepare(sql).all(params) as Row[],
    get: <Row>(sql: string, params: SqlParams = {}) => db.prepare(sql).get(params) as Row | undefined,
    async write(unit) {
      try {
        return run(unit)
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('SQLITE_CONSTRAINT')) {
          throw new HubError('CONFLICT', cause.message, { cause })
        }
        throw cause
      }
    },
    observations: { append: unused, range: unused, level: unused, latest: unused, history: unused },
    onCommitted(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    rezone: async () => {},
    stats: () => createCounters().read(0),
    close: async () => void db.close(),
  }
}

function migrate(db: Database.Database): void {
  const files = readdirSync(MIGRATIONS).filter((name) => /^\d{4}_.*\.sql$/.test(name))
  for (const name of files.sort().slice(Number(db.pragma('user_version', { simple: true })))) {
    db.exec(readFileSync(join(MIGRATIONS, name), 'utf8'))
  }
  db.pragma(`user_version = ${files.length}`)
  db.pragma('foreign_keys = ON')
}

function runOne(db: Database.Database, { sql, params = {}, expect }: Write): WriteResult {
  const statement = db.prepare(sql)
  const rows = statement.reader ? (statement.all(params) as WriteResult['rows']) : []
  const changes = statement.reader ? rows.length : statement.run(params).changes
  if (expect !== undefined && changes !== expect)
    throw new HubError('CONFLICT', `${changes} rows instead of ${expect}`)
  return { changes, rows }
}
