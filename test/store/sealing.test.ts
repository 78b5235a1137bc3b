import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import type { Observation, StoredObservation } from '../../daemon/domain/observation.ts'
import { type RetentionLimits, USUAL_RETENTION } from '../../daemon/domain/retention.ts'
import { packBatch, type Work } from '../../daemon/store/batch.ts'
import { createCommitter } from '../../daemon/store/commit.ts'
import { migrate } from '../../daemon/store/migrate.ts'
import { createObservations } from '../../daemon/store/observations.ts'
import { OUTCOMES } from '../../daemon/store/protocol.ts'
import { createReader } from '../../daemon/store/reader.ts'
import { ROLLUP_LIMITS } from '../../daemon/store/rollups.ts'
import { DAY_MS } from '../../daemon/store/sealed-days.ts'
import type { UpkeepDone } from '../../daemon/store/upkeep-order.ts'
import { HOUSEHOLD, MORNING, pulse, setup as setupStore } from './home.ts'

const EVENING = Date.UTC(2026, 2, 14, 17, 30)
const WEEK_LATER = EVENING + 8 * DAY_MS
/** Lets minutes go early, so that days have none as rows. */
const BARE: RetentionLimits = { ...USUAL_RETENTION, minute_row_days: 3 }
const WHOLE = { fromMs: 0, toMs: EVENING + 400 * DAY_MS, limit: 50_000 }

const template = (() => {
  const db = new Database(':memory:')
  migrate(db, ':memory:')
  return db.serialize()
})()

/** The inside of the writer thread on one connection, a reader beside it, and a plain list of what must be there. */
function setup() {
  const db = new Database(template)
  const monotonic = () => 0
  const open = () =>
    createCommitter({ db, clock: { monotonic }, bytesWritten: () => null, limits: ROLLUP_LIMITS })
  let committer = open()
  let round: Generator<void, UpkeepDone> | null = null
  const kept = new Map<string, StoredObservation>()
  const replaced = new Map<string, StoredObservation[]>()
  const nameOf = ({ personId, metric, deviceId, atMs }: Observation) =>
    `${personId} ${metric} ${deviceId} ${atMs}`
  const observations = createObservations(createReader(db), {
    append: () => Promise.resolve([]),
    run: () => Promise.resolve([]),
    open: (person, metric) => Promise.resolve(committer.open(person, metric)),
  })
  const commit = (works: readonly Work[], nowMs = EVENING) => committer.commit(packBatch(works, nowMs))
  commit([{ kind: 'unit', unit: { kind: 'write', writes: HOUSEHOLD } }])

  function remember(row: Observation): string {
    const name = nameOf(row)
    const old = kept.get(name)
    const past = replaced.get(name) ?? []
    if (old === undefined) kept.set(name, { ...row, revision: 0 })
    else if (old.value === row.value) return 'duplicate'
    else {
      replaced.set(name, [...past, { ...old, revision: Math.max(old.revision, past.length) }])
      kept.set(name, { ...row, revision: old.revision + 1 })
    }
    return old === undefined ? 'accepted' : 'revised'
  }

  return {
    db,
    observations,
    append(rows: readonly Observation[], nowMs = EVENING) {
      const { outcomes } = commit([{ kind: 'append', rows }], nowMs)
      const told = rows.map((_, row) => OUTCOMES[outcomes[row]!])
      assert.deepEqual(
        told,
        rows.map((row) => remember(row)),
      )
    },
    retract(rows: readonly Observation[]) {
      commit([{ kind: 'unit', unit: { kind: 'retract', keys: rows } }])
      for (const row of rows) {
        const name = nameOf(row)
        const old = kept.get(name)
        if (old === undefined) continue
        const past = replaced.get(name) ?? []
        replaced.set(name, [...past, { ...old, revision: Math.max(old.revision, past.length) }])
        kept.delete(name)
      }
    },
    /** So many steps of the round under way, or of a new one; null: to its end. */
    upkeep(
      steps: number | null,
      limits: RetentionLimits | null = null,
      nowMs = WEEK_LATER,
    ): UpkeepDone | null {
      // What is over is rolled up first: the writer does it every half minute.
      while (commit([], nowMs).more);
      round ??= committer.upkeep({ nowMs, limits })
      for (let step = 0; steps === null || step < steps; step += 1) {
        const { done, value } = round.next()
        if (!done) continue
        round = null
        return value
      }
      return null
    },
    crash() {
      committer = open()
      round = null
    },
    commit,
    async assertAllThere() {
      for (const personId of ['mia', 'tom']) {
        for (const metric of ['heart_rate', 'glucose']) {
          const expected = [...kept.values()]
            .filter((row) => row.personId === personId && row.metric === metric)
            .sort((a, b) => a.atMs - b.atMs || a.deviceId.localeCompare(b.deviceId) * -1)
          const { points } = await observations.range({ personId, metric, ...WHOLE })
          assert.deepEqual(points, expected)
          for (const level of ['1m', '15m', '1h', '1d'] as const) {
            const page = await observations.level({ personId, metric, level, ...WHOLE })
            const most = Math.max(0, ...expected.map(({ value }) => value))
            assert.equal(Math.max(0, ...page.points.map(({ max }) => max)) <= most, true)
            if (new Set(expected.map(({ deviceId }) => deviceId)).size === 1)
              assert.equal(
                page.points.reduce((sum, { count }) => sum + count, 0),
                expected.length,
                level,
              )
          }
          const latest = (await observations.latest(personId)).find((one) => one.metric === metric)
          assert.equal(latest?.atMs, expected.at(-1)?.atMs)
        }
      }
      for (const [name, past] of replaced) {
        const [personId = '', metric = '', deviceId = '', atMs] = name.split(' ')
        const key = { personId, metric, deviceId, atMs: Number(atMs) }
        assert.deepEqual(await observations.history(key), past)
      }
    },
    hot: () => db.prepare<[], { n: number }>('SELECT count(*) AS n FROM observation').get()!.n,
    packed: () => db.prepare<[], { n: number }>('SELECT coalesce(sum(n), 0) AS n FROM sealed_day').get()!.n,
  }
}

