/** Tries out whether a copy of the database would bring the hub back: what was never restored is no copy. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openForReading, openForWriting } from './database.ts'
import { migrate } from './migrate.ts'

/** What a restored copy holds. */
export interface Restorable {
  persons: number
  /** Single values, packed ones counted. */
  values: number
  newestValueAtMs: number | null
}

const PRIVATE_FOLDER = 0o700
const FOUND = `
  SELECT (SELECT count(*) FROM person WHERE deleted_at IS NULL) AS persons,
    (SELECT count(*) FROM observation) + (SELECT coalesce(sum(n), 0) FROM sealed_day WHERE chunk IS NOT NULL) AS "values",
    (SELECT max(ts) FROM observation) AS newestValueAtMs`

/**
 * Restores the copy into a folder of its own as a start would: put in place, brought up to this program's schema, every page and reference
 * checked, and read. The folder is gone afterwards. Blocks: call it on a thread of its own. Throws with the reason when the copy would
 * not do, or is another hub's.
 */
export function tryRestore(copy: string, folder: string, hubId: string): Restorable {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER })
  try {
    const path = join(folder, 'homefield.db')
    copyFileSync(copy, path)
    const db = openForWriting(path)
    try {
      migrate(db, path)
      requireSound(db.pragma('integrity_check(1)', { simple: true }))
      if (db.prepare('PRAGMA foreign_key_check').get() !== undefined)
        throw new Error('something in it refers to what is not there')
    } finally {
      db.close()
    }
    return read(path, hubId)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function requireSound(found: unknown): void {
  if (found !== 'ok') throw new Error(`it is damaged: ${String(found)}`)
}

function read(path: string, hubId: string): Restorable {
  const db = openForReading(path)
  try {
    const hub = db.prepare<[], { value: string }>(`SELECT value FROM meta WHERE name = 'hub_id'`).get()
    if (hub?.value !== hubId) throw new Error('it is the copy of another hub')
    const found = db.prepare<[], Restorable>(FOUND).get()
    if (!found) throw new Error('it answers nothing')
    return found
  } finally {
    db.close()
  }
}
