import Database from 'better-sqlite3'

/** Why a commit did not happen: `full` and `busy` pass and are tried again, `other` does not. */
export type Failure = 'full' | 'busy' | 'other'

/** Reads SQLite's result code. An I/O error counts as a full disk: both end when the disk takes writes again. */
export function failureOf(cause: unknown): Failure {
  const code = sqliteCode(cause)
  if (code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR')) return 'full'
  return code.startsWith('SQLITE_BUSY') ? 'busy' : 'other'
}

/** Whether a constraint of the schema refused the statement; a wrong column type is a fault of the program instead. */
export function isConstraint(cause: unknown): boolean {
  const code = sqliteCode(cause)
  return code.startsWith('SQLITE_CONSTRAINT') && code !== 'SQLITE_CONSTRAINT_DATATYPE'
}

function sqliteCode(cause: unknown): string {
  return cause instanceof Database.SqliteError ? cause.code : ''
}
