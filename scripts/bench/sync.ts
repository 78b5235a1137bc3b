/** The way to the cloud: bytes, catching up, memory, lag, idle traffic and what the feed costs, against a cloud over a real Postgres. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import Database from 'better-sqlite3'
import pg from 'pg'
import { createCloudbase, migrate } from '../../sync/cloud/database.ts'
import { addCode, addHousehold } from '../../sync/cloud/households.ts'
import { serviceKey } from '../../sync/cloud/identity.ts'
import { cloudRows } from './cloud.ts'
import { interleaved, median, quantile, type Row, Skipped } from './row.ts'
import { watchDay } from './sync-day.ts'
import { type BenchHub, benchHub } from './sync-hub.ts'

const MAIN = fileURLToPath(new URL('../../daemon/main.js', import.meta.url))
const DAY_MS = 86_400_000
const START_MS = Date.UTC(2026, 2, 2)
const MB = 1024 ** 2
const LAGS = 40
const IDLE_MS = 45_000
/** What thirty days of one watch are in minutes and series, as rows. */
const MANY_ROWS = 232_920

interface Cloud {
  address: string
  sql: pg.Pool
  /** Opens a hub and joins it to a household, to one of its own unless told. */
  join(home?: string, address?: string): Promise<BenchHub>
  newHome(): Promise<string>
  close(): Promise<void>
}

