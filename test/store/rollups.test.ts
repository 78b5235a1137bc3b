import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { METRICS, metricNamed } from '../../daemon/domain/metric.ts'
import type { Level, Observation } from '../../daemon/domain/observation.ts'
import { LEVELS } from '../../daemon/domain/observation.ts'
import { USUAL_RETENTION } from '../../daemon/domain/retention.ts'
import { packBatch, type Work } from '../../daemon/store/batch.ts'
import { type Committer, createCommitter } from '../../daemon/store/commit.ts'
import { levelPage } from '../../daemon/store/level-page.ts'
import { createLevels } from '../../daemon/store/levels.ts'
import { migrate } from '../../daemon/store/migrate.ts'
import { createReader } from '../../daemon/store/reader.ts'
import {
  type BucketRow,
  HOUR_MS,
  MINUTE_MS,
  type PlacedBucket,
  placed,
  QUARTER_MS,
  scaledValue,
  startOf,
} from '../../daemon/store/rollup-rows.ts'
import { dayHolding } from '../../daemon/store/rollup-tables.ts'
import type { Write } from '../../daemon/store/store.ts'
import { unpackRows } from '../../models/series/chunk.ts'
import { addSample, emptyBucket } from '../../models/series/rollup.ts'
import { device, person, pulse } from './home.ts'

/** Around the midnights of Kathmandu (18:15 UTC) and Berlin (23:00 UTC) before a night that is 23 hours long in Berlin. */
const EVENING = Date.UTC(2026, 2, 28, 17, 30)
const TIGHT = { openSeries: 2, hoursPerCommit: 1, dueHours: 3 }
const ROOMY = { openSeries: 100, hoursPerCommit: 64, dueHours: 100 }
const HOUSE: Write[] = [
  person('mia'),
  person('tom', 'Asia/Kathmandu'),
  device('watch-1', 10),
  device('band-2', 20),
]

const template = (() => {
  const db = new Database(':memory:')
  migrate(db, ':memory:')
  return db.serialize()
})()

type Place = (atMs: number) => number

/** Where the bucket of an instant starts, by level. */
function placeOf(level: Level, zone: string): Place {
  const lengths = { '1m': MINUTE_MS, '15m': QUARTER_MS, '1h': HOUR_MS }
  if (level !== '1d') return (atMs) => startOf(atMs, lengths[level])
  return (atMs) => dayHolding(startOf(atMs, QUARTER_MS), zone).fromMs
}

