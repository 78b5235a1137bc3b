import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { Observation } from '../../../daemon/domain/observation.ts'
import { dayBounds, localDay } from '../../../daemon/domain/zone.ts'
import { createDaily, type Daily } from '../../../daemon/features/daily/daily.ts'
import type { DailyRow } from '../../../daemon/features/daily/row.ts'
import { createGlucose } from '../../../daemon/features/glucose/glucose.ts'
import { createRecords } from '../../../daemon/features/records/records.ts'
import { newId } from '../../../daemon/kernel/ids.ts'
import type { Store } from '../../../daemon/store/store.ts'
import { fixturePath } from '../../firmware-bridge/fixtures.ts'
import { GRAN, household, MIA, OWNER, type Parts, ZONE } from '../glucose/setup.ts'

interface Rows {
  rows: DailyRow[]
  timezone: string
}

const AT = Date.UTC(2026, 2, 14, 7)
const DAY = '2026-03-14'

async function setup(t: TestContext) {
  const made: { daily?: Daily; again?: () => Daily } = {}
  const home = await household(t, (parts) => {
    const glucose = createGlucose(parts)
    const records = createRecords({ ...parts, newId: () => newId(parts.now()) })
    const build = () => dailyOf(parts, glucose, records)
    made.daily = build()
    made.again = build
    return [glucose.feature, records.feature, made.daily.feature]
  })
  const rows = async (from = DAY, to = from, headers: Record<string, string> = MIA) =>
    (await home.call<Rows>('GET', `/people/mia/daily?from=${from}&to=${to}`, headers)).body.data.rows
  const row = async () => (await rows())[0]!
  const measure = (metric: string, value: number, more: Partial<Observation> = {}) =>
    home.store.observations.append([
      {
        ...{ personId: 'mia', deviceId: 'watch-1', metric, atMs: AT, value },
        ...{ source: 'obs', quality: null, extra: null, ...more },
      },
    ])
  /** The days as a hub sees them that has computed nothing yet. */
  const fresh = (dates: readonly string[]) => made.again!().rows('mia', dates)
  return { ...home, rows, row, measure, fresh, daily: made.daily! }
}

function dailyOf(
  parts: Parts,
  glucose: ReturnType<typeof createGlucose>,
  records: ReturnType<typeof createRecords>,
): Daily {
  return createDaily({
    ...parts,
    glucose: glucose.traces.read,
    records: records.all,
    onRecordsChanged: records.onChanged,
  })
}

test('a day without anything is a row of nulls, each with its reason', async (t) => {
  const { row } = await setup(t)
  const { date, reasons, computed_at, glucose_readings, counted_by, ...numbers } = await row()
  assert.deepEqual([date, glucose_readings, counted_by], [DAY, 0, {}])
  assert.deepEqual(
    Object.values(numbers).filter((value) => value !== null),
    [],
  )
  assert.deepEqual(Object.keys(reasons).sort(), Object.keys(numbers).sort())
  assert.deepEqual(
    [reasons['avg_glucose'], reasons['mood'], reasons['steps'], reasons['total_sleep_minutes']],
    ['no_readings', 'no_mood', 'not_measured', 'no_night'],
  )
  assert.equal(computed_at, '2026-03-14T08:00:00.000Z')
})

