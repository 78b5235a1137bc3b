/** What shapes ask of Postgres: publication and slot, snapshots, parts of a shape, and whether a row fits a condition. */
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Tuple } from './pgoutput.ts'
import { type Definition, type Snapshot, snapshotMessage } from './shape.ts'
import type { Table } from './table.ts'
import { quoteName } from './where.ts'

export interface Subset {
  whereSql: string | null
  orderSql: string | null
  limit: number | null
  offset: number | null
}

/** Makes an empty publication where there is none. */
export async function makePublication(pool: pg.Pool, publication: string): Promise<void> {
  const { rows } = await pool.query('SELECT FROM pg_publication WHERE pubname = $1', [publication])
  if (rows.length === 0) await pool.query(`CREATE PUBLICATION ${quoteName(publication)}`)
}

/** Gives a table the full identity and adds it to the publication. */
export async function publish(
  pool: pg.Pool,
  publication: string,
  { schema, name, oid }: Table,
): Promise<void> {
  const table = `${quoteName(schema)}.${quoteName(name)}`
  const { rows } = await pool.query<{ full: string; published: string }>(
    `SELECT relreplident = 'f' AS full, EXISTS (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
       WHERE r.prrelid = $1 AND p.pubname = $2) AS published FROM pg_class WHERE oid = $1`,
    [oid, publication],
  )
  if (rows[0]?.full !== 't') await pool.query(`ALTER TABLE ${table} REPLICA IDENTITY FULL`)
  if (rows[0]?.published !== 't')
    await pool.query(`ALTER PUBLICATION ${quoteName(publication)} ADD TABLE ${table}`)
}

/** True when the slot had to be made. `anew`: one that is there belongs to a log that was lost with the process. */
export async function makeSlot(pool: pg.Pool, slot: string, anew: boolean): Promise<boolean> {
  const { rows } = await pool.query<{ active: string; lost: string }>(
    `SELECT active, wal_status = 'lost' AS lost FROM pg_replication_slots WHERE slot_name = $1`,
    [slot],
  )
  const [row] = rows
  if (row?.active === 't')
    throw new Error(`The replication slot ${slot} is in use: another shape server is running.`)
  if (row && !anew && row.lost !== 't') return false
  if (row) await dropSlot(pool, slot)
  await pool.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot])
  return true
}

/** A connection that just ended holds its slot for a moment longer. */
export async function dropSlot(pool: pg.Pool, slot: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await pool.query(
        'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
        [slot],
      )
      return
    } catch (cause) {
      if (tries >= 20 || !/is active/.test(String(cause))) throw cause
      await sleep(50)
    }
  }
}

function fromTable({ table, whereSql }: Definition, more: string | null = null): string {
  const conditions = [whereSql, more].filter((one) => one !== null)
  const where = conditions.length > 0 ? ` WHERE ${conditions.map((one) => `(${one})`).join(' AND ')}` : ''
  return `FROM ${quoteName(table.schema)}.${quoteName(table.name)}${where}`
}

function selected({ table, columns }: Definition): string {
  const names = new Set([...table.key, ...columns.map(({ name }) => name)])
  return [...names].map(quoteName).join(', ')
}

interface Seen {
  xmin: string
  xmax: string
  xips: string[]
}

async function inSnapshot<Result>(
  pool: pg.Pool,
  work: (client: pg.PoolClient, seen: Seen) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  let broken = true
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const { rows } = await client.query<{ seen: string }>('SELECT pg_current_snapshot() AS seen')
    const [xmin = '0', xmax = '0', xips = ''] = (rows[0]?.seen ?? '').split(':')
    const result = await work(client, { xmin, xmax, xips: xips === '' ? [] : xips.split(',') })
    await client.query('COMMIT')
    broken = false
    return result
  } finally {
    client.release(broken)
  }
}

/** The rows of a shape, and which transactions they hold. */
export async function snapshotOf(pool: pg.Pool, definition: Definition): Promise<Snapshot> {
  return inSnapshot(pool, async (client, { xmin, xmax, xips }) => {
    const { table, columns, log } = definition
    const order = table.key.map(quoteName).join(', ')
    const rows =
      log === 'changes_only'
        ? []
        : (
            await client.query<Tuple & pg.QueryResultRow>(
              `SELECT ${selected(definition)} ${fromTable(definition)} ORDER BY ${order}`,
            )
          ).rows
    const running = new Set(xips.map((xid) => BigInt(xid) & 0xffff_ffffn))
    return {
      rows: rows.map((row) => snapshotMessage(table, columns, row)),
      end: JSON.stringify({ headers: { control: 'snapshot-end', xmin, xmax, xip_list: xips } }),
      saw: (xid) => isBefore(xid, xmax) && !running.has(BigInt(xid)),
    }
  })
}

/** Whether a transaction's 32 bits lie before an epoch-wide number, the nearer way round. */
function isBefore(xid: number, xmax: string): boolean {
  const distance = (Number(BigInt(xmax) & 0xffff_ffffn) - xid) | 0
  return distance > 0
}

/** Some of the rows of a shape, read now. */
export async function subsetOf(
  pool: pg.Pool,
  definition: Definition,
  part: Subset,
): Promise<{ metadata: object; data: string[] }> {
  return inSnapshot(pool, async (client, { xmin, xmax, xips }) => {
    const { rows: places } = await client.query<{ lsn: string }>(
      `SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS lsn`,
    )
    const order = part.orderSql === null ? '' : ` ORDER BY ${part.orderSql}`
    const limit = part.limit === null ? '' : ` LIMIT ${part.limit}`
    const offset = part.offset === null ? '' : ` OFFSET ${part.offset}`
    const sql = `SELECT ${selected(definition)} ${fromTable(definition, part.whereSql)}${order}${limit}${offset}`
    const { rows } = await client.query<Tuple & pg.QueryResultRow>(sql)
    const mark = randomInt(2 ** 31)
    return {
      metadata: { xmin, xmax, xip_list: xips, snapshot_mark: mark, database_lsn: places[0]?.lsn ?? '0' },
      data: rows.map((row) => snapshotMessage(definition.table, definition.columns, row, mark)),
    }
  })
}

/** Asks Postgres itself which rows fit: no second opinion about what its operators mean. */
export async function matching(
  pool: pg.Pool,
  definition: Definition,
  rows: readonly Tuple[],
): Promise<boolean[]> {
  const { table, whereSql } = definition
  if (whereSql === null) return rows.map(() => true)
  const { rows: order } = await pool.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [table.oid],
  )
  const literals = rows.map((row) => composite(order.map(({ name }) => row[name] ?? null)))
  const name = `${quoteName(table.schema)}.${quoteName(table.name)}`
  const { rows: answers } = await pool.query<{ fits: string | null }>(
    `SELECT (SELECT coalesce((${whereSql}), false) FROM (SELECT (literal::${name}).*) AS r) AS fits
     FROM unnest($1::text[]) WITH ORDINALITY AS l (literal, place) ORDER BY place`,
    [literals],
  )
  return answers.map(({ fits }) => fits === 't')
}

function composite(values: readonly (string | null)[]): string {
  const quoted = values.map((value) => (value === null ? '' : `"${value.replaceAll(/["\\]/g, '\\$&')}"`))
  return `(${quoted.join(',')})`
}
