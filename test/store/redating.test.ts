import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createLog } from '../../daemon/kernel/log.ts'
import { createTrustedClock } from '../../daemon/kernel/trusted-clock.ts'
import { clockKnownAt, createRedating } from '../../daemon/store/redating.ts'
import { fakeClock } from '../fakes/clock.ts'
import { MORNING, pulse, setup } from './home.ts'

const HOUR = 3_600_000

async function uncertain(t: TestContext) {
  const { store: beneath } = await setup(t)
  const timers = fakeClock(MORNING)
  const machine = { aheadMs: -MORNING }
  const clock = createTrustedClock({
    clock: { ...timers, now: () => timers.now() + machine.aheadMs },
    builtAtMs: MORNING + 86_400_000,
    synchronised: () => null,
  })
  const redating = createRedating({ store: beneath, clock, log: createLog('silent'), startId: 'this' })
  t.after(() => redating.stop())
  const store = redating.marked(beneath)
  const range = { personId: 'mia', metric: 'heart_rate', fromMs: 0, toMs: 1e13, limit: 10_000 }
  return {
    store,
    clock,
    timers,
    redating,
    all: async () => (await store.observations.range(range)).points,
    async learn(toMs: number, moved: number) {
      machine.aheadMs = toMs - timers.now()
      clock.now()
      while (redating.stats().moved < moved) await new Promise((done) => setImmediate(done))
    },
  }
}

test('values that the hub dated by a guess move to their time once it is known, those of a right clock stay', async (t) => {
  const { store, clock, timers, redating, all, learn } = await uncertain(t)
  const guessedMs = clock.now()
  const own = pulse(guessedMs + 50 * HOUR, 99)
  for (let second = 0; second < 1200; second += 1) timers.advance(1000)
  const rows = Array.from({ length: 1200 }, (_, second) =>
    pulse(guessedMs + second * 1000, 60 + (second % 7)),
  )
  await store.observations.append(rows.slice(600))
  await store.observations.append([own])
  // The shift is shorter than the stretch, so that values go where others stood.
  await learn(guessedMs + 1200_000 + 300_000, 600)
  const points = await all()
  assert.deepEqual(
    points.map(({ atMs, value }) => [atMs, value]),
    [...rows.slice(600).map(({ atMs, value }) => [atMs + 300_000, value]), [own.atMs, 99]],
  )
  assert.equal(points[0]?.extra?.['hub_clock'], 'dated anew')
  assert.equal(points.at(-1)?.extra, null)
  assert.deepEqual(redating.stats(), { marked: 600, moved: 600 })
  const days = await store.observations.level({
    ...{ personId: 'mia', metric: 'heart_rate', fromMs: 0, toMs: 1e13, limit: 100 },
    level: '1d',
  })
  assert.equal(
    days.points.reduce((sum, { count }) => sum + count, 0),
    601,
  )
})

test('with a clock that is believed nothing is marked, and when it was is kept for the next start', async (t) => {
  const { store, clock, timers, redating, all, learn } = await uncertain(t)
  await learn(MORNING + 100 * HOUR, 0)
  await store.observations.append([pulse(clock.now())])
  assert.equal((await all())[0]?.extra, null)
  assert.equal(redating.stats().marked, 0)
  assert.equal(clockKnownAt(store), null)
  timers.advance(HOUR)
  await store.write([{ sql: 'SELECT 1' }])
  assert.ok((clockKnownAt(store) ?? 0) >= MORNING + 100 * HOUR)
})