test('recovery, strain, sleep, HRV, mood, glucose and steps stand in one row', async (t) => {
  const { call, row, measure } = await setup(t)
  await measure('recovery', 66)
  await measure('strain', 8.5, { atMs: AT - 3_600_000 })
  await measure('strain', 12.1)
  await measure('hrv_rmssd', 61)
  await measure('resting_heart_rate', 52)
  await measure('steps', 400)
  await measure('steps', 120, { atMs: AT - 1_800_000 })
  await call('POST', '/mood', MIA, { rating: 7, timestamp: AT })
  await call('POST', '/mood', OWNER, { person_id: 'mia', rating: 4, timestamp: AT - 60_000, source: 'app' })
  await call('POST', '/sleep', MIA, {
    sleep_start: '2026-03-13T21:30:00Z',
    sleep_end: '2026-03-14T05:30:00Z',
    duration_minutes: 450,
    quality_score: 8,
  })
  await call('POST', '/activities', MIA, { timestamp: AT, activity_type: 'running', duration_minutes: 25 })
  await call('POST', '/meals', MIA, { timestamp: AT, carbs_grams: 45.5 })
  await call('POST', '/meals', MIA, { timestamp: AT, carbs_grams: 45, source: 'nightscout' })
  await call('POST', '/glucose/readings', MIA, { timestamp: AT, value: 110 })
  const { date, computed_at, ...rest } = await row()
  assert.deepEqual(rest, {
    avg_glucose: 110,
    min_glucose: 110,
    max_glucose: 110,
    std_glucose: null,
    time_in_range_percent: 100,
    time_above_range_percent: 0,
    time_below_range_percent: 0,
    total_carbs_grams: 45,
    total_calories: null,
    total_sleep_minutes: 450,
    sleep_quality_score: 8,
    total_exercise_minutes: 25,
    mood: 5.5,
    recovery: 66,
    strain: 12.1,
    hrv_rmssd: 61,
    hrv_sdnn: null,
    resting_heart_rate: 52,
    steps: 520,
    active_energy: null,
    distance: null,
    counted_by: { steps: [{ source: 'obs', device: 'watch-1', value: 520 }] },
    glucose_readings: 1,
    reasons: {
      std_glucose: 'needs_two_readings',
      total_calories: 'not_told',
      hrv_sdnn: 'not_measured',
      active_energy: 'not_measured',
      distance: 'not_measured',
    },
  })
})

test('two devices or sources that tell the same story count once', async (t) => {
  const { call, row, measure } = await setup(t)
  await measure('steps', 400)
  await measure('steps', 390, { deviceId: 'phone-2', atMs: AT + 1000 })
  await measure('hrv_rmssd', 61)
  await measure('hrv_rmssd', 80, { deviceId: 'phone-2', atMs: AT + 1000 })
  const night = { sleep_start: '2026-03-13T21:30:00Z', sleep_end: '2026-03-14T05:30:00Z' }
  await call('POST', '/sleep', MIA, { ...night, duration_minutes: 450, source: 'oura' })
  await call('POST', '/sleep', MIA, { ...night, duration_minutes: 470, source: 'apple_health' })
  await call('POST', '/sleep', MIA, { ...night, duration_minutes: 480 })
  const { steps, hrv_rmssd, total_sleep_minutes } = await row()
  assert.deepEqual([steps, hrv_rmssd, total_sleep_minutes], [390, 80, 450])
})

test('a night that only a device counted is shown until somebody tells the night', async (t) => {
  const { call, row, measure } = await setup(t)
  await measure('sleep_duration', 25_000, { atMs: AT - 3_600_000 })
  await measure('sleep_duration', 27_000)
  assert.equal((await row()).total_sleep_minutes, 450)
  const night = {
    sleep_start: '2026-03-13T21:30:00Z',
    sleep_end: '2026-03-14T05:30:00Z',
    duration_minutes: 430,
  }
  await call('POST', '/sleep', MIA, night)
  assert.equal((await row()).total_sleep_minutes, 430)
})

test('a late, corrected or deleted value changes its own day at once', async (t) => {
  const { call, rows, clock } = await setup(t)
  const before = await rows('2026-03-10', DAY)
  clock.advance(60_000)
  const late = { timestamp: '2026-03-11T12:00:00Z', value: 100, source: 'dexcom_g7' }
  const { id } = (await call<{ id: string }>('POST', '/glucose/readings', MIA, late)).body.data
  const after = await rows('2026-03-10', DAY)
  assert.deepEqual(
    after.map(({ avg_glucose }) => avg_glucose),
    [null, 100, null, null, null],
  )
  assert.deepEqual(
    after.map((row, index) => row.computed_at === before[index]?.computed_at),
    [true, false, true, true, true],
    'the other days were not computed again',
  )
  await call('PATCH', `/glucose/readings/${id}`, MIA, { value: 120 })
  assert.equal((await rows('2026-03-11'))[0]?.avg_glucose, 120)
  await call('DELETE', `/glucose/readings/${id}`, MIA)
  assert.equal((await rows('2026-03-11'))[0]?.avg_glucose, null)
})

