import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createLog } from '../../daemon/kernel/log.ts'
import { createDiskGuard } from '../../daemon/store/disk-guard.ts'
import { createWriteLog } from '../../daemon/store/write-log.ts'
import { fakeClock } from '../fakes/clock.ts'
import { MORNING, person, pulse, setup } from './home.ts'

const KIB = 1024
const SIZES = { reserveBytes: 64 * KIB, floorBytes: 400 * KIB, hardBytes: 100 * KIB }

async function guarded(t: TestContext) {
  const { store: opened, path } = await setup(t)
  const clock = fakeClock(MORNING)
  const disk = { freeBytes: 4000 * KIB, stalled: false, madeRoom: 0 }
  const guard = createDiskGuard({
    ...{ folder: dirname(path), clock, log: createLog('silent'), sizes: SIZES },
    freeBytes: () => disk.freeBytes,
    stalled: () => disk.stalled,
    makeRoom: () => {
      disk.madeRoom += 1
    },
  })
  t.after(() => guard.stop())
  const reserve = join(dirname(path), 'reserve')
  /** Advances until the reserve is there: its writing is not on the clock. */
  const filled = async () => {
    clock.advance(100_000)
    while (guard.report().reserveBytes === 0) await new Promise((done) => setImmediate(done))
  }
  return { store: guard.guarded(opened), guard, clock, disk, reserve, filled }
}

test('a reserve is put aside once the hub runs and there is room, in real bytes', async (t) => {
  const { guard, clock, reserve, filled } = await guarded(t)
  clock.advance(80_000)
  assert.equal(existsSync(reserve), false)
  await filled()
  assert.equal(statSync(reserve).size, SIZES.reserveBytes)
  assert.ok(statSync(reserve).blocks * 512 >= SIZES.reserveBytes)
  assert.equal(guard.report().state, 'roomy')
})

test('with little room left bulk is refused at once, and what is measured just now and units are stored', async (t) => {
  const { store, guard, clock, disk, filled } = await guarded(t)
  await filled()
  disk.freeBytes = 300 * KIB
  clock.advance(1000)
  assert.deepEqual([guard.report().state, disk.madeRoom], ['low', 1])
  const nowMs = clock.now()
  await assert.rejects(store.observations.append([pulse(nowMs), pulse(nowMs - 3_600_000)]), {
    code: 'DISK_FULL',
    status: 503,
    retryAfterS: 30,
  })
  assert.deepEqual(await store.observations.append([pulse(nowMs)]), ['accepted'])
  await store.write([person('lena')])
  assert.equal(guard.report().refusedRows, 2)
})

test('the reserve is given out when a commit found no room, and filled again after a while with room', async (t) => {
  const { store, guard, clock, disk, reserve, filled } = await guarded(t)
  await filled()
  disk.stalled = true
  clock.advance(1000)
  assert.equal(existsSync(reserve), false)
  assert.deepEqual([guard.report().state, guard.report().released], ['full', 1])
  assert.deepEqual(await store.observations.append([pulse(clock.now())]), ['accepted'])
  disk.stalled = false
  clock.advance(2000)
  assert.equal(guard.report().state, 'roomy')
  clock.advance(30_000)
  assert.equal(existsSync(reserve), false)
  await filled()
  assert.equal(statSync(reserve).size, SIZES.reserveBytes)
})

test('when not even the reserve helped nothing new waits: every call is refused at once until there is room', async (t) => {
  const { store, guard, clock, disk } = await guarded(t)
  disk.stalled = true
  clock.advance(20_000)
  assert.equal(guard.report().state, 'stuck')
  await assert.rejects(store.observations.append([pulse(clock.now())]), { code: 'DISK_FULL' })
  await assert.rejects(store.write([person('lena')]), { code: 'DISK_FULL' })
  disk.stalled = false
  clock.advance(1000)
  assert.deepEqual(await store.observations.append([pulse(clock.now())]), ['accepted'])
})

test('room that comes and goes around the floor does not change its mind every second', async (t) => {
  const { guard, clock, disk, filled } = await guarded(t)
  await filled()
  const states = [390, 410, 450, 510, 450, 390].map((free) => {
    disk.freeBytes = free * KIB
    clock.advance(1000)
    return guard.report().state
  })
  assert.deepEqual(states, ['low', 'low', 'low', 'roomy', 'roomy', 'low'])
})

test('what was written is counted by the day and over restarts', async (t) => {
  const { store } = await setup(t)
  const clock = fakeClock(MORNING)
  const written = { bytes: 1000 }
  const begin = () =>
    createWriteLog({
      store,
      clock,
      log: createLog('silent'),
      ...{ bytes: () => written.bytes, freeBytes: () => 7_000 },
    })
  const settled = () => store.write([{ sql: 'SELECT 1' }])
  const first = begin()
  assert.equal(first.bytesADay(), null)
  written.bytes += 5_000_000
  clock.advance(3_600_000)
  await settled()
  assert.equal(first.bytesADay(), 5_000_000 * 24)
  first.stop()
  written.bytes = 0
  const second = begin()
  written.bytes += 1_000_000
  clock.advance(3_600_000)
  await settled()
  assert.equal(second.bytesADay(), 3_000_000 * 24)
  const [day] = second.days()
  assert.deepEqual([second.days().length, day?.freeBytes, day?.countedAtMs], [1, 7_000, clock.now()])
})
