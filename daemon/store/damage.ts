import { existsSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { messageOf } from '../kernel/errors.ts'

/** How a database file is: `absent` also when it has no byte, which is what an interrupted copy leaves. */
export type Condition = { kind: 'sound' } | { kind: 'absent' } | { kind: 'damaged'; reason: string }

/** What SQLite says of a file whose header or pages are not its own. */
const DAMAGE = /not a database|malformed/

/** Whether an error means that the file itself is damaged, and not that it is locked or the disk is full. */
export function isDamage(cause: unknown): boolean {
  return DAMAGE.test(messageOf(cause))
}

/**
 * Looks at a database file: always at its header and schema, and with `thorough` at every page (`PRAGMA quick_check`, about a second
 * for each gigabyte). Throws what is not damage.
 */
export function conditionOf(path: string, { thorough }: { thorough: boolean }): Condition {
  if (!existsSync(path) || statSync(path).size === 0) return { kind: 'absent' }
  let db: Database.Database | null = null
  try {
    db = new Database(path, { fileMustExist: true })
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    if (!thorough) return { kind: 'sound' }
    const found = String(db.pragma('quick_check(1)', { simple: true }))
    return found === 'ok' ? { kind: 'sound' } : { kind: 'damaged', reason: found }
  } catch (cause) {
    if (!isDamage(cause)) throw cause
    return { kind: 'damaged', reason: messageOf(cause) }
  } finally {
    db?.close()
  }
}
