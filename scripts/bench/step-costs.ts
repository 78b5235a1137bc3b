import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { rulePublish } from '../../daemon/broker/topics.ts'
import { takeIn } from '../../daemon/domain/intake.ts'
import { metricNamed } from '../../daemon/domain/metric.ts'
import type { Observation } from '../../daemon/domain/observation.ts'
import { packBatch } from '../../daemon/store/batch.ts'
import { createCommitter } from '../../daemon/store/commit.ts'
import { openForWriting } from '../../daemon/store/database.ts'
import { migrate } from '../../daemon/store/migrate.ts'
import { ROLLUP_LIMITS } from '../../daemon/store/rollups.ts'
import { decodeObservations } from '../../firmware-bridge/hf/observations.ts'
import { temporaryData } from './hub-process.ts'
import { interleaved, median, type Row } from './row.ts'
import { shortNumber } from './table.ts'

const WATCHES = 50
/** Rounds of one message from every watch; as many again before, so that what is measured is compiled. */
const MESSAGES = 300
const ROUNDS = 3
const DEVICE = { deviceId: 'watch_0', type: 'watch', prefixes: [], zone: 'UTC' } as const

/** Processor time that each step inside the hub takes of a message with one value, measured in one process without sockets. */
export async function stepCosts(): Promise<Row[]> {
  const startMs = Date.now()
  let atMs = startMs
  const payload = Buffer.from(`{"ts":${startMs},"metric":"heart_rate","value":72}`)
  const sample = { metric: 'heart_rate', value: 72, ts: startMs }
  const context = {
    ...{ deviceId: DEVICE.deviceId, source: 'obs', nowMs: startMs, arrivedMs: null },
    ...{ deviceZone: 'UTC', naiveZone: null, personAt: () => 'person_0' },
  }
  const commit = withRollups()
  const insert = withoutRollups()
  const eachWatch = (work: () => unknown) => () => {
    for (let watch = 0; watch < WATCHES; watch++) work()
  }
  const committing = (write: (rows: readonly Observation[]) => void) => () => {
    atMs += 1000
    write(valuesAt(atMs))
  }
  const runs = await interleaved(ROUNDS, {
    access: timed(eachWatch(() => rulePublish(DEVICE, 'hf/watch_0/obs', false))),
    decode: timed(eachWatch(() => decodeObservations(payload))),
    validate: timed(eachWatch(() => takeIn(sample, context))),
    insert: timed(committing(insert)),
    commit: timed(committing(commit)),
  })
  const of = (name: keyof typeof runs) => median(runs[name])
  const steps = {
    access: of('access'),
    decode: of('decode'),
    validation: of('validate'),
    'insert in groups of 50': of('insert'),
    'roll-up and its order': of('commit') - of('insert'),
  }
  return [
    {
      name: 'us of processor a message inside the hub',
      hub: `${shortNumber(Object.values(steps).reduce((sum, one) => sum + one, 0))} us`,
      beside: Object.entries(steps)
        .map(([name, us]) => `${name} ${shortNumber(us)}`)
        .join(', '),
      ratio: null,
      target: '',
      met: null,
    },
  ]
}

/** Microseconds of user and system time a message. */
function timed(round: () => void): () => Promise<number> {
  return async () => {
    for (let count = 0; count < MESSAGES; count++) round()
    const before = process.cpuUsage()
    for (let count = 0; count < MESSAGES; count++) round()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / (MESSAGES * WATCHES)
  }
}

function valuesAt(atMs: number): Observation[] {
  return Array.from({ length: WATCHES }, (_, watch) => ({
    ...{ personId: `person_${watch}`, deviceId: `watch_${watch}`, metric: 'heart_rate', atMs: atMs + watch },
    ...{ value: 60 + ((atMs / 1000 + watch) % 40), source: 'obs', quality: null, extra: null },
  }))
}

function withRollups(): (rows: readonly Observation[]) => void {
  const db = household()
  const clock = { monotonic: () => performance.now() }
  const committer = createCommitter({ db, clock, bytesWritten: () => null, limits: ROLLUP_LIMITS })
  return (rows) => {
    const works = rows.map((row) => ({ kind: 'append', rows: [row] }) as const)
    committer.commit(packBatch(works, rows[0]?.atMs ?? 0))
  }
}

/** The same rows in the same table, one transaction a call. */
function withoutRollups(): (rows: readonly Observation[]) => void {
  const db = household()
  const metric = metricNamed('heart_rate')?.key ?? 0
  const statement = db.prepare<[number, number, number, number, number]>(
    `INSERT INTO observation (ts, person, metric, device, value, source, quality, revision, extra)
     VALUES (?, ?, ?, ?, ?, 1, NULL, 0, NULL)`,
  )
  db.exec(`INSERT OR IGNORE INTO source (key, name) VALUES (1, 'obs')`)
  return db.transaction((rows: readonly Observation[]) => {
    rows.forEach((row, watch) => void statement.run(row.atMs, watch + 1, metric, watch + 1, row.value))
  })
}

function household(): Database.Database {
  const path = join(temporaryData(), 'steps.db')
  const db = openForWriting(path)
  migrate(db, path)
  const person = db.prepare(
    `INSERT INTO person (id, name, timezone, created_at, updated_at) VALUES (?, 'x', 'UTC', 0, 0)`,
  )
  const device = db.prepare(`INSERT INTO device (id, name, type, created_at) VALUES (?, 'x', 'watch', 0)`)
  for (let watch = 0; watch < WATCHES; watch++) {
    person.run(`person_${watch}`)
    device.run(`watch_${watch}`)
  }
  return db
}