/** The inside of the writer thread on one connection; `crash` forgets what was only in memory. */
function setup(limits = ROOMY) {
  const db = new Database(template)
  const clock = { failsIn: Number.POSITIVE_INFINITY }
  const monotonic = () => {
    clock.failsIn -= 1
    if (clock.failsIn === 0) throw new Error('the commit failed')
    return 0
  }
  const open = () => createCommitter({ db, clock: { monotonic }, bytesWritten: () => null, limits })
  let committer: Committer = open()
  let round: ReturnType<Committer['upkeep']> | null = null
  const commit = (works: readonly Work[], nowMs: number) => committer.commit(packBatch(works, nowMs))
  const append = (rows: readonly Observation[], nowMs = EVENING) => commit([{ kind: 'append', rows }], nowMs)
  const write = (writes: readonly Write[], nowMs = EVENING) =>
    commit([{ kind: 'unit', unit: { kind: 'write', writes } }], nowMs)
  write(HOUSE)

  function zoneOf(key: number): string {
    return db.prepare<[number], { timezone: string }>('SELECT timezone FROM person WHERE key = ?').get(key)!
      .timezone
  }

  /** Every bucket of a level as the raw rows have it. */
  function fromRaw(key: number, metric: number, level: Level): PlacedBucket[] {
    const place = placeOf(level, zoneOf(key))
    const made = new Map<string, PlacedBucket>()
    const rows = new Map(
      db
        .prepare<[number, number], { device: number; chunk: Uint8Array }>(
          'SELECT device, chunk FROM sealed_day WHERE person = ? AND metric = ?',
        )
        .all(key, metric)
        .flatMap(({ device: of, chunk }) =>
          unpackRows(chunk).map(({ atMs, value }) => [`${atMs}:${of}`, { ts: atMs, device: of, value }]),
        ),
    )
    const over = db
      .prepare<[number, number], { ts: number; device: number; value: number }>(
        'SELECT ts, device, value FROM observation WHERE person = ? AND metric = ?',
      )
      .all(key, metric)
    for (const row of over) rows.set(`${row.ts}:${row.device}`, row)
    for (const row of [...rows.values()].sort((a, b) => a.ts - b.ts || a.device - b.device)) {
      const startMs = place(row.ts)
      const name = `${startMs}:${row.device}`
      const bucket = made.get(name) ?? { startMs, device: row.device, rev: 0, bucket: emptyBucket() }
      addSample(
        bucket.bucket,
        row.ts,
        scaledValue(metric, row.value),
        METRICS.find((one) => one.key === metric)!,
      )
      made.set(name, bucket)
    }
    return [...made.values()]
  }

  function stored(key: number, metric: number, level: Level): PlacedBucket[] {
    const table = level === '1m' ? 'rollup_minute' : 'rollup'
    const minutes = { '1m': null, '15m': 15, '1h': 60, '1d': 1440 }[level]
    return db
      .prepare<[number, number], BucketRow>(
        `SELECT * FROM ${table} WHERE person = ? AND metric = ? ${minutes ? `AND level = ${minutes}` : ''} ORDER BY start, device`,
      )
      .all(key, metric)
      .map(placed)
  }

  /** Whether the minutes of the series' day are no rows. */
  function isBare(metric: number, key: number, { startMs, device: of }: PlacedBucket): boolean {
    const day = startOf(startMs, 24 * HOUR_MS)
    const found = db.prepare(
      'SELECT 1 FROM sealed_day WHERE metric = ? AND person = ? AND device = ? AND day = ? AND minute_rows = 0',
    )
    return found.get(metric, key, of, day) !== undefined
  }

  const pending = () => db.prepare('SELECT * FROM rollup_pending ORDER BY hour_start').all()

  function window(key: number, metric: number, level: Level, limit: number) {
    return { person: key, metric, level, fromMs: EVENING - 48 * HOUR_MS, toMs: EVENING + 72 * HOUR_MS, limit }
  }

  return {
    db,
    append,
    write,
    commit,
    settleAll: () => committer.settleAll(),
    /** The commit is undone at its last moment. */
    lose(rows: readonly Observation[], nowMs: number) {
      clock.failsIn = 2
      assert.throws(() => append(rows, nowMs), /the commit failed/)
    },
    crash() {
      committer = open()
      round = null
    },
    /** Some steps of packing what is older than two days; a week later the minutes of packed days are no rows. */
    upkeep(steps: number, days: number) {
      const nowMs = EVENING + days * 24 * HOUR_MS
      while (commit([], nowMs).more);
      round ??= committer.upkeep({ nowMs, limits: { ...USUAL_RETENTION, minute_row_days: 6 } })
      for (let step = 0; step < steps && round !== null; step += 1) if (round.next().done) round = null
    },
    open: (key: number) => committer.open(key, null),
    pending,
    stored,
    read(key: number, metric: string, level: Level, limit = 50_000, open = committer.open(key, null)) {
      const asked = window(key, metricNamed(metric)!.key, level, limit)
      return createLevels(createReader(db)).read(asked, open)
    },
    readUntil(toMs: number, level: Level) {
      const asked = { ...window(1, 1, level, 50_000), toMs }
      return createLevels(createReader(db)).read(asked, committer.open(1, null)).points
    },
    expected(key: number, metric: string, level: Level) {
      const asked = window(key, metricNamed(metric)!.key, level, 50_000)
      return levelPage(fromRaw(key, asked.metric, level), asked, (rank) => rank).points
    },
    assertStoredIsRaw() {
      for (const key of [1, 2]) {
        for (const { key: metric } of METRICS) {
          for (const level of LEVELS) {
            const plain = (buckets: PlacedBucket[]) =>
              buckets
                .map((one) => ({
                  ...one,
                  rev: 0,
                  bucket: { ...one.bucket, bins: [...one.bucket.bins].sort((a, b) => a[0] - b[0]) },
                }))
                .sort((a, b) => a.startMs - b.startMs || a.device - b.device)
            const isRow = (one: PlacedBucket) => level !== '1m' || !isBare(metric, key, one)
            assert.deepEqual(
              plain(stored(key, metric, level).filter(isRow)),
              plain(fromRaw(key, metric, level).filter(isRow)),
              `${level} of ${metric}`,
            )
          }
        }
      }
      assert.deepEqual(pending(), [])
    },
  }
}

