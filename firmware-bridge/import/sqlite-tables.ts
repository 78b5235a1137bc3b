import Database from 'better-sqlite3'
import type { Tables } from './health-connect.ts'

/** A wrong file stops at its first page, a hostile one cannot run anything: no extension, no view, no trigger is touched. */
export function openSqliteTables(path: string): Tables & { close(): void } {
  const database = new Database(path, { readonly: true, fileMustExist: true })
  database.pragma('trusted_schema = OFF')
  database.pragma('cell_size_check = ON')
  database.pragma('query_only = ON')
  database.pragma('mmap_size = 0')
  const known = new Map<string, readonly string[]>()
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`
  const named = database.prepare<{ name: string }, { name: string }>(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = :name AND sql NOT LIKE 'CREATE VIRTUAL%'",
  )
  const columns = (table: string) => {
    const before = known.get(table)
    if (before) return before
    if (!named.get({ name: table })) return null
    const found = database
      .prepare<{ name: string }, { name: string }>('SELECT name FROM pragma_table_info(:name) ORDER BY cid')
      .all({ name: table })
      .map(({ name }) => name)
    known.set(table, found)
    return found
  }
  const ordered = (table: string, orderBy: string) =>
    columns(table)?.includes(orderBy) ? `ORDER BY ${quoted(orderBy)}` : 'ORDER BY rowid'
  return {
    columns,
    rows: (table, orderBy) =>
      database
        .prepare<[], Record<string, unknown>>(`SELECT * FROM ${quoted(table)} ${ordered(table, orderBy)}`)
        .iterate(),
    family: (parent, child, order) => {
      const by = [
        columns(parent)?.includes(order.parent) ? `parent.${quoted(order.parent)}` : 'parent.rowid',
        'parent.rowid',
        columns(child)?.includes(order.child) ? `child.${quoted(order.child)}` : 'child.rowid',
      ]
      return database
        .prepare<[], Record<string, unknown>>(
          `SELECT child.*, parent.* FROM ${quoted(parent)} AS parent
             LEFT JOIN ${quoted(child)} AS child ON child.parent_key = parent.row_id
            ORDER BY ${by.join(', ')}`,
        )
        .iterate()
    },
    close: () => database.close(),
  }
}