/** Needs `HF_TEST_PG_URL`: a Postgres with logical replication that may be written to. */
export async function syncRows(): Promise<Row[]> {
  const server = process.env['HF_TEST_PG_URL']
  if (!server) throw new Skipped('set HF_TEST_PG_URL to a Postgres that may be written to')
  const name = `hf_bench_${randomBytes(4).toString('hex')}`
  await once(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const cloud = await startCloud(url.toString())
  try {
    const { rows, day } = await dayRows(cloud)
    rows.push(...(await catchUpRows(cloud, day)), ...(await lagRows(cloud)), await idleRow(cloud))
    await day.close()
    return [...rows, await feedRow(day.path), ...(await cloudRows())]
  } finally {
    await cloud.close()
    await once(server, `DROP DATABASE ${name} WITH (FORCE)`).catch(() => {})
  }
}

async function once(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}

async function startCloud(url: string): Promise<Cloud> {
  await migrate(url)
  const base = createCloudbase({ url, connections: 1 })
  const key = await serviceKey(base.owner)
  const child = spawn(
    process.execPath,
    [MAIN, 'cloud', '--database', url, '--listen', '127.0.0.1:0', '--shapes', 'builtin', '--log', 'info'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const sql = new pg.Pool({ connectionString: url, max: 1 })
  sql.on('error', () => {})
  const cloudAt = await addressOf(child)
  const hubs: BenchHub[] = []
  const newHome = async () => (await addHousehold(base.owner, 'Bench', Date.now())).id
  return {
    ...{ address: cloudAt, sql, newHome },
    async join(home, address = cloudAt) {
      const { code } = await addCode(base.owner, key, home ?? (await newHome()), Date.now())
      const hub = await benchHub(address, code)
      hubs.push(hub)
      return hub
    },
    async close() {
      for (const hub of hubs) await hub.close()
      child.kill('SIGTERM')
      await new Promise((resolve) => child.once('exit', resolve))
      await base.close()
      await sql.end()
    },
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const hear = (chunk: Buffer) => {
      said += chunk.toString()
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said)
      if (found) resolve(found[0])
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.once('exit', () => reject(new Error(`the cloud ended: ${said}`)))
  })
}

async function addWatch({ store }: BenchHub, number: number): Promise<void> {
  await store.write([
    {
      sql: `INSERT INTO device (id, name, type, created_at) VALUES (:id, :id, 'watch', 0)`,
      params: { id: `watch-${number}` },
    },
    {
      sql: `INSERT INTO person (id, name, timezone, created_at, updated_at) VALUES (:id, :id, 'UTC', 0, 0)`,
      params: { id: `person-${number}` },
    },
  ])
}

const EVERYTHING = (['wellness', 'glucose', 'training'] as const).map((of) => ({ class: of, raw: true }))

/** One day of one watch, taken in, packed and sent: what it is on the line. The hub stays open with that day in it. */
async function dayRows(cloud: Cloud): Promise<{ rows: Row[]; day: BenchHub }> {
  const hub = await cloud.join()
  await addWatch(hub, 1)
  const values = watchDay('person-1', 'watch-1', START_MS)
  for (let at = 0; at < values.length; at += 2000)
    await hub.store.observations.append(values.slice(at, at + 2000))
  // A day is packed, and its last hour closed, once the next one has begun.
  const tomorrow = watchDay('person-1', 'watch-1', START_MS + DAY_MS)
  await hub.store.observations.append(tomorrow.filter(({ atMs }) => atMs < START_MS + DAY_MS + 1000))
  await hub.store.upkeep(null)
  await hub.drained()
  const before = bytesOf(hub)
  await hub.sync.choose('person-1', EVERYTHING)
  await hub.drained()
  const after = bytesOf(hub)
  const [raw, rollups] = [
    (after['bulk'] ?? 0) - (before['bulk'] ?? 0),
    (after['state'] ?? 0) - (before['state'] ?? 0),
  ]
  const naive = Buffer.from(
    values
      .map(({ personId, deviceId, metric, atMs, value, source, quality }) =>
        JSON.stringify({
          ...{ person_id: personId, device_id: deviceId, metric, ts: new Date(atMs).toISOString(), value },
          ...{ source, quality },
        }),
      )
      .join('\n'),
  )
  const [plain, zipped] = [naive.length, gzipSync(naive, { level: 6 }).length]
  const kb = (bytes: number) => `${(bytes / 1000).toFixed(1)} KB`
  return {
    day: hub,
    rows: [
      {
        ...{
          name: `device-day, lossless (${values.length} values)`,
          hub: kb(raw),
          beside: `JSON ${kb(plain)}`,
        },
        ...{
          ratio: plain / raw,
          figure: raw,
          target: '≤ 130 KB, ≥ 100×',
          met: raw <= 130_000 && plain / raw >= 100,
        },
      },
      {
        ...{ name: 'the same beside JSON + gzip', hub: kb(raw), beside: `JSON + gzip ${kb(zipped)}` },
        ...{ ratio: zipped / raw, target: '≥ 4×', met: zipped / raw >= 4 },
      },
      {
        ...{ name: 'device-day, hours and days with histograms', hub: kb(rollups), beside: '', ratio: null },
        ...{ figure: rollups, target: '≤ 12 KB', met: rollups <= 12_000 },
      },
    ],
  }
}

function bytesOf({ store }: BenchHub): Record<string, number> {
  const lanes = store.all<{ lane: string; bytes: number }>('SELECT lane, bytes FROM sync_lane')
  return Object.fromEntries(lanes.map(({ lane, bytes }) => [lane, bytes]))
}

/** Copies of the first watch's day, so many days of so many watches. */
async function fill({ store }: BenchHub, watches: number, days: number): Promise<void> {
  for (let watch = 1; watch <= watches; watch += 1)
    for (let day = 0; day < days; day += 1) {
      const params = {
        person: `person-${watch}`,
        device: `watch-${watch}`,
        byMs: (day + 1) * DAY_MS,
        from: START_MS,
        to: START_MS + DAY_MS,
      }
      const key = (table: string, name: string) => `(SELECT key FROM ${table} WHERE id = :${name})`
      await store.write([
        {
          sql: `INSERT OR IGNORE INTO rollup SELECT level, ${key('person', 'person')}, metric, start + :byMs, ${key('device', 'device')}, n, sum, sum_sq,
              min, min_at + :byMs, max, max_at + :byMs, first, first_at + :byMs, last, last_at + :byMs, covered_ms, sum_v_dt, n_diff,
              sum_sq_diff, bins, rev
            FROM rollup WHERE level > 15 AND person = 1 AND start >= :from AND start < :to`,
          params,
        },
        {
          sql: `INSERT OR IGNORE INTO sealed_day (person, metric, device, day, n, min, max, chunk, minute_rows)
            SELECT ${key('person', 'person')}, metric, ${key('device', 'device')}, day + :byMs, n, min, max, chunk, 0
            FROM sealed_day WHERE person = 1 AND day = :from`,
          params,
        },
      ])
    }
}

interface Caught {
  seconds: number
  rows: number
  mb: number
}

/** From the network's return until everything is acknowledged. */
async function caughtUp(hub: BenchHub): Promise<Caught> {
  const rows = (['now', 'state', 'bulk'] as const).reduce((sum, lane) => sum + hub.sync.state.depth(lane), 0)
  globalThis.gc?.()
  const idle = process.memoryUsage().rss
  let most = idle
  const looking = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss)
  }, 50)
  const fromMs = performance.now()
  await hub.sync.pause(false)
  hub.sync.kick()
  await hub.drained()
  clearInterval(looking)
  return { seconds: (performance.now() - fromMs) / 1000, rows, mb: (most - idle) / MB }
}