type Step =
  | { kind: 'append' | 'retract'; rows: Observation[] }
  | { kind: 'upkeep'; steps: number; limits: RetentionLimits | null }
  | { kind: 'crash' }

// Few distinct instants and values, so that duplicates, corrections and late rows are common.
const row = fc
  .record({
    personId: fc.constantFrom('mia', 'tom'),
    deviceId: fc.constantFrom('watch-1', 'band-2'),
    metric: fc.constantFrom('heart_rate', 'glucose'),
    minute: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 9 * 60 })),
    value: fc.constantFrom(60, 61.5, 62, 100 / 3),
    source: fc.constantFrom('obs', 'gatt'),
  })
  .map(({ minute, value, ...rest }) => pulse(EVENING + minute * 20_000, value, rest))
const rows = fc.array(row, { minLength: 1, maxLength: 12 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('append' as const), rows }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('retract' as const), rows }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('upkeep' as const),
      steps: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(200)),
      limits: fc.constantFrom(null, BARE),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
)

test('whatever comes late, is corrected or taken back while days are packed, nothing is lost and nothing is double', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 14 }), async (steps) => {
      const house = setup()
      for (const one of steps) {
        if (one.kind === 'append') house.append(one.rows)
        else if (one.kind === 'retract') house.retract(one.rows)
        else if (one.kind === 'upkeep') house.upkeep(one.steps, one.limits)
        else house.crash()
        await house.assertAllThere()
      }
      house.db.close()
    }),
    { numRuns: 30 },
  )
})

/** Two days of three series, with a late row that fell on a packed day. */
function twoDays() {
  const house = setup()
  const series = [pulse(0), pulse(0, 0, { personId: 'tom' }), pulse(0, 0, { metric: 'glucose' })]
  house.append(
    series.flatMap((one) =>
      Array.from({ length: 300 }, (_, at) => ({
        ...one,
        atMs: EVENING + at * 240_000,
        value: 60 + (at % 7),
      })),
    ),
  )
  return house
}

test('a program that ends between any two steps of packing has lost nothing, and packs on at its next start', async () => {
  const all = twoDays()
  let steps = 1
  while (all.upkeep(1, BARE) === null) steps += 1
  assert.ok(steps > 8, `${steps} steps`)
  for (let at = 1; at < steps; at += 1) {
    const house = twoDays()
    house.upkeep(at, BARE)
    house.crash()
    await house.assertAllThere()
    house.upkeep(null, BARE)
    assert.deepEqual([house.hot(), house.packed()], [0, 900], `after step ${at}`)
    house.db.close()
  }
})