test('whoever may not read a class sees that, not its values', async (t) => {
  const { call, rows } = await setup(t)
  await call('POST', '/mood', MIA, { rating: 7, timestamp: AT })
  await call('POST', '/glucose/readings', MIA, { timestamp: AT, value: 110 })
  const [seen] = await rows(DAY, DAY, GRAN)
  assert.deepEqual(
    [seen?.mood, seen?.avg_glucose, seen?.glucose_readings, seen?.reasons['avg_glucose']],
    [7, null, null, 'not_permitted'],
  )
})

test('days are asked for by date, by instant, or not at all', async (t) => {
  const { call } = await setup(t)
  const dates = async (query: string) => {
    const { status, body } = await call<Rows>('GET', `/people/mia/daily${query}`, MIA)
    return status === 200 ? body.data.rows.map(({ date }) => date) : status
  }
  assert.deepEqual(await dates('?from=2026-03-13&to=2026-03-14'), ['2026-03-13', '2026-03-14'])
  assert.deepEqual(await dates('?start=2026-03-12T23:00:00Z&end=2026-03-13T23:00:00Z'), ['2026-03-13'])
  const month = await dates('')
  assert.deepEqual([Array.isArray(month) && month.length, Array.isArray(month) && month[29]], [30, DAY])
  for (const query of ['?from=2026-03-15&to=2026-03-14', '?from=2024-01-01', '?from=soon', '?to=2026-02-30'])
    assert.equal(await dates(query), 400, query)
})

test('days equal the reference over the night on which clocks are set back', async (t) => {
  const { call, rows } = await setup(t)
  const table = async (name: string) => {
    const [head = '', ...lines] = (await readFile(fixturePath(`daily/${name}.csv`), 'utf8'))
      .trim()
      .split('\n')
    const names = head.split(',')
    return lines.map((line) =>
      Object.fromEntries(
        line.split(',').map((cell, index) => {
          const name = names[index] ?? ''
          return [name, cell === '' ? null : /^-?[\d.]+$/.test(cell) ? Number(cell) : cell]
        }),
      ),
    )
  }
  const readings = (await table('glucose')).filter(({ value }) => value !== null)
  await call('POST', '/glucose/bulk', MIA, { readings })
  for (const [path, name] of [
    ['/sleep', 'sleep'],
    ['/activities', 'activities'],
    ['/meals', 'meals'],
  ] as const)
    for (const record of await table(name)) assert.equal((await call('POST', path, MIA, record)).status, 201)
  const expected: Record<string, number | string>[] = JSON.parse(
    await readFile(fixturePath('daily/expected.json'), 'utf8'),
  ).rows
  const names: readonly (keyof DailyRow & string)[] = [
    'avg_glucose',
    'min_glucose',
    'max_glucose',
    'time_in_range_percent',
    'time_above_range_percent',
    'time_below_range_percent',
    'total_sleep_minutes',
    'sleep_quality_score',
    'total_exercise_minutes',
    'total_carbs_grams',
    'total_calories',
  ]
  const found = await rows(String(expected[0]?.['date']), String(expected.at(-1)?.['date']))
  assert.equal(found.length, expected.length)
  found.forEach((row, index) => {
    const day = expected[index] ?? {}
    assert.deepEqual([row.date, row.glucose_readings], [day['date'], day['n_readings']])
    for (const name of [...names, 'std_glucose' as const]) {
      const wanted = day[name === 'std_glucose' ? 'std_glucose_sample' : name] ?? null
      const is = row[name]
      const agrees = wanted === null ? is === null : Math.abs(Number(is) - Number(wanted)) < 1e-6
      assert.ok(agrees, `${name} of ${row.date}: ${is}, not ${wanted}`)
    }
  })
})

type Op =
  | { kind: 'value'; metric: string; deviceId: string; minute: number; value: number }
  | { kind: 'retract'; metric: string; deviceId: string; minute: number }
  | { kind: 'night'; source: string; minute: number; hours: number; quality: number }
  | { kind: 'delete'; path: 'sleep' | 'mood' }
  | { kind: 'mood'; minute: number; rating: number }

