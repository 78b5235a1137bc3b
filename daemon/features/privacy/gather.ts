/** Everything that the database holds about one person, found by its own references: a table that comes later is found as well. */
import type { Store } from '../../store/store.ts'

type Reading = Pick<Store, 'all' | 'get'>

interface Column {
  table: string
  column: string
  type: string
}

interface Reference {
  table: string
  column: string
  parent: string
  parentColumn: string
}

/** Rows of one table as the archive holds them. */
export interface GatheredTable {
  table: string
  rows(): Generator<Record<string, unknown>>
}

/** Values have files of their own; roll-ups and chunks follow from them; jobs and pairing are the hub's work, not the person's. */
const LEFT_OUT = new Set([
  ...['observation', 'observation_revision', 'rollup', 'rollup_minute', 'rollup_pending', 'rollup_zone'],
  ...['sealed_day', 'session_path', 'track_chunk', 'job', 'pairing_offer', 'pairing_request', 'idempotency'],
  ...[
    'refresh_token',
    'ntfy_subscription',
    'push_subscription',
    'whoop_sign_in',
    'uploader_document',
    'audit_entry',
  ],
])
/** Secrets are no data of the person. */
const SECRET = /hash|secret|sealed|token|password/
const PERSON_COLUMNS = ['person_key', 'person'] as const
const PAGE = 500

const COLUMNS = `SELECT m.name AS "table", p.name AS "column", p.type AS type
  FROM sqlite_master m JOIN pragma_table_info(m.name) p
  WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, p.cid`
const REFERENCES = `SELECT m.name AS "table", f."from" AS "column", f."table" AS parent, f."to" AS parentColumn
  FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id`

/** Tables with rows of the person's own, then those that hang on them, to the last. */
export function gather(store: Reading, personId: string): GatheredTable[] {
  const key = store.get<{ key: number }>('SELECT key FROM person WHERE id = :personId', { personId })?.key
  if (key === undefined) return []
  const columns = store.all<Column>(COLUMNS)
  const references = store.all<Reference>(REFERENCES)
  const conditions = conditionsOf(columns, references)
  return [...conditions].flatMap(([table, where]) => {
    const shown = columns.filter(
      (one) => one.table === table && one.type !== 'BLOB' && !SECRET.test(one.column),
    )
    const names = shown.map(({ column }) => `"${column}"`).join(', ')
    if (names === '' || LEFT_OUT.has(table)) return []
    const sql = `SELECT ${names} FROM "${table}" WHERE ${where} LIMIT ${PAGE} OFFSET :offset`
    return [{ table, rows: () => paged(store, sql, key) }]
  })
}

/** For each table the condition under which a row is the person's; a row of a child table is when its parent is. */
function conditionsOf(columns: readonly Column[], references: readonly Reference[]): Map<string, string> {
  const found = new Map<string, string>([['person', 'key = :key']])
  for (const { table, column, type } of columns)
    if (PERSON_COLUMNS.some((name) => name === column) && type === 'INTEGER' && !found.has(table))
      found.set(table, `"${column}" = :key`)
  for (let grew = true; grew; ) {
    grew = false
    for (const { table, column, parent, parentColumn } of references) {
      const above = found.get(parent)
      if (found.has(table) || above === undefined || parent === 'person') continue
      found.set(table, `"${column}" IN (SELECT "${parentColumn}" FROM "${parent}" WHERE ${above})`)
      grew = true
    }
  }
  // A session has no person of its own: those that the person took part in.
  found.set('session', 'key IN (SELECT session_key FROM session_player WHERE person_key = :key)')
  return found
}

function* paged(store: Reading, sql: string, key: number): Generator<Record<string, unknown>> {
  for (let offset = 0; ; offset += PAGE) {
    const rows = store.all<Record<string, unknown>>(sql, { key, offset })
    yield* rows
    if (rows.length < PAGE) return
  }
}