test('what changes between any two steps of packing a day of many values is kept', async () => {
  // Enough rows for each column to be a step of its own.
  const many = Array.from({ length: 2400 }, (_, at) => pulse(EVENING + at * 5000, 60 + (at % 31)))
  for (let steps = 6; steps <= 14; steps += 2) {
    const house = setup()
    house.append(many)
    house.upkeep(steps)
    house.append([pulse(EVENING + 500 * 5000, 99), pulse(EVENING + 1234, 98)])
    house.retract(many.slice(600, 601))
    house.upkeep(null)
    await house.assertAllThere()
    house.upkeep(null)
    assert.deepEqual([house.hot(), house.packed()], [0, 2400])
    await house.assertAllThere()
  }
})

test('days of the last two stay rows, and so does a series of which an hour is not rolled up yet', () => {
  const house = setup()
  house.append([pulse(EVENING), pulse(EVENING + 5 * DAY_MS)])
  const [first, second] = [EVENING + 6.5 * DAY_MS, EVENING + 9 * DAY_MS]
  house.upkeep(null, null, first)
  assert.deepEqual([house.hot(), house.packed()], [1, 1])
  house.upkeep(null, null, second)
  assert.deepEqual([house.hot(), house.packed()], [0, 2])
})

test('a day is packed anew with what came late, in one piece', async () => {
  const house = twoDays()
  house.upkeep(null)
  house.append([pulse(EVENING + 1000, 99), pulse(EVENING, 98)])
  assert.equal(house.hot(), 2)
  await house.assertAllThere()
  house.upkeep(null)
  assert.deepEqual([house.hot(), house.packed()], [0, 901])
  await house.assertAllThere()
})

test('a packed day of which the bytes changed is an error to its readers, stops nobody else and is not written over', async () => {
  const house = twoDays()
  house.upkeep(null)
  house.db.exec(`UPDATE sealed_day SET chunk = CAST(substr(chunk, 1, 20) || x'00' || substr(chunk, 22) AS BLOB)
    WHERE person = 1 AND metric = 1 AND day = ${Math.floor(EVENING / DAY_MS) * DAY_MS}`)
  house.crash()
  const range = { personId: 'mia', metric: 'heart_rate', ...WHOLE }
  await assert.rejects(house.observations.range(range), /damaged/)
  const tom = await house.observations.range({ ...range, personId: 'tom' })
  assert.equal(tom.points.length, 300)
  house.commit([{ kind: 'append', rows: [pulse(EVENING + 1, 70)] }])
  assert.equal(house.upkeep(null)?.sealed.left, 1)
  assert.equal(house.hot(), 1)
})

test('values go after their days, their minutes after two years, and hours stay', async () => {
  const house = twoDays()
  const limits = { ...USUAL_RETENTION, raw_days: { wellness: 10, glucose: 400, training: 10 } }
  const range = { personId: 'mia', metric: 'heart_rate', ...WHOLE }
  const before = await Promise.all(
    (['1m', '1h', '1d'] as const).map((level) => house.observations.level({ ...range, level })),
  )
  const done = house.upkeep(null, limits, EVENING + 20 * DAY_MS)
  assert.deepEqual(done?.letGo, { minuteRows: 0, values: 600, minuteDays: 0 })
  assert.deepEqual((await house.observations.range(range)).points, [])
  assert.equal((await house.observations.range({ ...range, metric: 'glucose' })).points.length, 300)
  const after = await Promise.all(
    (['1m', '1h', '1d'] as const).map((level) => house.observations.level({ ...range, level })),
  )
  assert.deepEqual(after, before, 'packed minutes read as the rows did')
  // As if the nights in between had come.
  house.db.exec(`DELETE FROM meta WHERE name = 'let_go_at'`)
  house.upkeep(null, limits, EVENING + 800 * DAY_MS)
  assert.deepEqual((await house.observations.level({ ...range, level: '1m' })).points, [])
  assert.deepEqual(await house.observations.level({ ...range, level: '1h' }), before[1])
  assert.equal(house.db.prepare('SELECT 1 FROM rollup_minute').get(), undefined)
})