/** From the evening of the 10th in Berlin on: days change at 23:00 UTC. */
const FIRST_MS = Date.UTC(2026, 2, 10, 21)
const DATES = ['2026-03-10', '2026-03-11', '2026-03-12']
const minute = fc.integer({ min: 0, max: 2 * 1440 })
const deviceId = fc.constantFrom('watch-1', 'phone-2')
const value = fc.oneof(
  ...Object.entries({ glucose: [60, 260], steps: [0, 200], recovery: [1, 99], strain: [0, 20] }).map(
    ([metric, [min = 0, max = 1]]) =>
      fc.record({
        kind: fc.constant('value' as const),
        metric: fc.constant(metric),
        deviceId,
        minute,
        value: fc.integer({ min, max }),
      }),
  ),
)
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: value },
  { weight: 2, arbitrary: value.map((one) => ({ ...one, kind: 'retract' as const })) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('night' as const),
      source: fc.constantFrom('oura', 'apple_health', 'manual'),
      minute: fc.integer({ min: 0, max: 24 }).map((hours) => hours * 60),
      hours: fc.integer({ min: 1, max: 12 }),
      quality: fc.integer({ min: 0, max: 10 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('mood' as const),
      minute,
      rating: fc.integer({ min: 1, max: 10 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), path: fc.constantFrom('sleep', 'mood') }),
  },
)

test('rows kept through late, corrected, deleted and rival data equal a computation from the raw values', async (t) => {
  const home = await setup(t)
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 1, maxLength: 12 }), async (ops) => {
      try {
        for (const one of ops) {
          await take(home, one)
          await assertKeptIsComputed(home)
        }
        await assertIsRaw(home)
      } finally {
        await clear(home)
      }
    }),
    { numRuns: 25 },
  )
})

async function assertKeptIsComputed({ daily, fresh }: Home): Promise<void> {
  const plain = (rows: readonly DailyRow[]) => rows.map(({ computed_at: _when, ...row }) => row)
  assert.deepEqual(plain(await daily.rows('mia', DATES)), plain(await fresh(DATES)))
}

async function assertIsRaw({ daily, store }: Home): Promise<void> {
  const rows = await daily.rows('mia', DATES)
  for (const [index, date] of DATES.entries()) {
    const { recovery, strain, steps, mood, total_sleep_minutes } = rows[index]!
    const raw = await fromRaw(store, date)
    assert.deepEqual({ strain, steps, total_sleep_minutes }, raw.exact, date)
    const means = [
      [recovery, raw.recovery],
      [mood, raw.mood],
    ] as const
    for (const [is, wanted] of means)
      assert.ok(
        is === wanted || Math.abs((is ?? 99) - (wanted ?? -99)) < 1e-9,
        `${date}: ${is}, not ${wanted}`,
      )
  }
}

type Home = Awaited<ReturnType<typeof setup>>

async function take({ call, store, measure }: Home, one: Op): Promise<void> {
  const at = (minutes: number) => FIRST_MS + minutes * 60_000
  switch (one.kind) {
    case 'value':
      await measure(one.metric, one.value, { deviceId: one.deviceId, atMs: at(one.minute) })
      return
    case 'retract':
      await store.observations.retract([{ ...one, personId: 'mia', atMs: at(one.minute) }].map(keyOf))
      return
    case 'night':
      await call('POST', '/sleep', MIA, {
        sleep_start: at(one.minute),
        sleep_end: at(one.minute + one.hours * 60),
        quality_score: one.quality,
        source: one.source,
      })
      return
    case 'mood':
      await call('POST', '/mood', MIA, { rating: one.rating, timestamp: at(one.minute) })
      return
    case 'delete': {
      const [newest] = (await call<{ id: string }[]>('GET', `/${one.path}`, MIA)).body.data
      if (newest) await call('DELETE', `/${one.path}/${newest.id}`, MIA)
    }
  }
}

function keyOf({
  personId,
  deviceId,
  metric,
  atMs,
}: {
  personId: string
  deviceId: string
  metric: string
  atMs: number
}) {
  return { personId, deviceId, metric, atMs }
}

