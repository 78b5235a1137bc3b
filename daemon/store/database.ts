import Database from 'better-sqlite3'
import { HubError } from '../kernel/errors.ts'

const BUSY_TIMEOUT_MS = 5000
const JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024
const CACHE_KIB = 16 * 1024
/** What `PRAGMA synchronous` answers for FULL. */
const FULL = 2

/**
 * Opens the one read-write connection, creating the file when there is none. Throws HubError INTERNAL when SQLite does not
 * accept a setting that acknowledged rows depend on: it opens an existing WAL file with `synchronous=NORMAL`, which loses
 * rows at a power cut, so FULL is set and read back.
 */
export function openForWriting(path: string): Database.Database {
  const db = new Database(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    // Has an effect before the first table only.
    db.pragma('auto_vacuum = INCREMENTAL')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma(`journal_size_limit = ${JOURNAL_LIMIT_BYTES}`)
    db.pragma('foreign_keys = ON')
    // What is deleted inside a page that is written anyway is overwritten; whole pages only while somebody is erased.
    db.pragma('secure_delete = FAST')
    db.pragma(`cache_size = -${CACHE_KIB}`)
    requireSetting(db, 'journal_mode', 'wal')
    requireSetting(db, 'synchronous', FULL)
    requireSetting(db, 'foreign_keys', 1)
  } catch (cause) {
    db.close()
    throw cause
  }
  return db
}

/** Opens a connection that can only read what is committed. */
export function openForReading(path: string): Database.Database {
  return new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
}

function requireSetting(db: Database.Database, name: string, wanted: string | number): void {
  const seen = db.pragma(name, { simple: true })
  if (seen !== wanted) {
    throw new HubError(
      'INTERNAL',
      `The database keeps ${name} at ${String(seen)} instead of ${wanted}, so nothing could be promised. Move it to a local disk.`,
    )
  }
}
