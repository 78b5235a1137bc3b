/** Month partitions of bulk tables, made before the first row of a month needs one, dropped whole when the month is too old. */
import type { SyncRow } from '../wire.ts'
import type { Queries } from './database.ts'
import { BULK_TABLES } from './schema.ts'

export interface Months {
  /** Makes the partitions that these rows fall into; months that no hub can honestly speak of stay in the default partition. */
  make(rows: readonly Pick<SyncRow, 'kind' | 'body'>[], nowMs: number): Promise<void>
  /** Drops months that ended before that instant; answers with the names of the partitions. */
  drop(beforeMs: number): Promise<string[]>
}

const YEARS_BACK = 10
const DAYS_AHEAD_MS = 31 * 86_400_000

interface Month {
  name: string
  fromMs: number
  toMs: number
}

function monthOf(atMs: number): Month {
  const at = new Date(atMs)
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()]
  const name = `${String(year).padStart(4, '0')}_${String(month + 1).padStart(2, '0')}`
  return { name, fromMs: Date.UTC(year, month), toMs: Date.UTC(year, month + 1) }
}

/** Remembers which partitions it has seen; several instances may make the same one. */
export function createMonths(owner: Queries): Months {
  const made = new Set<string>()
  let isPartitioned: boolean | null = null
  const ask = async () => {
    const { rows } = await owner.query(
      `SELECT FROM pg_class WHERE oid = 'raw_chunk'::regclass AND relkind = 'p'`,
    )
    return rows.length > 0
  }
  return {
    async make(rows, nowMs) {
      const due = new Map<string, Month & { table: string }>()
      for (const { kind, body } of rows) {
        if (body === null || !isBulk(kind)) continue
        const startMs = Number(body['start'])
        if (startMs < nowMs - YEARS_BACK * 366 * 86_400_000 || startMs > nowMs + DAYS_AHEAD_MS) continue
        const month = monthOf(startMs)
        const partition = `${kind}_${month.name}`
        if (!made.has(partition)) due.set(partition, { ...month, table: kind })
      }
      if (due.size === 0) return
      isPartitioned ??= await ask()
      for (const [partition, { table, fromMs, toMs }] of due) {
        if (isPartitioned) await create(owner, partition, table, fromMs, toMs)
        made.add(partition)
      }
    },
    async drop(beforeMs) {
      isPartitioned ??= await ask()
      if (!isPartitioned) return dropChunks(owner, beforeMs)
      const { rows } = await owner.query<{ name: string }>(
        `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent IN ('raw_chunk'::regclass, 'rollup_minute'::regclass) ORDER BY c.relname`,
      )
      const old = rows.map(({ name }) => name).filter((name) => endOf(name) <= beforeMs)
      for (const name of old) await owner.query(`DROP TABLE IF EXISTS ${name}`)
      for (const name of old) made.delete(name)
      return old
    },
  }
}

function isBulk(kind: string): boolean {
  return (BULK_TABLES as readonly string[]).includes(kind)
}

/** Infinity for the default partitions, which never go. */
function endOf(partition: string): number {
  const parts = /_(\d{4})_(\d{2})$/.exec(partition)
  return parts ? Date.UTC(Number(parts[1]), Number(parts[2])) : Number.POSITIVE_INFINITY
}

async function create(owner: Queries, partition: string, table: string, fromMs: number, toMs: number) {
  try {
    await owner.query(
      `CREATE TABLE IF NOT EXISTS ${partition} PARTITION OF ${table} FOR VALUES FROM (${fromMs}) TO (${toMs})`,
    )
  } catch (cause) {
    // Another instance was faster, or rows of that month already lie in the default partition and stay there.
    if (!/already exists|would be violated|duplicate key/.test(String(cause))) throw cause
  }
}

async function dropChunks(owner: Queries, beforeMs: number): Promise<string[]> {
  const dropped: string[] = []
  for (const table of BULK_TABLES) {
    const { rows } = await owner.query<{ name: string }>(
      `SELECT drop_chunks('${table}', $1::bigint) AS name`,
      [beforeMs],
    )
    dropped.push(...rows.map(({ name }) => name))
  }
  return dropped
}
