import { join } from 'node:path'
import Database from 'better-sqlite3'
import { metricNamed } from '../../daemon/domain/metric.ts'
import type { Observation } from '../../daemon/domain/observation.ts'
import { createStore } from '../../daemon/store/open.ts'
import type { Store } from '../../daemon/store/store.ts'
import { temporaryData } from './hub-process.ts'
import { median, type Row } from './row.ts'
import { openSite } from './site.ts'
import { shortNumber } from './table.ts'

const PERSONS = 20
const METRICS = ['heart_rate', 'spo2', 'respiratory_rate', 'skin_temp', 'stress'] as const
const DAYS = 90
const DAY_MS = 86_400_000
const EVERY_MS = 300_000
const FILL_AT_MOST_MS = 60_000
const AT_ONCE = 20_000
const ASKS = 400
/** A hub that has run for a minute has compiled what it runs. */
const WARM_ASKS = 100
const RAW_AT_MOST_MS = 5
const ROLLUP_AT_MOST_MS = 1

/** Reads out of the hub's own database after three months of a household of 20: one day of a series, and its 90 daily roll-ups. */
export async function queries(): Promise<Row[]> {
  const dataDir = temporaryData()
  const site = await openSite({ persons: PERSONS, watches: PERSONS }, {}, dataDir)
  await site.stop()
  const path = join(dataDir, 'homefield.db')
  const store = await createStore({ path, now: Date.now, onFailure: (cause) => void console.error(cause) })
  try {
    const { count, fromMs, toMs } = await fill(store)
    const plain = plainCopy(path)
    const day = await timed(store, 'raw', toMs - DAY_MS, toMs)
    const quarter = await timed(store, '1d', toMs - DAYS * DAY_MS, toMs)
    const [plainDay, plainQuarter] = [
      plain(`SELECT ts, value FROM observation WHERE ${SERIES} ORDER BY ts`, toMs - DAY_MS, toMs),
      plain(
        `SELECT ts / ${DAY_MS}, count(*), min(value), max(value), avg(value) FROM observation WHERE ${SERIES} GROUP BY 1 ORDER BY 1`,
        toMs - DAYS * DAY_MS,
        toMs,
      ),
    ]
    const packed = await pack(store)
    const packedDay = await timed(store, 'raw', fromMs, fromMs + DAY_MS)
    const atRest = bytesAtRest(path)
    return [
      queryRow(`24 h of a series of ${shortNumber(count)} observations`, day, plainDay, RAW_AT_MOST_MS),
      queryRow('24 h of a series, a packed day', packedDay, plainDay, RAW_AT_MOST_MS),
      queryRow(
        `90 daily roll-ups of ${shortNumber(count)} observations`,
        quarter,
        plainQuarter,
        ROLLUP_AT_MOST_MS,
      ),
      {
        name: 'bytes at rest an observation, packed days with their indexes',
        hub: `${shortNumber(atRest.packed / packed)} B`,
        beside: `beside them roll-ups: minutes ${shortNumber(atRest.minutes / count)} B for 90 days, quarters, hours and days ${shortNumber(atRest.rollups / count)} B`,
        ratio: null,
        target: '<= 5 B',
        met: atRest.packed / packed <= 5,
      },
    ]
  } finally {
    await store.close()
  }
}

function queryRow(name: string, ours: readonly number[], theirs: readonly number[], atMostMs: number): Row {
  return {
    name,
    hub: `p50 ${shortNumber(median(ours))} ms`,
    beside: `one table keyed by series, in-process: p50 ${shortNumber(median(theirs))} ms`,
    ratio: median(ours) / median(theirs),
    target: `<= ${atMostMs} ms`,
    met: median(ours) <= atMostMs,
  }
}

