/** The way to Postgres: pooled connections that survive a failover, and transactions that see one household. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { EDGE_ROLE, ELECTRIC_GRANTS, HYPERTABLES, MIGRATIONS } from './schema.ts'

/** What a query needs; a pooled client is one. */
export interface Queries {
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<Row>>
}

/** What a transaction of a household can besides. */
export interface Transaction extends Queries {
  /** Loads rows in Postgres' binary form for COPY. */
  copyIn(sql: string, rows: Uint8Array): Promise<void>
}

export interface Cloudbase {
  /** As the owner of the tables, outside any household: identity, enrolment, migrations. */
  owner: Queries
  /** One transaction as the service's role, which sees that household's rows only. */
  household<Result>(id: string, work: (transaction: Transaction) => Promise<Result>): Promise<Result>
  /** How many connections are open, idle and waited for. */
  load(): { total: number; idle: number; waiting: number }
  close(): Promise<void>
}

export interface CloudbaseDeps {
  url: string
  /** Connections at most; 10 unless told. */
  connections?: number
  /** Told of connections that broke while nobody used them. */
  onLost?: (cause: Error) => void
}

/** A statement that takes longer than this holds up a lane: it is ended and tried again by the hub. */
const STATEMENT_MS = 60_000
const MIGRATION_LOCK = 0x68_66_63_6c
const HOUSEHOLD_ID = /^[A-Za-z0-9_-]{1,64}$/

/**
 * Opens nothing before the first query. Numbers of 64 bits come as numbers: every one we keep is below 2^53.
 */
export function createCloudbase({ url, connections = 10, onLost = () => {} }: CloudbaseDeps): Cloudbase {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    statement_timeout: STATEMENT_MS,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    types: { getTypeParser: parserOf },
  })
  pool.on('error', onLost)
  // A connection whose server goes away while it is in use tells by this event first; without a listener the process would end.
  pool.on('connect', (client) => client.on('error', onLost))
  return {
    owner: pool,
    async household(id, work) {
      if (!HOUSEHOLD_ID.test(id)) throw new RangeError('This is no id of a household')
      const client = await pool.connect()
      let broken: Error | undefined
      try {
        await client.query(`BEGIN; SET LOCAL ROLE ${EDGE_ROLE}; SET LOCAL app.household = '${id}'`)
        const result = await work({
          query: (text, values) => client.query(text, values),
          copyIn: (sql, rows) => pipeline(Readable.from([rows]), client.query(copyFrom(sql))),
        })
        const { command } = await client.query('COMMIT')
        // A transaction in which something failed ends in a rollback, and says so only here.
        if (command !== 'COMMIT') throw new Error('The transaction was not committed')
        return result
      } catch (cause) {
        broken = await rolledBack(client)
        throw cause
      } finally {
        client.release(broken)
      }
    },
    load: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => pool.end(),
  }
}

/** Undefined when the connection can be used again. */
async function rolledBack(client: pg.PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK')
    return undefined
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause))
  }
}

const INT8 = 20

function parserOf(oid: number, format?: unknown): (text: string) => unknown {
  if (oid === INT8) return Number
  return pg.types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text') as (text: string) => unknown
}

/** Brings the tables up to date; several instances may start at once. Answers with the names of what it ran. */
export async function migrate(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK])
    await client.query(
      'CREATE TABLE IF NOT EXISTS cloud_migration (name text PRIMARY KEY, run_at timestamptz NOT NULL DEFAULT now())',
    )
    const { rows } = await client.query<{ name: string }>('SELECT name FROM cloud_migration')
    const known = new Set(rows.map(({ name }) => name))
    const due = MIGRATIONS.filter(({ name }) => !known.has(name))
    for (const { name, sql } of due) await migrated(client, name, sql)
    await client.query(ELECTRIC_GRANTS)
    if (await hasTimescale(client)) for (const sql of HYPERTABLES) await client.query(sql)
    return due.map(({ name }) => name)
  } finally {
    await client.end()
  }
}

async function migrated(client: pg.Client, name: string, sql: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await client.query('BEGIN')
      await client.query(sql)
      await client.query('INSERT INTO cloud_migration (name) VALUES ($1)', [name])
      await client.query('COMMIT')
      return
    } catch (cause) {
      await client.query('ROLLBACK')
      // Roles belong to the whole server: two databases that are set up at once may trip over each other.
      if (tries >= 5 || !/concurrently updated/.test(String(cause))) throw cause
      await sleep(50 * tries)
    }
  }
}

async function hasTimescale(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query(`SELECT FROM pg_extension WHERE extname = 'timescaledb'`)
  return rows.length > 0
}

/**
 * What is wrong with the tables that Electric sees: partitioned ones, hypertables and ones without the full replica identity all
 * lose or double rows there. Empty when all is well.
 */
export async function publicationFaults(queries: Queries): Promise<string[]> {
  const { rows: extension } = await queries.query(`SELECT FROM pg_extension WHERE extname = 'timescaledb'`)
  const hyper =
    extension.length > 0
      ? `EXISTS (SELECT FROM timescaledb_information.hypertables h WHERE h.hypertable_schema = p.schemaname AND h.hypertable_name = p.tablename)`
      : 'false'
  const { rows } = await queries.query<{
    name: string
    kind: string
    identity: string
    part: boolean
    hyper: boolean
  }>(
    `SELECT p.tablename AS name, c.relkind AS kind, c.relreplident AS identity, c.relispartition AS part, ${hyper} AS hyper
     FROM pg_publication_tables p
     JOIN pg_namespace s ON s.nspname = p.schemaname
     JOIN pg_class c ON c.relname = p.tablename AND c.relnamespace = s.oid
     ORDER BY p.tablename`,
  )
  return rows.flatMap(({ name, kind, identity, part, hyper: isHyper }) => [
    ...(kind === 'p' || part ? [`${name} is partitioned`] : []),
    ...(isHyper ? [`${name} is a hypertable`] : []),
    ...(identity === 'f' ? [] : [`${name} lacks REPLICA IDENTITY FULL`]),
  ])
}