type House = ReturnType<typeof setup>

function assertReadsAreRaw(house: House, open = [house.open(1), house.open(2)]): void {
  for (const key of [1, 2]) {
    for (const metric of ['heart_rate', 'glucose']) {
      for (const level of LEVELS) {
        const { points, nextFromMs } = house.read(key, metric, level, 50_000, open[key - 1])
        assert.deepEqual(points, house.expected(key, metric, level), `${level} of ${metric}`)
        assert.equal(nextFromMs, null)
      }
    }
  }
}

type Step =
  | { kind: 'retract'; keys: Observation[]; fresh: Observation[]; nowMs: number }
  | { kind: 'append' | 'lose'; rows: Observation[]; nowMs: number }
  /** The writer stores what is over between its answer to a reader and the reader's look at the rows. */
  | { kind: 'race'; nowMs: number }
  | { kind: 'crash' }
  | { kind: 'restart' }
  | { kind: 'upkeep'; steps: number; days: number }
  /** Somebody travels: days are cut anew, past ones too. */
  | { kind: 'move'; personId: string; zone: string; nowMs: number }

const nowMs = fc.integer({ min: 0, max: 12 * 60 }).map((minutes) => EVENING + minutes * MINUTE_MS)
// Few distinct instants and values, so that duplicates, corrections and late rows are common.
const row = fc
  .record({
    personId: fc.constantFrom('mia', 'tom'),
    deviceId: fc.constantFrom('watch-1', 'band-2'),
    metric: fc.constantFrom('heart_rate', 'glucose'),
    minute: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 9 * 60 })),
    second: fc.constantFrom(0, 1, 30, 59),
    value: fc.integer({ min: 60, max: 64 }),
  })
  .map(({ minute, second, value, ...rest }) =>
    pulse(EVENING + minute * MINUTE_MS + second * 1000, value, rest),
  )
const rows = fc.array(row, { minLength: 1, maxLength: 12 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('append' as const), rows, nowMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), rows, nowMs }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('retract' as const), keys: rows, fresh: rows, nowMs }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('race' as const), nowMs }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('upkeep' as const),
      steps: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(200)),
      days: fc.constantFrom(5, 9),
    }),
  },
)

const ZONES = ['Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/New_York']
const moving: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('move' as const),
  personId: fc.constantFrom('mia', 'tom'),
  zone: fc.constantFrom(...ZONES),
  nowMs,
})

function move(house: House, { personId, zone, nowMs }: Step & { kind: 'move' }): void {
  const params = { personId, zone }
  const sql = 'UPDATE person SET timezone = :zone WHERE id = :personId'
  house.commit(
    [
      { kind: 'unit', unit: { kind: 'write', writes: [{ sql, params }] } },
      { kind: 'unit', unit: { kind: 'rezone', personId } },
    ],
    nowMs,
  )
}

function take(house: House, one: Step): void {
  if (one.kind === 'move') {
    move(house, one)
    return
  }
  if (one.kind === 'append') house.append(one.rows, one.nowMs)
  else if (one.kind === 'lose') house.lose(one.rows, one.nowMs)
  else if (one.kind === 'retract') {
    // Rows before and after it in one commit, because a series must not lose its place in between.
    const [before, after] = [one.fresh.slice(0, 2), one.fresh.slice(2)]
    house.commit(
      [
        { kind: 'append', rows: before },
        { kind: 'unit', unit: { kind: 'retract', keys: one.keys } },
        { kind: 'append', rows: after },
      ],
      one.nowMs,
    )
  } else if (one.kind === 'race') {
    const open = [house.open(1), house.open(2)]
    house.commit([], one.nowMs)
    assertReadsAreRaw(house, open)
  } else if (one.kind === 'upkeep') house.upkeep(one.steps, one.days)
  else {
    if (one.kind === 'restart') house.settleAll()
    house.crash()
  }
}

