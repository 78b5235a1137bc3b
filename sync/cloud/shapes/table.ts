/** What a shape must know of its table: columns, types, key. */
import type pg from 'pg'

export interface Column {
  name: string
  typeOid: number
  typeMod: number
  /** Name of the type, of the element for arrays. */
  type: string
  dims: number
  notNull: boolean
  /** Place in the primary key; null outside of it. */
  pkIndex: number | null
}

export interface Table {
  oid: number
  schema: string
  name: string
  kind: string
  /** In alphabetical order, which is the order of every answer. */
  columns: readonly Column[]
  /** In the order of the key; every column where the table has none. */
  key: readonly string[]
}

interface ColumnRow {
  oid: string
  kind: string
  name: string
  type_oid: string
  type_mod: string
  type: string
  dims: string
  not_null: string
  pk_index: string | null
}

const SQL = `
  SELECT c.oid::int8 AS oid, c.relkind AS kind, a.attname AS name, a.atttypid::int8 AS type_oid, a.atttypmod AS type_mod,
    coalesce(e.typname, t.typname) AS type, CASE WHEN e.oid IS NULL THEN 0 ELSE greatest(a.attndims, 1) END AS dims,
    a.attnotnull AS not_null,
    (SELECT k.place - 1 FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
      WHERE i.indrelid = c.oid AND i.indisprimary AND k.attnum = a.attnum)::int AS pk_index
  FROM pg_class c
  JOIN pg_namespace s ON s.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
  WHERE s.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
  ORDER BY a.attname COLLATE "C"`

/** Schema and table out of `table`, `schema.table`, each possibly quoted; unquoted names are lower case. */
export function tableName(text: string): [string, string] | null {
  const match = /^(?:("(?:[^"]|"")+"|[A-Za-z_][\w$]*)\.)?("(?:[^"]|"")+"|[A-Za-z_][\w$]*)$/.exec(text)
  if (!match?.[2]) return null
  const plain = (name: string) =>
    name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()
  return [match[1] ? plain(match[1]) : 'public', plain(match[2])]
}

/** Null when there is no such table. The pool leaves values in their text form. */
export async function readTable(pool: pg.Pool, schema: string, name: string): Promise<Table | null> {
  const { rows } = await pool.query<ColumnRow>(SQL, [schema, name])
  const [first] = rows
  if (!first) return null
  const columns = rows.map((row) => ({
    name: row.name,
    typeOid: Number(row.type_oid),
    typeMod: Number(row.type_mod),
    type: row.type,
    dims: Number(row.dims),
    notNull: row.not_null === 't',
    pkIndex: row.pk_index === null ? null : Number(row.pk_index),
  }))
  const inKey = columns.filter(({ pkIndex }) => pkIndex !== null)
  const key =
    inKey.length > 0 ? inKey.sort((one, other) => (one.pkIndex ?? 0) - (other.pkIndex ?? 0)) : columns
  return {
    oid: Number(first.oid),
    schema,
    name,
    kind: first.kind,
    columns,
    key: key.map((column) => column.name),
  }
}

const NUMERIC = 1700
const CHARACTER = new Map([
  [1043, 'max_length'],
  [1042, 'length'],
])
const TIMED = new Set([1083, 1266, 1114, 1184])

/** The `electric-schema` header: what clients need to read texts as values. */
export function schemaHeader(columns: readonly Column[]): string {
  return JSON.stringify(
    Object.fromEntries(
      columns.map(({ name, type, typeOid, typeMod, dims, notNull, pkIndex }) => [
        name,
        {
          type,
          ...(dims > 0 ? { dims } : {}),
          ...(notNull ? { not_null: true } : {}),
          ...(pkIndex === null ? {} : { pk_index: pkIndex }),
          ...modifierOf(typeOid, typeMod),
        },
      ]),
    ),
  )
}

function modifierOf(typeOid: number, typeMod: number): Record<string, number> {
  if (typeMod < 0) return {}
  if (typeOid === NUMERIC) return { precision: ((typeMod - 4) >> 16) & 0xffff, scale: (typeMod - 4) & 0xffff }
  const name = CHARACTER.get(typeOid)
  if (name !== undefined) return { [name]: typeMod - 4 }
  return TIMED.has(typeOid) ? { precision: typeMod } : {}
}

/** What messages name a row by. */
export function keyOf({ schema, name, key }: Table, row: Readonly<Record<string, string | null>>): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  const values = key.map((column) => {
    const value = row[column]
    return value === null || value === undefined ? '_' : `"${value.replaceAll('/', '//')}"`
  })
  return `${quoted(schema)}.${quoted(name)}/${values.join('/')}`
}
