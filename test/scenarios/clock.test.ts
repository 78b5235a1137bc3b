import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig } from '../../config/load.ts'
import { type House, openHouse } from '../../daemon/house.ts'
import { createLog } from '../../daemon/kernel/log.ts'
import { fakeClock } from '../fakes/clock.ts'
import { device, person, pulse, unexpected } from '../store/home.ts'

const BUILT = Date.UTC(2026, 10, 1)
const DAY = 86_400_000

/** A box of which the clock stands in 1970 at every start. */
async function boot(t: TestContext, dataDir: string) {
  const timers = fakeClock(BUILT)
  const machine = { aheadMs: 1000 - BUILT }
  const clock = { ...timers, now: () => timers.now() + machine.aheadMs }
  const deps = { config: loadConfig({ HOMEFIELD_DATA: dataDir }), dataDir, version: '0.1.0' }
  const house = await openHouse({ ...deps, builtAtMs: BUILT, clock, log: createLog('silent') }, unexpected)
  const stop = async () => {
    await house.snapshots.stop()
    await house.store.close()
  }
  t.after(stop)
  const set = (toMs: number) => {
    machine.aheadMs = toMs - timers.now()
    house.clock.now()
  }
  return { house, timers, set, stop }
}

const instants = async ({ store }: House) => {
  const range = { personId: 'mia', metric: 'heart_rate', fromMs: 0, toMs: 1e13, limit: 10 }
  return (await store.observations.range(range)).points.map(({ atMs }) => atMs)
}

test('a hub that boots in 1970 keeps what watches send in order, and dates it when it learns the time', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'homefield-clock-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const first = await boot(t, dataDir)
  assert.equal(first.house.trust.state(), 'unset')
  await first.house.store.write([person('mia'), device('watch-1')])
  const guessedMs = first.house.clock.now()
  assert.ok(guessedMs >= BUILT - DAY)
  await first.house.store.observations.append([pulse(guessedMs)])
  first.timers.advance(60_000)
  await first.house.store.observations.append([pulse(first.house.clock.now(), 80)])
  assert.deepEqual(await instants(first.house), [guessedMs, guessedMs + 60_000])
  first.set(BUILT + 30 * DAY)
  while (first.house.redating.stats().moved < 2) await new Promise((done) => setImmediate(done))
  assert.deepEqual(await instants(first.house), [BUILT + 30 * DAY - 60_000, BUILT + 30 * DAY])
  first.timers.advance(3_600_000)
  await first.house.store.write([{ sql: 'SELECT 1' }])
  await first.stop()
  const second = await boot(t, dataDir)
  assert.equal(second.house.trust.state(), 'unset')
  assert.ok(second.house.clock.now() > BUILT + 30 * DAY, 'time goes on from where the hub last knew it')
})
