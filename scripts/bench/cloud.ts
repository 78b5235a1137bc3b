/** Rows into the cloud's Postgres: our keyed, idempotent way beside plain COPY and row by row, on the same table and server. */
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { applyBatch } from '../../sync/cloud/apply.ts'
import { readBatch } from '../../sync/cloud/batch.ts'
import { createCloudbase, migrate } from '../../sync/cloud/database.ts'
import { createMonths } from '../../sync/cloud/months.ts'
import { NO_FAILPOINTS } from '../../sync/failpoint.ts'
import { packRollups } from '../../sync/pack.ts'
import { type Rollup, seriesKey } from '../../sync/rows.ts'
import type { SyncRequest } from '../../sync/wire.ts'
import { interleaved, median, pairedRatio, type Row, Skipped } from './row.ts'

const ROWS = 20_000
const BATCH = 5000
const BLOBS = 5000
const BLOB_BYTES = 700
const SINGLE_ROWS = 1000
const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2026, 0, 1)

/** Needs `HF_TEST_PG_URL`: a Postgres that may be written to; the bench makes a database of its own in it and drops it. */
export async function cloudRows(): Promise<Row[]> {
  const server = process.env['HF_TEST_PG_URL']
  if (!server) throw new Skipped('set HF_TEST_PG_URL to a Postgres that may be written to')
  const name = `hf_bench_${randomBytes(4).toString('hex')}`
  await once(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  try {
    return await measured(url.toString())
  } finally {
    await once(server, `DROP DATABASE ${name} WITH (FORCE)`)
  }
}

async function once(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}

async function measured(url: string): Promise<Row[]> {
  await migrate(url)
  const base = createCloudbase({ url, connections: 2 })
  const sql = new pg.Client({ connectionString: url })
  sql.on('error', () => {})
  await sql.connect()
  await sql.query(`INSERT INTO household (id, name, created_at) VALUES ('home', 'Home', 0);
    CREATE TABLE copied (LIKE rollup_hour INCLUDING ALL); CREATE TABLE single (LIKE rollup_hour INCLUDING ALL)`)
  const deps = { base, months: createMonths(base.owner), now: () => START_MS, failpoints: NO_FAILPOINTS }
  let hubs = 0
  const newHub = async () => {
    hubs += 1
    const id = `hub${hubs}`
    await sql.query(
      `INSERT INTO hub (id, household_id, name, version, public_key, registered_at) VALUES ($1, 'home', $1, '1', $1, 0)`,
      [id],
    )
    return { id, household: 'home' }
  }
  const bodies = Array.from({ length: ROWS }, (_, index) => hourOf(index))
  const sent = async (again: boolean) => {
    await sql.query('TRUNCATE rollup_hour')
    const hub = await newHub()
    const batches = batchesOf(hub.id, bodies)
    const send = async () => {
      let token: string | null = null
      for (const batch of batches) {
        const applied = await applyBatch(deps, hub, { ...batch, token }, readBatch(batch), 0)
        if (applied.kind === 'conflict') throw new Error(applied.answer.reason)
        token = applied.answer.token
      }
    }
    if (!again) return perSecond(ROWS, send)
    await send()
    await sql.query(
      'UPDATE hub_lane SET token = NULL, previous_token = NULL, watermark = 0 WHERE hub_id = $1',
      [hub.id],
    )
    return perSecond(ROWS, send)
  }
  const results = await interleaved(3, {
    ours: () => sent(false),
    replayed: () => sent(true),
    copied: async () => {
      await sql.query('TRUNCATE copied')
      return perSecond(ROWS, () =>
        pipeline(
          Readable.from(copyLines(bodies)),
          sql.query(copyFrom(`COPY copied (${COLUMNS.join(', ')}) FROM STDIN`)),
        ),
      )
    },
    single: async () => {
      await sql.query('TRUNCATE single')
      return perSecond(SINGLE_ROWS, async () => {
        for (const body of bodies.slice(0, SINGLE_ROWS)) await sql.query(SINGLE_SQL, valuesOf(body))
      })
    },
    blobs: async () => {
      const hub = await newHub()
      const batches = chunksOf(hub.id)
      return perSecond(BLOBS, async () => {
        let token: string | null = null
        for (const batch of batches) {
          const applied = await applyBatch(deps, hub, { ...batch, token }, readBatch(batch), 0)
          if (applied.kind === 'conflict') throw new Error(applied.answer.reason)
          token = applied.answer.token
        }
      })
    },
  })
  await sql.end()
  await base.close()
  return rowsOf(results)
}

function rowsOf(results: Record<'ours' | 'replayed' | 'copied' | 'single' | 'blobs', number[]>): Row[] {
  const shown = (values: number[]) => `${(median(values) / 1000).toFixed(1)}k/s`
  const [toCopy, toSingle] = [
    pairedRatio(results.ours, results.copied),
    pairedRatio(results.ours, results.single),
  ]
  return [
    {
      name: 'roll-ups into Postgres, keyed and idempotent',
      hub: shown(results.ours),
      beside: `plain COPY ${shown(results.copied)}`,
      ratio: toCopy,
      target: '≥ 0.6',
      met: toCopy >= 0.6,
    },
    {
      name: 'the same beside row by row',
      hub: shown(results.ours),
      beside: `single inserts ${shown(results.single)}`,
      ratio: toSingle,
      target: '≥ 10',
      met: toSingle >= 10,
    },
    {
      name: 'the same rows again',
      hub: shown(results.replayed),
      beside: '',
      ratio: null,
      target: '',
      met: null,
    },
    {
      name: 'raw chunks into Postgres',
      hub: shown(results.blobs),
      beside: '',
      ratio: null,
      figure: median(results.blobs),
      target: '≥ 5k/s',
      met: median(results.blobs) >= 5000,
    },
  ]
}

async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  const fromMs = performance.now()
  await work()
  return (count / (performance.now() - fromMs)) * 1000
}