for (const [name, limits] of Object.entries({ roomy: ROOMY, tight: TIGHT })) {
  test(`levels equal the raw rows after late, corrected and lost rows, restarts and crashes (${name} memory)`, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 14 }), (steps) => {
        const house = setup(limits)
        for (const one of steps) {
          take(house, one)
          assertReadsAreRaw(house)
        }
        house.settleAll()
        house.assertStoredIsRaw()
        house.db.close()
      }),
      { numRuns: 40 },
    )
  })
}

test('levels equal the raw rows whoever wears which device and wherever they travel', () => {
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: step }, { weight: 2, arbitrary: moving }), {
    minLength: 2,
    maxLength: 10,
  })
  fc.assert(
    fc.property(steps, (all) => {
      const house = setup()
      for (const one of all) {
        take(house, one)
        assertReadsAreRaw(house)
      }
      house.settleAll()
      house.assertStoredIsRaw()
      house.db.close()
    }),
    { numRuns: 40 },
  )
})

test('pages of a level, laid one after the other, are the level', () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(...LEVELS),
      (steps, level) => {
        const house = setup(TIGHT)
        for (const one of steps) take(house, one)
        for (const metric of ['heart_rate', 'glucose']) {
          const whole = house.expected(1, metric, level)
          for (let count = 0; count < whole.length; count += 1) {
            const page = house.read(1, metric, level, count)
            assert.deepEqual(page.points, whole.slice(0, count))
            assert.equal(page.nextFromMs, whole[count]?.atMs)
          }
        }
        house.db.close()
      },
    ),
    { numRuns: 40 },
  )
})

test('a late row that comes before the series goes on after a restart is counted', () => {
  const house = setup()
  house.append([pulse(EVENING + 30_000)])
  house.settleAll()
  house.crash()
  house.append([pulse(EVENING + 10_000, 80), pulse(EVENING + 40_000)])
  house.append([pulse(EVENING + 50_000)])
  assertReadsAreRaw(house)
})

test('rows of a commit that failed are not in the open minute', () => {
  const house = setup()
  house.append([pulse(EVENING)])
  house.lose([pulse(EVENING + 1000)], EVENING)
  assertReadsAreRaw(house)
})

test('a reader whose answer from the writer is old sees what was corrected and stored since', () => {
  const house = setup()
  house.append([pulse(EVENING, 60)])
  const open = house.open(1)
  house.append([pulse(EVENING, 90)])
  house.settleAll()
  for (const level of LEVELS) {
    const means = house.read(1, 'heart_rate', level, 10, open).points.map(({ mean }) => mean)
    assert.deepEqual(means, [90], level)
  }
})

test('a page ends before an hour that is still open and says where to go on', () => {
  const house = setup()
  const hour = startOf(EVENING, HOUR_MS)
  house.append([pulse(hour), pulse(hour + HOUR_MS)])
  house.settleAll()
  house.append([pulse(hour + HOUR_MS + 1000)])
  const first = house.read(1, 'heart_rate', '1h', 1)
  assert.deepEqual([first.points.length, first.nextFromMs], [1, hour + HOUR_MS])
})

test('a day that begins inside the window counts whole, its open hour after the window too', () => {
  const house = setup()
  const noon = Date.UTC(2026, 2, 29, 12)
  house.append([pulse(noon)])
  house.settleAll()
  house.append([pulse(noon + HOUR_MS)])
  assert.deepEqual(
    house.readUntil(noon, '1d').map(({ count }) => count),
    [2],
  )
})

test('an open minute is written once it is over, not with every commit', () => {
  const { append, commit, db } = setup()
  const count = () => db.prepare<[], { n: number }>('SELECT count(*) AS n FROM rollup_minute').get()!.n
  for (let second = 0; second < 60; second += 1)
    append([pulse(EVENING + second * 1000)], EVENING + second * 1000)
  assert.equal(count(), 0)
  append([pulse(EVENING + MINUTE_MS)], EVENING + MINUTE_MS)
  assert.equal(count(), 1)
  commit([], EVENING + 3 * MINUTE_MS)
  assert.equal(count(), 2)
})

test('an hour in memory stands in the list of pending hours until it is stored', () => {
  const { append, commit, pending } = setup()
  append([pulse(EVENING)])
  assert.deepEqual(pending(), [{ person: 1, metric: 1, device: 1, hour_start: startOf(EVENING, HOUR_MS) }])
  commit([], EVENING + 2 * HOUR_MS)
  assert.deepEqual(pending(), [])
})

