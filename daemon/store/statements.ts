import type Database from 'better-sqlite3'

/** Prepared statements by their text; the least recently used one leaves when there are `limit`. */
export function createStatements(
  db: Database.Database,
  limit = 512,
): (sql: string) => Database.Statement<unknown[], unknown> {
  const kept = new Map<string, Database.Statement<unknown[], unknown>>()
  return (sql) => {
    const statement = kept.get(sql) ?? db.prepare<unknown[], unknown>(sql)
    kept.delete(sql)
    if (kept.size >= limit) {
      for (const oldest of kept.keys()) {
        kept.delete(oldest)
        break
      }
    }
    kept.set(sql, statement)
    return statement
  }
}
