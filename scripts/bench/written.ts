import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { watchedDisk } from './disk.ts'
import { temporaryData } from './hub-process.ts'
import { createLoad } from './load.ts'
import type { Native } from './native.ts'
import { median, pairedRatio, type Row } from './row.ts'
import { openSite } from './site.ts'
import { shortNumber } from './table.ts'

const CELLS = [
  { observations: 5, messages: 6000, mostBytes: 1500 },
  { observations: 50, messages: 1200, mostBytes: 400 },
]
const ROUNDS = 3
const WATCHES = 20
const METRICS = 5
/** Starts far enough back that the last sample is not ahead of the clock. */
const BACK_MS = 6 * 3_600_000
const STEP_MS = 1000
const SECONDS_AT_MOST = 25

/**
 * Bytes given to the disk for each observation, roll-ups and checkpoints included, when 20 watches send five metrics at 1 Hz
 * and every message is a commit of its own. Beside it the plain table by series that a database of measurements often is.
 */
export async function written(native: Native): Promise<Row[]> {
  const load = createLoad(native)
  const rows: Row[] = []
  for (const { observations, messages, mostBytes } of CELLS) {
    const dataDir = temporaryData()
    const disk = watchedDisk(native, dataDir)
    const site = await openSite({ persons: WATCHES, watches: WATCHES }, disk.env, dataDir)
    const { mqttPort: port, pid } = site.hub.json
    const ours: number[] = []
    const theirs: number[] = []
    const lengthMs = (messages / ROUNDS / WATCHES) * (observations / METRICS) * STEP_MS
    let fromMs = Date.now() - BACK_MS
    for (let round = 0; round < ROUNDS; round++) {
      const before = disk.written().bytes
      const run = await load({
        port,
        pid,
        credentials: site.household.credentials,
        connections: WATCHES,
        lockstep: true,
        samples: observations,
        stepMs: STEP_MS,
        fromMs,
        messages: messages / ROUNDS,
        warm: 0,
        seconds: SECONDS_AT_MOST,
      })
      fromMs += lengthMs + STEP_MS
      ours.push((disk.written().bytes - before) / (run.acked * observations))
      theirs.push(plainTable(observations, messages / ROUNDS))
    }
    await site.stop()
    const bytes = median(ours)
    rows.push({
      name: `bytes written an observation, ${observations} a commit`,
      hub: `${shortNumber(bytes)} B`,
      beside: `one table keyed by series: ${shortNumber(median(theirs))} B`,
      ratio: pairedRatio(ours, theirs),
      target: `<= ${mostBytes} B`,
      met: bytes <= mostBytes,
    })
  }
  return rows
}

/** The same stream into `PRIMARY KEY (person, metric, ts)`, synced as strictly, without roll-ups. */
function plainTable(observations: number, commits: number): number {
  const db = new Database(join(temporaryData(), 'plain.db'))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(
    `CREATE TABLE observation (person INTEGER, metric INTEGER, ts INTEGER, value REAL NOT NULL,
       PRIMARY KEY (person, metric, ts)) WITHOUT ROWID`,
  )
  const insert = db.prepare<[number, number, number, number]>('INSERT INTO observation VALUES (?, ?, ?, ?)')
  // What a table holds decides how its pages are hit, so it starts with an hour of the same watches.
  const seconds = 3600
  const commit = db.transaction((person: number, from: number, count: number) => {
    for (let index = 0; index < count; index++)
      insert.run(person, index % METRICS, from + Math.floor(index / METRICS), 60 + (index % 60))
  })
  db.transaction(() => {
    for (let person = 0; person < WATCHES; person++) commit(person, 0, seconds * METRICS)
  })()
  db.pragma('wal_checkpoint(TRUNCATE)')
  const before = bytesWritten()
  for (let index = 0; index < commits; index++) {
    const turn = Math.floor(index / WATCHES)
    commit(index % WATCHES, seconds + (turn * observations) / METRICS, observations)
  }
  const bytes = bytesWritten() - before
  db.close()
  return bytes / (commits * observations)
}

/** By this thread; nothing else of the bench runs meanwhile. */
function bytesWritten(): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/thread-self/io', 'latin1'))?.[1])
}
