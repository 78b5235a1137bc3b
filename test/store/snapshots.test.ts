/** The hub copies its database while it is written to, and never fills the disk with it. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { conditionOf } from '../../daemon/store/damage.ts'
import { listSnapshots } from '../../daemon/store/snapshot-files.ts'
import { createSnapshots } from '../../daemon/store/snapshots.ts'
import { fakeClock } from '../fakes/clock.ts'
import { MORNING, pulse, setup as storeSetup } from './home.ts'

async function setup(t: TestContext) {
  const { store, path } = await storeSetup(t)
  const folder = join(path, '../snapshots')
  const clock = fakeClock(MORNING)
  const snapshots = createSnapshots({
    database: path,
    folder,
    clock,
    log: pino({ level: 'silent' }),
    written: () => store.stats().rows,
  })
  t.after(() => snapshots.stop())
  return { store, folder, clock, snapshots }
}

test('a snapshot taken while values are written is sound and has what was committed before', async (t) => {
  const { store, folder, snapshots } = await setup(t)
  await store.observations.append(Array.from({ length: 500 }, (_each, at) => pulse(MORNING + at)))
  const writing = Array.from({ length: 50 }, (_each, at) =>
    store.observations.append([pulse(MORNING + 10_000 + at)]),
  )
  const [state, joined] = await Promise.all([snapshots.take(), snapshots.take()])
  await Promise.all(writing)
  assert.equal(state.problem, null)
  assert.deepEqual(joined, state)
  const [taken] = listSnapshots(folder)
  assert.ok(taken)
  assert.deepEqual(conditionOf(taken.path, { thorough: true }), { kind: 'sound' })
  assert.equal(state.newestAtMs, MORNING)
  assert.equal(readdirSync(folder).filter((name) => name.endsWith('.partial')).length, 0)
})

test('stopping in the middle of a copy leaves no half of one', async (t) => {
  const { folder, snapshots } = await setup(t)
  const taking = snapshots.take()
  await snapshots.stop()
  await taking
  const names = existsSync(folder) ? readdirSync(folder) : []
  for (const name of names.filter((each) => !each.endsWith('.partial')))
    assert.deepEqual(conditionOf(join(folder, name), { thorough: true }), { kind: 'sound' })
})