test('a revision grows with every change of a bucket, over restarts too', () => {
  const { append, settleAll, crash, stored } = setup()
  const revisions = () => [stored(1, 1, '1m')[0]!.rev, stored(1, 1, '1h')[0]!.rev]
  append([pulse(EVENING)])
  settleAll()
  const first = revisions()
  crash()
  append([pulse(EVENING + 1000)])
  settleAll()
  const second = revisions()
  append([pulse(EVENING + 500)])
  settleAll()
  const third = revisions()
  assert.ok(second[0]! > first[0]! && second[1]! > first[1]!)
  assert.ok(third[0]! > second[0]! && third[1]! > second[1]!)
})

test('the spring day is 23 hours long and the autumn day 25', () => {
  const { append, read } = setup()
  const minutes = (fromMs: number, hours: number) =>
    Array.from({ length: hours }, (_, hour) => pulse(fromMs + hour * HOUR_MS, 60 + (hour % 5)))
  append(minutes(Date.UTC(2026, 2, 28, 23), 25), Date.UTC(2026, 2, 31))
  const [spring, next] = read(1, 'heart_rate', '1d').points
  assert.deepEqual([spring!.atMs, spring!.count], [Date.UTC(2026, 2, 28, 23), 23])
  assert.deepEqual([next!.atMs, next!.count], [Date.UTC(2026, 2, 29, 22), 2])
  const autumn = dayHolding(Date.UTC(2026, 9, 25, 12), 'Europe/Berlin')
  assert.equal(autumn.toMs - autumn.fromMs, 25 * HOUR_MS)
})

test('days are cut anew when the person moves to another time zone', () => {
  const { append, commit, write, read, expected, settleAll, crash, assertStoredIsRaw } = setup()
  append(Array.from({ length: 40 }, (_, index) => pulse(EVENING + index * 40 * MINUTE_MS, 60 + (index % 7))))
  const before = read(1, 'heart_rate', '1d').points
  write([{ sql: `UPDATE person SET timezone = 'America/New_York' WHERE id = 'mia'` }])
  assert.deepEqual(
    read(1, 'heart_rate', '1d').points,
    before,
    'stored days keep their cut until they are made anew',
  )
  commit([{ kind: 'unit', unit: { kind: 'rezone', personId: 'mia' } }], EVENING)
  assert.notDeepEqual(before, expected(1, 'heart_rate', '1d'))
  assert.deepEqual(read(1, 'heart_rate', '1d').points, expected(1, 'heart_rate', '1d'))
  write([{ sql: `UPDATE person SET timezone = 'Asia/Tokyo' WHERE id = 'mia'` }])
  settleAll()
  crash()
  assertStoredIsRaw()
})

test('a zone that the machine does not know counts as UTC', () => {
  const { append, write, read } = setup()
  write([{ sql: `UPDATE person SET timezone = 'Mars/Olympus' WHERE id = 'mia'` }])
  append([pulse(EVENING)])
  assert.equal(read(1, 'heart_rate', '1d').points[0]!.atMs, Date.UTC(2026, 2, 28))
})

test('erased rows leave no ghost in the roll-ups of the writer', () => {
  const { append, write, settleAll, open, assertStoredIsRaw } = setup()
  append([pulse(EVENING), pulse(EVENING + 1000), pulse(EVENING, 60, { personId: 'tom' })])
  const erase = ['observation', 'rollup_minute', 'rollup', 'rollup_pending'].map((table) => ({
    sql: `DELETE FROM ${table} WHERE person = 1`,
  }))
  write(erase)
  assert.deepEqual(open(1), [])
  append([pulse(EVENING + 500)])
  settleAll()
  assertStoredIsRaw()
})

test('rival devices are ranked, not averaged', () => {
  const { append, read } = setup()
  append([
    pulse(EVENING, 60, { deviceId: 'band-2' }),
    pulse(EVENING + 1000, 60, { deviceId: 'band-2' }),
    pulse(EVENING, 90),
    pulse(EVENING + MINUTE_MS, 61, { deviceId: 'band-2' }),
  ])
  const means = read(1, 'heart_rate', '1m').points.map(({ mean }) => mean)
  assert.deepEqual(means, [90, 61], 'the watch speaks where it has something to say')
})