function hourOf(index: number): Rollup {
  const start = START_MS + Math.floor(index / 7) * HOUR_MS
  return {
    subject: 'mia',
    device: 'watch-1',
    metric: `metric_${index % 7}`,
    scale: 1,
    start,
    n: 3600,
    sum: 280_000 + index,
    sum_sq: 22_000_000 + index,
    min: 55,
    min_at: start + 1000,
    max: 121,
    max_at: start + 9000,
    first: 70,
    first_at: start,
    last: 75,
    last_at: start + 3_599_000,
    covered_ms: HOUR_MS,
    sum_v_dt: 250_000_000 + index,
    n_diff: 3599,
    sum_sq_diff: 1200,
    bins: Buffer.alloc(60, index).toString('base64'),
  }
}

function request(hub: string, more: Partial<SyncRequest>): SyncRequest {
  return { hub, epoch: 1, lane: 'state', prev: 0, max_seq: 1e9, token: null, schema: 1, rows: [], ...more }
}

/** As they come off the wire, parsed. */
function batchesOf(hub: string, bodies: readonly Rollup[]): SyncRequest[] {
  return pieces(bodies).map(({ from, piece }) => {
    const pack = packRollups(
      'rollup_hour',
      piece.map((body, index) => ({ seq: from + index + 1, body })),
    )
    return request(hub, { prev: from, rollups: [JSON.parse(JSON.stringify(pack)) as typeof pack] })
  })
}

function chunksOf(hub: string): SyncRequest[] {
  const chunks = Array.from({ length: BLOBS }, (_, index) => {
    const start = START_MS - 20 * 24 * HOUR_MS + index * 60_000
    const body = {
      subject: 'mia',
      device: 'watch-1',
      metric: 'heart_rate',
      start,
      end: start + 1,
      n: 3600,
      codec: 'series-1+br',
    }
    return { body: { ...body, enc: randomBytes(BLOB_BYTES).toString('base64') }, key: seriesKey(body) }
  })
  return pieces(chunks).map(({ from, piece }) =>
    request(hub, {
      lane: 'bulk',
      prev: from,
      rows: piece.map(({ body, key }, index) => ({
        seq: from + index + 1,
        kind: 'raw_chunk',
        v: 1,
        key,
        body,
      })),
    }),
  )
}

function pieces<Value>(values: readonly Value[]): { from: number; piece: readonly Value[] }[] {
  const count = Math.ceil(values.length / BATCH)
  return Array.from({ length: count }, (_, index) => ({
    from: index * BATCH,
    piece: values.slice(index * BATCH, (index + 1) * BATCH),
  }))
}

const NUMBERS = [
  'n',
  'scale',
  'sum',
  'sum_sq',
  'min',
  'min_at',
  'max',
  'max_at',
  'first',
  'first_at',
  'last',
  'last_at',
  'covered_ms',
  'sum_v_dt',
  'n_diff',
  'sum_sq_diff',
] as const
const COLUMNS = [
  'household_id',
  'hub_id',
  'subject',
  'device',
  'metric',
  'start',
  'epoch',
  'seq',
  ...NUMBERS,
  'bins',
]
const SINGLE_SQL = `INSERT INTO single (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})
  ON CONFLICT (household_id, subject, metric, start, device, hub_id) DO UPDATE SET seq = excluded.seq WHERE single.seq < excluded.seq`

function valuesOf(body: Rollup): unknown[] {
  const { subject, device, metric, start } = body
  return [
    'home',
    'copied',
    subject,
    device,
    metric,
    start,
    1,
    1,
    ...NUMBERS.map((name) => body[name]),
    Buffer.from(body.bins, 'base64'),
  ]
}

function* copyLines(bodies: readonly Rollup[]): Generator<string> {
  for (let from = 0; from < bodies.length; from += 500)
    yield bodies
      .slice(from, from + 500)
      .map((body) => {
        const values = valuesOf(body)
        const bins = values.pop() as Buffer
        return `${[...values, `\\\\x${bins.toString('hex')}`].join('\t')}\n`
      })
      .join('')
}