/** Goes forward in time as a household does, as far as the time allows. */
async function fill(store: Store): Promise<{ count: number; fromMs: number; toMs: number }> {
  const stopMs = performance.now() + FILL_AT_MOST_MS
  const endMs = Math.floor(Date.now() / DAY_MS) * DAY_MS
  let atMs = endMs - DAYS * DAY_MS
  let count = 0
  while (atMs < endMs && performance.now() < stopMs) {
    const rows: Observation[] = []
    for (; rows.length < AT_ONCE && atMs < endMs; atMs += EVERY_MS) rows.push(...moment(atMs))
    await store.observations.append(rows)
    count += rows.length
  }
  return { count, fromMs: endMs - DAYS * DAY_MS, toMs: atMs }
}

function moment(atMs: number): Observation[] {
  return Array.from({ length: PERSONS }, (_, person) =>
    METRICS.map((metric, index) => ({
      personId: `person_${person}`,
      deviceId: `watch_${person}`,
      metric,
      atMs: atMs + person,
      value:
        metric === 'stress' ? ((atMs / EVERY_MS) % 10) / 10 : 30 + index + ((atMs / EVERY_MS + person) % 7),
      source: 'obs',
      quality: null,
      extra: null,
    })),
  ).flat()
}

async function timed(store: Store, level: 'raw' | '1d', fromMs: number, toMs: number): Promise<number[]> {
  const times: number[] = []
  for (let ask = 0; ask < ASKS; ask++) {
    const range = {
      personId: `person_${ask % PERSONS}`,
      metric: METRICS[ask % METRICS.length] ?? 'heart_rate',
      fromMs,
      toMs,
      limit: 5000,
    }
    const startMs = performance.now()
    const page =
      level === 'raw'
        ? await store.observations.range(range)
        : await store.observations.level({ ...range, level })
    if (ask >= WARM_ASKS) times.push(performance.now() - startMs)
    if (page.points.length === 0) throw new Error(`nothing came back for ${level}`)
  }
  return times
}

const SERIES = 'person = ? AND metric = ? AND ts >= ? AND ts < ?'

/** The same rows as many would lay them out: keyed by series, no roll-ups. */
function plainCopy(path: string) {
  const db = new Database(join(temporaryData(), 'plain.db'))
  db.exec(
    `CREATE TABLE observation (person INTEGER, metric INTEGER, ts INTEGER, device INTEGER, value REAL,
       PRIMARY KEY (person, metric, ts, device)) WITHOUT ROWID`,
  )
  db.prepare('ATTACH ? AS hub').run(path)
  db.exec(
    `INSERT INTO observation SELECT person, metric, ts, device, value FROM hub.observation ORDER BY person, metric, ts, device`,
  )
  const person = db.prepare<[string], { key: number }>('SELECT key FROM hub.person WHERE id = ?')
  return (sql: string, fromMs: number, toMs: number): number[] => {
    const statement = db.prepare(sql)
    const times: number[] = []
    for (let ask = 0; ask < ASKS; ask++) {
      const key = person.get(`person_${ask % PERSONS}`)?.key
      const metric = metricNamed(METRICS[ask % METRICS.length] ?? '')?.key
      const startMs = performance.now()
      statement.all(key, metric, fromMs, toMs)
      if (ask >= WARM_ASKS) times.push(performance.now() - startMs)
    }
    return times
  }
}

/** Packs every day that is over; answers how many observations that were. */
async function pack(store: Store): Promise<number> {
  // Hours have to be rolled up first, a few with each commit.
  do await store.write([{ sql: 'SELECT 1' }])
  while (store.stats().dueHours > 0)
  const { sealed } = await store.upkeep(null)
  return sealed.rows
}

function bytesAtRest(path: string) {
  const db = new Database(path, { readonly: true })
  const of = db.prepare<[string], { bytes: number | null }>(
    'SELECT sum(pgsize) AS bytes FROM dbstat WHERE name LIKE ?',
  )
  const bytes = (name: string) => of.get(name)?.bytes ?? 0
  try {
    return { packed: bytes('sealed_day%'), minutes: bytes('rollup_minute'), rollups: bytes('rollup') }
  } finally {
    db.close()
  }
}