async function catchUpRows(cloud: Cloud, day: BenchHub): Promise<Row[]> {
  const rows: Row[] = []
  const memory: number[] = []
  for (const [watches, days, within] of [
    [1, 7, 15],
    [8, 7, 15],
    [1, 30, 8],
    [8, 30, 60],
  ] as const) {
    const hub = await cloud.join()
    for (let watch = 1; watch <= watches; watch += 1) {
      await addWatch(hub, watch)
      await hub.sync.choose(`person-${watch}`, EVERYTHING)
    }
    await hub.drained()
    await hub.sync.pause(true)
    await copyDay(day, hub)
    await fill(hub, watches, days - 1)
    const { seconds, rows: sent, mb } = await caughtUp(hub)
    memory.push(mb)
    await hub.close()
    rows.push({
      ...{
        name: `catch-up, ${days} days × ${watches} (${sent} rows and chunks)`,
        hub: `${seconds.toFixed(1)} s`,
      },
      ...{
        beside: `${Math.round(sent / seconds)} rows/s, +${mb.toFixed(0)} MB`,
        ratio: null,
        figure: seconds,
      },
      ...{ target: `≤ ${within} s`, met: seconds <= within },
    })
  }
  const many = await manyRows(cloud)
  memory.push(many.mb)
  rows.push(
    {
      ...{
        name: `catch-up, ${MANY_ROWS} roll-ups`,
        hub: `${many.seconds.toFixed(1)} s`,
        beside: `${Math.round(many.rows / many.seconds)} rows/s`,
      },
      ...{ ratio: null, figure: many.seconds, target: '≤ 8 s', met: many.seconds <= 8 },
    },
    {
      ...{ name: 'memory while catching up, over idle', hub: `+${Math.max(...memory).toFixed(0)} MB` },
      ...{
        beside: `7 days × 1: +${(memory[0] ?? 0).toFixed(0)} MB`,
        ratio: null,
        figure: Math.max(...memory),
      },
      ...{ target: '≤ 40 MB', met: Math.max(...memory) <= 40 },
    },
  )
  return rows
}

/** The first day of the first watch, from the hub that took it in. */
async function copyDay(from: BenchHub, to: BenchHub): Promise<void> {
  const copy = async (table: string, where: string, leave: readonly string[] = []) => {
    const rows = from.store.all<Record<string, string | number | null | Uint8Array>>(
      `SELECT * FROM ${table} WHERE ${where}`,
    )
    for (let at = 0; at < rows.length; at += 100)
      await to.store.write(
        rows.slice(at, at + 100).map((row) => {
          const names = Object.keys(row).filter((column) => !leave.includes(column))
          return {
            sql: `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((column) => `:${column}`).join(', ')})`,
            params: Object.fromEntries(names.map((column) => [column, row[column] ?? null])),
          }
        }),
      )
  }
  const whose = `person = 1`
  await copy('rollup', `${whose} AND level > 15 AND start >= ${START_MS} AND start < ${START_MS + DAY_MS}`)
  await copy('sealed_day', `${whose} AND day = ${START_MS}`, ['id'])
}

async function manyRows(cloud: Cloud): Promise<Caught> {
  const hub = await cloud.join()
  await addWatch(hub, 1)
  await hub.sync.choose('person-1', [{ class: 'wellness', raw: false }])
  await hub.drained()
  await hub.sync.pause(true)
  const metrics = hub.store.all<{ metric: number }>(
    'SELECT 1 AS metric UNION ALL SELECT 6 UNION ALL SELECT 7',
  )
  const each = Math.ceil(MANY_ROWS / metrics.length)
  for (const { metric } of metrics)
    for (let from = 0; from < each; from += 20_000)
      await hub.store.write([
        {
          sql: `INSERT INTO rollup
            WITH RECURSIVE hour (h) AS (SELECT :from UNION ALL SELECT h + 1 FROM hour WHERE h + 1 < :to)
            SELECT 60, p.key, :metric, :start - h * 3600000, d.key, 60, 4200 + h % 90, 300000, 55, :start - h * 3600000, 120 - h % 7,
              :start - h * 3600000, 70 + h % 9, :start - h * 3600000, 71, :start - h * 3600000, 3600000, NULL, 59, 300 + h % 50, x'', 1
            FROM hour, person p, device d WHERE p.id = 'person-1' AND d.id = 'watch-1'`,
          params: { from, to: Math.min(each, from + 20_000), metric, start: START_MS },
        },
      ])
  const caught = await caughtUp(hub)
  await hub.close()
  return caught
}