/** What a row should say, the slow way: every raw value of the day, one device believed. */
async function fromRaw(store: Store, date: string) {
  const window = { personId: 'mia', ...dayBounds(date, ZONE), limit: 50_000 }
  const read = async (metric: string) => (await store.observations.range({ ...window, metric })).points
  const rank = (id: string) => (id === 'phone-2' ? 10 : 100)
  const best = <Point extends { deviceId: string; value: number }>(points: readonly Point[]) => {
    const lowest = Math.min(...points.map(({ deviceId }) => rank(deviceId)))
    return points.filter(({ deviceId }) => rank(deviceId) === lowest).map(({ value }) => value)
  }
  const average = (values: readonly number[]) =>
    values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length
  const steps = await read('steps')
  const quarters = new Set(steps.map(({ atMs }) => Math.floor(atMs / 900_000)))
  const counted = [...quarters].flatMap((quarter) =>
    best(steps.filter(({ atMs }) => Math.floor(atMs / 900_000) === quarter)),
  )
  const strain = best(await read('strain'))
  return {
    recovery: average(best(await read('recovery'))),
    mood: average((await read('mood')).map(({ value: rating }) => rating)),
    exact: {
      strain: strain.length === 0 ? null : Math.max(...strain),
      steps: steps.length === 0 ? null : counted.reduce((sum, one) => sum + one, 0),
      total_sleep_minutes: slept(store, date),
    },
  }
}

/** Nights believed in the order oura, apple_health, manual, the later told first; none overlaps another. */
function slept(store: Store, date: string): number | null {
  const order = ['oura', 'apple_health', 'manual']
  const nights = store
    .all<{ id: string; source: string; fromMs: number; toMs: number; told: number }>(
      `SELECT id, source, start_at AS fromMs, end_at AS toMs, updated_at AS told FROM record
       WHERE kind = 'sleep' AND deleted_at IS NULL ORDER BY id`,
    )
    .sort(
      (a, b) => order.indexOf(a.source) - order.indexOf(b.source) || b.told - a.told || a.fromMs - b.fromMs,
    )
  const believed: typeof nights = []
  for (const night of nights)
    if (believed.every(({ fromMs, toMs }) => toMs <= night.fromMs || night.toMs <= fromMs))
      believed.push(night)
  const woken = believed.filter(({ toMs }) => localDay(toMs, ZONE) === date)
  return woken.length === 0
    ? null
    : woken.reduce((sum, { fromMs, toMs }) => sum + (toMs - fromMs) / 60_000, 0)
}

/** Everything goes the way it goes in a hub, so that what is kept hears of it; then the tables are emptied. */
async function clear({ call, store }: Home): Promise<void> {
  for (const path of ['sleep', 'mood'])
    for (const { id } of (await call<{ id: string }[]>('GET', `/${path}?per_page=200`, MIA)).body.data)
      await call('DELETE', `/${path}/${id}`, MIA)
  for (const metric of ['glucose', 'steps', 'recovery', 'strain']) {
    const range = { personId: 'mia', metric, fromMs: 0, toMs: AT, limit: 50_000 }
    await store.observations.retract((await store.observations.range(range)).points.map(keyOf))
  }
  const tables = ['record_revision', 'record', 'observation_revision']
  await store.write(tables.map((table) => ({ sql: `DELETE FROM ${table}` })))
}

test('the summary of a week averages its days and compares them with the week before', async (t) => {
  const { call, measure } = await setup(t)
  for (let daysAgo = 0; daysAgo < 14; daysAgo += 1)
    await measure('recovery', daysAgo < 7 ? 60 + daysAgo : 50, { atMs: AT - daysAgo * 86_400_000 })
  interface Summary {
    from: string
    to: string
    rows: object[]
    averages: Record<
      string,
      { mean: number | null; days: number; previous_mean: number | null; change: number | null }
    >
  }
  const { status, body } = await call<Summary>('GET', '/dashboard/summary?days=7', MIA)
  const { from, to, rows, averages } = body.data
  assert.deepEqual([status, from, to, rows.length], [200, '2026-03-08', DAY, 7])
  assert.deepEqual(averages['recovery'], {
    mean: 63,
    min: 60,
    max: 66,
    days: 7,
    previous_mean: 50,
    change: 13,
  })
  assert.equal(averages['mood']?.mean, null)
  assert.equal((await call('GET', '/dashboard/summary?days=8', MIA)).status, 400)
  assert.equal((await call('GET', '/dashboard/summary', MIA)).status, 200)
})
