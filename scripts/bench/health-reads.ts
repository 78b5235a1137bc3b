import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { metricNamed } from '../../daemon/domain/metric.ts'
import type { Observation } from '../../daemon/domain/observation.ts'
import { createStore } from '../../daemon/store/open.ts'
import { addSample, type Bucket, emptyBucket } from '../../models/series/rollup.ts'
import { temporaryData } from './hub-process.ts'
import { interleaved, median, pairedRatio, quantile, type Row } from './row.ts'
import { openSite, type Site } from './site.ts'
import { shortNumber } from './table.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const DAYS = 90
const EVERY_MS = 300_000
const BULK = 10_000
const REQUESTS = 6
const ROUNDS = 3
const LATE = 60
const ASKS = 200
const SENDERS = 4
const PAUSE_MS = 20

/** Bulk readings, what one late reading costs, and three months of days while readings come in. */
export async function healthReadRows(): Promise<Row[]> {
  const dataDir = temporaryData()
  const site = await openSite({ persons: SENDERS, watches: SENDERS }, {}, dataDir)
  const rows = await siteRows(site)
  await site.stop()
  return [...rows, await lateRow(join(dataDir, 'homefield.db'))]
}

async function siteRows(site: Site): Promise<Row[]> {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
  try {
    const endMs = Math.floor(Date.now() / EVERY_MS) * EVERY_MS
    let from = 0
    const { hub, bare } = await interleaved(ROUNDS, {
      hub: async () => {
        const perS = await bulk(site, agent, endMs, from)
        from += REQUESTS * BULK
        return perS
      },
      bare: async () => bareInserts(endMs),
    })
    const quiet = await dashboard(site)
    const sending = { on: true }
    const senders = site.household.watches.map((watch) => keepSending(site, agent, watch.key, sending))
    const busy = await dashboard(site)
    sending.on = false
    const sent = (await Promise.all(senders)).reduce((sum, count) => sum + count, 0)
    return [
      {
        name: `POST /glucose/bulk, ${BULK} readings a request`,
        hub: `${shortNumber(median(hub))} rows/s`,
        beside: `bare better-sqlite3, ${BULK} a transaction: ${shortNumber(median(bare))} rows/s`,
        ratio: pairedRatio(hub, bare),
        target: '',
        met: null,
      },
      {
        name: `GET /people/:id/daily, ${DAYS} days, while ${shortNumber(sent / busy.tookS)} readings/s come in`,
        hub: `p99 ${shortNumber(quantile(busy.ms, 0.99))} ms, p50 ${shortNumber(median(busy.ms))} ms`,
        beside: `quiet: p99 ${shortNumber(quantile(quiet.ms, 0.99))} ms, p50 ${shortNumber(median(quiet.ms))} ms`,
        ratio: quantile(busy.ms, 0.99) / quantile(quiet.ms, 0.99),
        target: '',
        met: null,
      },
    ]
  } finally {
    agent.destroy()
  }
}

/** One phone that has years to tell, request after request. */
async function bulk(site: Site, agent: Agent, endMs: number, from: number): Promise<number> {
  const key = site.household.watches[0]?.key ?? ''
  const bodies = Array.from({ length: REQUESTS }, (_, request) =>
    JSON.stringify({
      readings: Array.from({ length: BULK }, (_, index) => {
        const place = from + request * BULK + index
        return {
          timestamp: endMs + (place - ROUNDS * REQUESTS * BULK) * EVERY_MS,
          value: 80 + ((place * 7) % 120),
        }
      }),
    }),
  )
  const startMs = performance.now()
  for (const body of bodies) await send(site, agent, { method: 'POST', path: '/glucose/bulk', key, body })
  return (REQUESTS * BULK) / ((performance.now() - startMs) / 1000)
}

