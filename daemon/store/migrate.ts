import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type Database from 'better-sqlite3'
import { HubError } from '../kernel/errors.ts'
import { makeDurable } from './snapshot-files.ts'

/** One step of the schema, from a file `NNNN_name.sql`. */
interface Migration {
  version: number
  name: string
  sql: string
}

const FILE = /^(\d{4})_[a-z0-9_]+\.sql$/

/** The folder of migrations beside this file. */
export const MIGRATIONS = fileURLToPath(new URL('./migrations/', import.meta.url))

/**
 * Brings the schema up to date, forward only, all steps in one transaction with the last number in `user_version`: whenever the power
 * fails, the database is the old program's or the new one's. An existing one is first copied to `<path>.before-<version>`, on disk before
 * the first step. Throws HubError CONFLICT when the database is newer than this program.
 */
export function migrate(db: Database.Database, path: string, folder: string = MIGRATIONS): void {
  const migrations = readMigrations(folder)
  const found = Number(db.pragma('user_version', { simple: true }))
  const newest = migrations.at(-1)?.version ?? 0
  if (found > newest) {
    throw new HubError(
      'CONFLICT',
      `The database has schema ${found} and this program knows ${newest}. Install the newer program again, or restore a backup made by this one.`,
    )
  }
  const missing = migrations.filter(({ version }) => version > found)
  if (found > 0 && missing.length > 0) copyAside(db, `${path}.before-${found}`)
  if (missing.length > 0) db.transaction(() => missing.forEach((step) => void take(db, step))).immediate()
}

function take(db: Database.Database, { version, name, sql }: Migration): void {
  try {
    db.exec(sql)
    db.pragma(`user_version = ${version}`)
  } catch (cause) {
    throw new Error(`migration ${name} failed; the database is as it was`, { cause })
  }
}

/** The newest schema that this program knows. */
export function newestSchema(folder: string = MIGRATIONS): number {
  return readMigrations(folder).at(-1)?.version ?? 0
}

function readMigrations(folder: string): Migration[] {
  const migrations = readdirSync(folder)
    .filter((name) => FILE.test(name))
    .sort()
    .map((name) => ({
      version: Number(name.slice(0, 4)),
      name,
      sql: readFileSync(join(folder, name), 'utf8'),
    }))
  migrations.forEach(({ version, name }, index) => {
    if (version <= (migrations[index - 1]?.version ?? 0))
      throw new Error(`migration ${name} has a number twice`)
  })
  return migrations
}

/** A copy that an earlier, interrupted start left is from the same schema and may go. It has its name only once it is whole and on disk. */
function copyAside(db: Database.Database, copy: string): void {
  const partial = `${copy}.partial`
  rmSync(partial, { force: true })
  db.prepare('VACUUM INTO :partial').run({ partial })
  makeDurable(partial)
  renameSync(partial, copy)
  makeDurable(dirname(copy))
}
