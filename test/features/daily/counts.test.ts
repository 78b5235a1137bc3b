import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { type Counted, leadingCounts } from '../../../daemon/domain/counts.ts'
import { createDaily } from '../../../daemon/features/daily/daily.ts'
import { household } from '../glucose/setup.ts'

async function setup(t: TestContext) {
  let zone = 'Europe/Berlin'
  const build = (parts: Parameters<Parameters<typeof household>[1]>[0]) =>
    createDaily({
      ...{ ...parts, zoneOf: () => zone, glucose: async () => [], records: () => [] },
      onRecordsChanged: () => () => undefined,
    })
  const made: { daily?: ReturnType<typeof createDaily> } = {}
  const home = await household(t, (parts) => {
    made.daily = build(parts)
    return [made.daily.feature]
  })
  const watch = await home.sources.entryFor("Mia's Apple Watch")
  const phone = await home.sources.entryFor("Mia's iPhone")
  const counted = (deviceId: string, from: string, to: string | null, value: number, metric = 'steps') =>
    home.store.observations.append([
      {
        ...{ personId: 'mia', deviceId, metric, atMs: Date.parse(from), value, quality: null },
        source: deviceId === watch ? "Mia's Apple Watch" : "Mia's iPhone",
        extra: to === null ? null : { t_end: new Date(to).toISOString() },
      },
    ])
  return {
    ...home,
    ...{ watch, phone, counted },
    move: (to: string) => {
      zone = to
    },
    days: (...dates: string[]) => made.daily!.rows('mia', dates),
  }
}

test('what a phone and a watch counted at the same time counts once, and who counted is said', async (t) => {
  const { counted, watch, phone, days } = await setup(t)
  await counted(phone, '2026-03-13T07:00Z', '2026-03-13T07:10Z', 900)
  await counted(watch, '2026-03-13T07:02Z', '2026-03-13T07:09Z', 850)
  await counted(phone, '2026-03-13T09:00Z', '2026-03-13T09:10Z', 400)
  for (const [device, kcal, metres] of [
    [phone, 40, 700],
    [watch, 55.5, 640],
  ] as const) {
    await counted(device, '2026-03-13T07:00Z', '2026-03-13T07:10Z', kcal, 'active_energy')
    await counted(device, '2026-03-13T07:00Z', '2026-03-13T07:10Z', metres, 'distance')
  }
  const [row] = await days('2026-03-13')
  assert.deepEqual([row?.steps, row?.active_energy, row?.distance], [1250, 55.5, 640])
  assert.deepEqual(row?.counted_by['steps'], [
    { source: "Mia's Apple Watch", device: watch, value: 850 },
    { source: "Mia's iPhone", device: phone, value: 400 },
  ])
})

test('a long count of the phone fills only the hours that the watch left out', async (t) => {
  const { counted, watch, phone, days } = await setup(t)
  await counted(phone, '2026-03-13T07:00Z', '2026-03-13T09:00Z', 800)
  await counted(watch, '2026-03-13T07:05Z', '2026-03-13T07:50Z', 300)
  assert.equal((await days('2026-03-13'))[0]?.steps, 300 + 400)
})

test('a rank of the household comes before what is worn', async (t) => {
  const { counted, store, watch, phone, days } = await setup(t)
  await counted(phone, '2026-03-13T07:00Z', '2026-03-13T07:10Z', 900)
  await counted(watch, '2026-03-13T07:00Z', '2026-03-13T07:10Z', 850)
  assert.equal((await days('2026-03-13'))[0]?.steps, 850)
  await store.write([{ sql: 'UPDATE device SET rank = 5 WHERE id = :phone', params: { phone } }])
  assert.equal((await days('2026-03-13'))[0]?.steps, 900)
})

test('a count over midnight is shared by time, and one that is late or taken back moves both days', async (t) => {
  const { counted, store, watch, days } = await setup(t)
  const both = async () => (await days('2026-03-12', '2026-03-13')).map(({ steps }) => steps)
  assert.deepEqual(await both(), [null, null])
  // Midnight in Berlin is 23:00 UTC.
  await counted(watch, '2026-03-12T22:30Z', '2026-03-12T23:30Z', 100)
  assert.deepEqual(await both(), [50, 50])
  await counted(watch, '2026-03-12T22:30Z', '2026-03-13T00:30Z', 100)
  assert.deepEqual(await both(), [25, 75], 'a corrected end is a correction')
  const key = { personId: 'mia', deviceId: watch, metric: 'steps', atMs: Date.parse('2026-03-12T22:30Z') }
  await store.observations.retract([key])
  assert.deepEqual(await both(), [null, null])
})

test('days of 23 and 25 hours and days of travel keep every count exactly once', async (t) => {
  const { counted, watch, phone, days, move } = await setup(t)
  const hours = (from: string, count: number) =>
    Array.from({ length: count }, (_, hour) => new Date(Date.parse(from) + hour * 3_600_000).toISOString())
  for (const from of [...hours('2025-03-29T23:00Z', 23), ...hours('2025-10-25T22:00Z', 25)]) {
    const to = new Date(Date.parse(from) + 3_600_000).toISOString()
    await counted(watch, from, to, 10)
    await counted(phone, from, to, 11)
  }
  const total = async (...dates: string[]) =>
    (await days(...dates)).reduce((sum, { steps }) => sum + (steps ?? 0), 0)
  assert.deepEqual([await total('2025-03-30'), await total('2025-10-26')], [230, 250])
  move('America/New_York')
  assert.equal(await total('2025-03-29', '2025-03-30'), 230)
  move('Asia/Kathmandu')
  assert.equal(await total('2025-10-26', '2025-10-27'), 250)
})

test('the counts of one source add up to what it counted, and rivals never add anything to its quarters', () => {
  const span = fc.record({
    atMs: fc.integer({ min: 0, max: 48 * 60 }).map((minute) => minute * 60_000),
    minutes: fc.integer({ min: 0, max: 600 }),
    value: fc.integer({ min: 0, max: 1000 }),
  })
  const of = (deviceId: string, one: { atMs: number; minutes: number; value: number }): Counted => ({
    ...{ deviceId, source: deviceId, atMs: one.atMs, value: one.value },
    endMs: one.minutes === 0 ? null : one.atMs + one.minutes * 60_000,
  })
  fc.assert(
    fc.property(fc.array(span, { maxLength: 20 }), fc.array(span, { maxLength: 20 }), (first, second) => {
      const [watch, phone] = [first.map((one) => of('watch', one)), second.map((one) => of('phone', one))]
      const rank = () => 100
      const sum = (counts: readonly { value: number }[]) => counts.reduce((all, { value }) => all + value, 0)
      const alone = leadingCounts(watch, rank)
      assert.ok(Math.abs(sum(alone) - sum(watch)) < 1e-6)
      const both = leadingCounts([...phone, ...watch], rank)
      assert.deepEqual(
        both.filter(({ told }) => told.deviceId === 'watch'),
        alone,
      )
      assert.equal(new Set(both.map(({ atMs }) => atMs)).size, both.length)
    }),
    { numRuns: 200 },
  )
})