/** As durable, keyed the same, and nothing else done with them. */
function bareInserts(endMs: number): number {
  const db = new Database(join(temporaryData(), 'bare.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(
    `CREATE TABLE observation (ts INTEGER, person INTEGER, metric INTEGER, device INTEGER, value REAL,
       PRIMARY KEY (ts, person, metric, device)) STRICT, WITHOUT ROWID`,
  )
  const insert = db.prepare('INSERT INTO observation VALUES (?, 1, 1, 1, ?)')
  const startMs = performance.now()
  for (let from = 0; from < REQUESTS * BULK; from += BULK)
    db.transaction(() => {
      for (let place = from; place < from + BULK; place += 1)
        insert.run(endMs + (place - REQUESTS * BULK) * EVERY_MS, 80 + ((place * 7) % 120))
    })()
  const perS = (REQUESTS * BULK) / ((performance.now() - startMs) / 1000)
  db.close()
  return perS
}

async function dashboard(site: Site): Promise<{ ms: number[]; tookS: number }> {
  const { control } = site.hub
  const from = new Date(Date.now() - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10)
  const ms: number[] = []
  const startMs = performance.now()
  for (let ask = 0; ask < ASKS; ask += 1) {
    const fromMs = performance.now()
    await control.call('GET', `/people/${site.household.persons[0]}/daily?from=${from}`)
    ms.push(performance.now() - fromMs)
  }
  return { ms, tookS: (performance.now() - startMs) / 1000 }
}

/** A watch that tells what it measured, also of the day that is looked at. */
async function keepSending(site: Site, agent: Agent, key: string, sending: { on: boolean }): Promise<number> {
  let count = 0
  while (sending.on) {
    const samples = Array.from({ length: 20 }, (_, index) => ({
      ts: Date.now() - 20 * 1000 + index * 1000,
      metric: 'heart_rate',
      value: 60 + ((count + index) % 60),
    }))
    await send(site, agent, {
      method: 'POST',
      path: '/health_data/ingest',
      key,
      body: JSON.stringify({ samples }),
    })
    count += samples.length
    await sleep(PAUSE_MS)
  }
  return count
}

function send(
  { hub }: Site,
  agent: Agent,
  { method, path, key, body }: { method: string; path: string; key: string; body: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      'x-api-key': key,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    const asked = request(
      { host: '127.0.0.1', port: hub.json.httpsPort, path: `/api/v1${path}`, method, agent, headers },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => {
          if (text.length < 300) text += part
        })
        answer.on('end', () =>
          (answer.statusCode ?? 500) < 300
            ? resolve()
            : reject(new Error(`${path}: ${answer.statusCode} ${text}`)),
        )
      },
    )
    asked.on('error', reject).end(body)
  })
}

/** A reading that comes weeks late, until its hour and its day are right again, beside adding the whole series up anew. */
async function lateRow(path: string): Promise<Row> {
  const store = await createStore({ path, now: Date.now, onFailure: (cause) => void console.error(cause) })
  try {
    const series = { personId: 'person_0', metric: 'glucose' }
    const endMs = Math.floor(Date.now() / DAY_MS) * DAY_MS
    const fromMs = endMs - DAYS * DAY_MS
    const late: number[] = []
    const whole: number[] = []
    for (let index = 0; index < LATE; index += 1) {
      const atMs = fromMs + index * 20 * HOUR_MS + 61_000
      const row: Observation = {
        ...series,
        ...{ deviceId: 'watch_0', atMs, value: 100 + index, source: 'glucose', quality: null, extra: null },
      }
      const startMs = performance.now()
      await store.observations.append([row])
      const day = { ...series, fromMs: atMs - DAY_MS, toMs: atMs + DAY_MS, limit: 10 }
      await store.observations.level({ ...day, level: '1d' })
      late.push(performance.now() - startMs)
      if (index % 10 === 0) whole.push(addUp(path, fromMs, endMs))
    }
    return {
      name: `one late reading, its hour and day right again (of ${DAYS} days every 5 min)`,
      hub: `${shortNumber(median(late))} ms, p99 ${shortNumber(quantile(late, 0.99))} ms`,
      beside: `adding the ${DAYS} days up from raw: ${shortNumber(median(whole))} ms`,
      ratio: median(late) / median(whole),
      target: '',
      met: null,
    }
  } finally {
    await store.close()
  }
}

/** Hours and days of a series from its rows, in process. */
function addUp(path: string, fromMs: number, toMs: number): number {
  const db = new Database(path, { readonly: true })
  const glucose = metricNamed('glucose')
  if (!glucose) throw new Error('there is no glucose')
  const startMs = performance.now()
  const person = db
    .prepare<[string], { key: number }>('SELECT key FROM person WHERE id = ?')
    .get('person_0')?.key
  const rows = db.prepare<unknown[], { ts: number; value: number }>(
    'SELECT ts, value FROM observation WHERE ts >= ? AND ts < ? AND person = ? AND metric = ? ORDER BY ts',
  )
  const buckets = new Map<string, Bucket>()
  for (const { ts, value } of rows.iterate(fromMs, toMs, person, glucose.key)) {
    for (const length of [HOUR_MS, DAY_MS]) {
      const name = `${length}:${Math.floor(ts / length)}`
      const bucket = buckets.get(name) ?? emptyBucket()
      buckets.set(name, bucket)
      addSample(bucket, ts, Math.round(value * glucose.scale), glucose)
    }
  }
  const took = performance.now() - startMs
  db.close()
  return took
}