test('what comes for a day whose values were let go counts as known and changes no hour', async () => {
  const house = twoDays()
  const limits = { ...USUAL_RETENTION, raw_days: { wellness: 10, glucose: 10, training: 10 } }
  house.upkeep(null, limits, EVENING + 20 * DAY_MS)
  const hours = { personId: 'mia', metric: 'heart_rate', level: '1h' as const, ...WHOLE }
  const before = await house.observations.level(hours)
  const { outcomes, gauges } = house.commit([{ kind: 'append', rows: [pulse(EVENING + 1, 240)] }])
  assert.equal(OUTCOMES[outcomes[0]!], 'duplicate')
  assert.equal(gauges.closedRows, 1)
  assert.deepEqual(await house.observations.level(hours), before)
})

test('a clock that is wrong by years costs two days of values a night, not years', async () => {
  const house = twoDays()
  const limits = { ...USUAL_RETENTION, raw_days: { wellness: 10, glucose: 10, training: 10 } }
  assert.equal(house.upkeep(null, limits, EVENING + 6 * DAY_MS)?.letGo?.values, 0)
  assert.equal(house.upkeep(null, limits, EVENING + 4000 * DAY_MS)?.letGo?.values, 0)
  const { points } = await house.observations.range({ personId: 'mia', metric: 'heart_rate', ...WHOLE })
  assert.equal(points.length, 300)
})

test('a person who is erased while days are packed does not come back with a packed day', async () => {
  const steps = 12
  for (let at = 1; at < steps; at += 1) {
    const house = twoDays()
    house.upkeep(at)
    const erase = ['observation', 'rollup_minute', 'rollup', 'rollup_pending', 'sealed_day'].map((table) => ({
      sql: `DELETE FROM ${table} WHERE person = 1`,
    }))
    house.commit([{ kind: 'unit', unit: { kind: 'write', writes: erase } }])
    house.upkeep(null)
    house.upkeep(null)
    assert.deepEqual([house.hot(), house.packed()], [0, 300], `after step ${at}`)
  }
})

test('the store packs when asked, and reads the same before and after', async (t) => {
  const { store, clock, reopen } = await setupStore(t)
  const rows = Array.from({ length: 20_000 }, (_, at) => pulse(MORNING + at * 6000, 60 + (at % 50) / 10))
  await store.observations.append(rows)
  clock.nowMs = MORNING + 10 * DAY_MS
  const range = { personId: 'mia', metric: 'heart_rate', fromMs: 0, toMs: clock.nowMs, limit: 100_000 }
  const before = await store.observations.range(range)
  // A commit by itself rolls up what is over.
  await store.write([{ sql: 'SELECT 1' }])
  const { sealed } = await store.upkeep(null)
  assert.deepEqual([sealed.rows, sealed.left], [20_000, 0])
  assert.equal(store.get<{ n: number }>('SELECT count(*) AS n FROM observation')?.n, 0)
  assert.deepEqual(await store.observations.range(range), before)
  assert.equal(store.stats().upkeep.sealedRows, 20_000)
  await store.close()
  const again = await reopen()
  assert.deepEqual(await again.observations.append([pulse(MORNING, 60), pulse(MORNING + 6000, 99)]), [
    'duplicate',
    'revised',
  ])
})

test('room that letting go left in the file goes back to the file system', async (t) => {
  const { store } = await setupStore(t)
  const size = () =>
    store.get<{ n: number }>('SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size')!.n
  const sql = `INSERT INTO quarantine (device_id, at, topic, code, reason, payload, payload_bytes) VALUES ('', 0, '', '', '', :payload, 1)`
  await store.write(
    Array.from({ length: 12 }, () => ({ sql, params: { payload: new Uint8Array(1024 ** 2) } })),
  )
  await store.write([{ sql: 'DELETE FROM quarantine' }])
  assert.ok(size() > 12 * 1024 ** 2)
  const { freedBytes } = await store.upkeep(null)
  assert.ok(freedBytes > 7 * 1024 ** 2)
  assert.ok(size() < 6 * 1024 ** 2, `${size()} bytes`)
})
