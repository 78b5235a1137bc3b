import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type Database from 'better-sqlite3'
import { HubError } from '../kernel/errors.ts'

/** One step of the schema: `NNNN_name.sql`, numbered from 1 without holes. */
interface Migration {
  version: number
  name: string
  sql: string
}

const FILE = /^(\d{4})_[a-z0-9_]+\.sql$/

/** The folder of migrations beside this file. */
export const MIGRATIONS = fileURLToPath(new URL('./migrations/', import.meta.url))

/**
 * Brings the schema up to date, forward only, each step in its own transaction with its number in `user_version`. An existing
 * database is first copied to `<path>.before-<version>`. Throws HubError CONFLICT when the database is newer than this program.
 */
export function migrate(db: Database.Database, path: string, folder: string = MIGRATIONS): void {
  const migrations = readMigrations(folder)
  const found = Number(db.pragma('user_version', { simple: true }))
  if (found > migrations.length) {
    throw new HubError(
      'CONFLICT',
      `The database has schema ${found} and this program knows ${migrations.length}. Install the newer program again, or restore a backup made by this one.`,
    )
  }
  const missing = migrations.slice(found)
  if (found > 0 && missing.length > 0) copyAside(db, `${path}.before-${found}`)
  for (const { version, name, sql } of missing) {
    try {
      db.transaction(() => {
        db.exec(sql)
        db.pragma(`user_version = ${version}`)
      }).immediate()
    } catch (cause) {
      throw new Error(`migration ${name} failed; the database is as it was before it`, { cause })
    }
  }
}

function readMigrations(folder: string): Migration[] {
  const names = readdirSync(folder)
    .filter((name) => FILE.test(name))
    .sort()
  return names.map((name, index) => {
    const version = Number(FILE.exec(name)?.[1])
    if (version !== index + 1) throw new Error(`migration ${name} stands where number ${index + 1} belongs`)
    return { version, name, sql: readFileSync(`${folder}/${name}`, 'utf8') }
  })
}

/** A copy that an earlier, interrupted start left is from the same schema and may go. */
function copyAside(db: Database.Database, copy: string): void {
  rmSync(copy, { force: true })
  db.prepare('VACUUM INTO :copy').run({ copy })
}