async function lagRows(cloud: Cloud): Promise<Row[]> {
  const home = await cloud.newHome()
  const [one, other] = [await cloud.join(home), await cloud.join(home)]
  await addWatch(one, 100)
  await one.sync.choose('person-100', EVERYTHING)
  await one.drained()
  const [up, across]: [number[], number[]] = [[], []]
  for (let index = 0; index < LAGS; index += 1) {
    const id = `lag-${index}`
    await new Promise((resolve) => setTimeout(resolve, 50 + ((index * 37) % 100)))
    await one.store.write([
      {
        sql: `INSERT INTO calendar_event (id, person_key, title, event_type, start_at, end_at, timezone, created_at, updated_at)
          SELECT :id, key, 'Lag', 'training', 1, 2, 'UTC', :nowMs, :nowMs FROM person WHERE id = 'person-100'`,
        params: { id, nowMs: Date.now() },
      },
    ])
    const fromMs = performance.now()
    const found = async () =>
      (await cloud.sql.query('SELECT FROM household_feed WHERE id = $1', [id])).rowCount === 1
    while (!(await found())) await new Promise((resolve) => setTimeout(resolve, 3))
    up.push(performance.now() - fromMs)
    const isThere = () => other.store.get('SELECT 1 FROM sync_entity WHERE id = :id', { id }) !== undefined
    while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 3))
    across.push(performance.now() - fromMs)
  }
  await one.close()
  await other.close()
  const row = (name: string, values: number[], most: number): Row => ({
    ...{
      name,
      hub: `p95 ${quantile(values, 0.95).toFixed(0)} ms`,
      beside: `p50 ${median(values).toFixed(0)} ms`,
      ratio: null,
    },
    ...{ figure: quantile(values, 0.95), target: `< ${most} ms`, met: quantile(values, 0.95) < most },
  })
  return [
    row('lag: committed on a hub → in the cloud', up, 300),
    row('lag: committed on a hub → on another', across, 1000),
  ]
}

/** Everything that crosses the line in both directions while nothing happens. */
async function idleRow(cloud: Cloud): Promise<Row> {
  let bytes = 0
  const sockets = new Set<Socket>()
  const line: Server = createServer((near) => {
    const far = connect(Number(new URL(cloud.address).port), '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
      from.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        to.write(chunk)
      })
    }
  })
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve))
  const at = line.address()
  const port = typeof at === 'object' && at ? at.port : 0
  const hub = await cloud.join(await cloud.newHome(), `http://127.0.0.1:${port}`)
  await hub.drained()
  await new Promise((resolve) => setTimeout(resolve, 5000))
  bytes = 0
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const aDay = (bytes * DAY_MS) / IDLE_MS
  await hub.close()
  for (const socket of sockets) socket.destroy()
  line.close()
  return {
    ...{
      name: 'idle traffic of a hub-day, both ways',
      hub: `${(aDay / 1000).toFixed(0)} KB`,
      beside: `${bytes} bytes in ${IDLE_MS / 1000} s`,
    },
    ...{ ratio: null, figure: aDay, target: '≤ 200 KB', met: aDay <= 200_000 },
  }
}

/** The same 20 hours written again with and without a household in the cloud, on two copies of one database. */
async function feedRow(path: string): Promise<Row> {
  const open = async (isOn: boolean) => {
    const copy = join(path, '..', `feed-${isOn}.db`)
    const source = new Database(path)
    await source.backup(copy)
    source.close()
    const db = new Database(copy)
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = NORMAL')
    if (!isOn) db.exec('DELETE FROM sync_hub')
    const keys = db
      .prepare<[], { metric: number; start: number }>(
        'SELECT metric, start FROM rollup WHERE level = 60 AND person = 1 ORDER BY metric, start LIMIT 20',
      )
      .all()
    const touch = db.prepare<{ metric: number; start: number }>(
      'UPDATE rollup SET rev = rev + 1 WHERE level = 60 AND person = 1 AND metric = :metric AND start = :start',
    )
    const unit = db.transaction(() => {
      for (const key of keys) touch.run(key)
    })
    return { db, unit }
  }
  const [on, off] = [await open(true), await open(false)]
  const timed = (unit: () => void) => async () => {
    const from = process.cpuUsage()
    for (let index = 0; index < 100; index += 1) unit()
    const { user, system } = process.cpuUsage(from)
    return (user + system) / 100_000
  }
  const { withFeed, without } = await interleaved(15, { withFeed: timed(on.unit), without: timed(off.unit) })
  on.db.close()
  off.db.close()
  const cost = median(withFeed.map((value, index) => value - (without[index] ?? value)))
  return {
    ...{
      name: 'feed, added to a unit of 20 rows (processor time)',
      hub: `+${cost.toFixed(3)} ms`,
      beside: `without ${median(without).toFixed(3)} ms`,
      ratio: null,
    },
    ...{ figure: cost, target: '≤ 0.15 ms', met: cost <= 0.15 },
  }
}
