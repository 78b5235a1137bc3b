/** A damaged or lost database comes back by itself, with what the damaged file still gives. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createStore } from '../../daemon/store/open.ts'
import { markClosed, markOpen, recoverDatabase } from '../../daemon/store/recovery.ts'
import { salvageObservations } from '../../daemon/store/salvage.ts'
import {
  listSnapshots,
  type Snapshot,
  snapshotEveryMs,
  snapshotsToDrop,
  takeSnapshot,
} from '../../daemon/store/snapshot-files.ts'
import { HOUSEHOLD, MORNING, pulse, scratch, setup as setupStore, unexpected } from './home.ts'

const PAGE = 4096
const MINUTE_MS = 60_000

/** A closed database with one snapshot in the middle of its values, as a hub that ran for a while leaves it. */
async function setup(t: TestContext, { beforeSnapshot = 3000, afterSnapshot = 300 } = {}) {
  const folder = scratch(t)
  const place = {
    database: join(folder, 'homefield.db'),
    snapshots: join(folder, 'snapshots'),
    damaged: join(folder, 'damaged'),
  }
  const store = await createStore({ path: place.database, now: () => MORNING, onFailure: unexpected })
  await store.write(HOUSEHOLD)
  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_each, index) => pulse(MORNING + (from + index) * 1000, 60 + (index % 40)))
  await store.observations.append(rows(0, beforeSnapshot))
  takeSnapshot(place.database, place.snapshots, MORNING + MINUTE_MS)
  await store.observations.append(rows(beforeSnapshot, afterSnapshot))
  await store.close()
  const count = async () => {
    const opened = await createStore({ path: place.database, now: () => MORNING, onFailure: unexpected })
    t.after(() => opened.close())
    return { opened, rows: opened.get<{ n: number }>('SELECT count(*) AS n FROM observation')?.n }
  }
  return { folder, place, count, beforeSnapshot, afterSnapshot }
}

/** Fills whole pages with what no page holds. */
function damage(path: string, ...pages: number[]): void {
  const bytes = readFileSync(path)
  for (const page of pages) bytes.fill(0xa5, page * PAGE, (page + 1) * PAGE)
  writeFileSync(path, bytes)
}

test('a database that was closed is opened as it is', async (t) => {
  const { place } = await setup(t)
  assert.equal(recoverDatabase(place, MORNING), null)
})

test('after an unclean end a damaged page brings the newest snapshot back, and the damaged file is kept', async (t) => {
  const { place, count, beforeSnapshot } = await setup(t)
  markOpen(place.database)
  damage(place.database, Math.floor(statSync(place.database).size / PAGE / 2))
  const recovery = recoverDatabase(place, MORNING + 5)
  assert.equal(recovery?.snapshotAtMs, MORNING + MINUTE_MS)
  assert.ok(recovery.damagedPath && existsSync(recovery.damagedPath))
  assert.equal((await count()).rows, beforeSnapshot)
})

test('what the damaged file still gives of the time after the snapshot is stored again, once', async (t) => {
  const { place, count, beforeSnapshot, afterSnapshot } = await setup(t)
  markOpen(place.database)
  // The freelist and root pages stay; one leaf somewhere in the older rows goes.
  damage(place.database, Math.floor(statSync(place.database).size / PAGE / 2))
  const recovery = recoverDatabase(place, MORNING)
  const { opened } = await count()
  const salvage = () =>
    salvageObservations({
      damagedPath: recovery?.damagedPath ?? '',
      fromMs: MORNING + beforeSnapshot * 1000,
      toMs: MORNING + (beforeSnapshot + afterSnapshot) * 1000,
      append: opened.observations.append,
    })
  assert.deepEqual(await salvage(), { read: afterSnapshot, lostHours: 0 })
  await salvage()
  assert.equal(
    opened.get<{ n: number }>('SELECT count(*) AS n FROM observation')?.n,
    beforeSnapshot + afterSnapshot,
  )
})

test('hours that cannot be read are counted, and a file that is none costs them all', async (t) => {
  const { place, folder } = await setup(t)
  const garbage = join(folder, 'garbage.db')
  writeFileSync(garbage, Buffer.alloc(3 * PAGE, 'x'))
  const append = () => Promise.resolve()
  const range = { fromMs: MORNING, toMs: MORNING + 3 * 3_600_000, append }
  assert.deepEqual(await salvageObservations({ damagedPath: garbage, ...range }), { read: 0, lostHours: 3 })
  const refused = await salvageObservations({
    ...range,
    damagedPath: place.database,
    append: () => Promise.reject(new Error('nobody is known')),
  })
  assert.equal(refused.lostHours, 1)
})

test('a lost or emptied database comes back; without a snapshot it is a new one', async (t) => {
  const { place, count, beforeSnapshot } = await setup(t)
  truncateSync(place.database, 0)
  assert.equal(recoverDatabase(place, MORNING)?.damagedPath, null)
  assert.equal((await count()).rows, beforeSnapshot)
  assert.equal(
    recoverDatabase({ ...place, database: join(scratch(t), 'none.db') }, MORNING)?.snapshotAtMs,
    MORNING + MINUTE_MS,
  )
  const nowhere = scratch(t)
  assert.equal(
    recoverDatabase(
      { database: join(nowhere, 'a.db'), snapshots: join(nowhere, 's'), damaged: nowhere },
      MORNING,
    ),
    null,
  )
})

test('without a sound snapshot a damaged database is named and stays where it is', async (t) => {
  const { place } = await setup(t)
  for (const { path } of listSnapshots(place.snapshots)) damage(path, 0, 1, 2)
  damage(place.database, 0)
  const before = readFileSync(place.database)
  assert.throws(() => recoverDatabase(place, MORNING), /is damaged .*no sound snapshot: restore a backup/)
  assert.ok(readFileSync(place.database).equals(before))
  assert.ok(!existsSync(place.damaged))
})

test('a damaged snapshot is passed over for an older sound one', async (t) => {
  const { place, count, beforeSnapshot } = await setup(t)
  const [good] = listSnapshots(place.snapshots)
  assert.ok(good)
  const newer = join(place.snapshots, `homefield-${MORNING + 2 * MINUTE_MS}.db`)
  copyFileSync(good.path, newer)
  damage(newer, Math.floor(good.bytes / PAGE / 2))
  damage(place.database, 0)
  assert.equal(recoverDatabase(place, MORNING)?.snapshotAtMs, good.takenAtMs)
  assert.equal((await count()).rows, beforeSnapshot)
})

test('only two damaged files are kept', async (t) => {
  const { place } = await setup(t)
  for (let round = 0; round < 4; round++) {
    damage(place.database, 0)
    recoverDatabase(place, MORNING + round)
  }
  assert.deepEqual(readdirSync(place.damaged).sort(), [String(MORNING + 2), String(MORNING + 3)])
})

test('the mark of an open database goes when it is closed', async (t) => {
  const { place } = await setup(t)
  markOpen(place.database)
  damage(place.database, Math.floor(statSync(place.database).size / PAGE / 2))
  markClosed(place.database)
  assert.equal(recoverDatabase(place, MORNING), null, 'only an unclean end costs a look at every page')
})

test('the newest three snapshots stay and one of each of three days', () => {
  const hour = 3_600_000
  const snapshots: Snapshot[] = Array.from({ length: 120 }, (_each, index) => ({
    path: String(index),
    takenAtMs: Date.UTC(2026, 2, 14, 20) - index * hour,
    bytes: 1,
  }))
  const dropped = new Set(snapshotsToDrop(snapshots).map(({ path }) => path))
  const kept = snapshots.filter(({ path }) => !dropped.has(path))
  assert.deepEqual(
    kept.map(({ takenAtMs }) => new Date(takenAtMs).toISOString().slice(5, 13)),
    ['03-14T20', '03-14T19', '03-14T18', '03-13T23', '03-12T23'],
  )
})

test('a large database is copied less often, so that a day of copies stays within what the card may take', () => {
  const daily = 4 * 1024 ** 3
  assert.equal(snapshotEveryMs(1024 ** 2, daily), 3_600_000)
  const everyMs = snapshotEveryMs(2 * 1024 ** 3, daily)
  assert.equal(everyMs, 12 * 3_600_000)
})

test('values of days that were packed already are read from the damaged file as well', async (t) => {
  const { store, path, clock } = await setupStore(t)
  const rows = Array.from({ length: 300 }, (_, at) => pulse(MORNING + at * 60_000, 60 + (at % 5)))
  await store.observations.append(rows)
  clock.nowMs += 10 * 86_400_000
  await store.write([{ sql: 'SELECT 1' }])
  assert.equal((await store.upkeep(null)).sealed.rows, 300)
  await store.close()
  const { store: restored } = await setupStore(t)
  const wanted = { fromMs: MORNING + 100 * 60_000, toMs: MORNING + 1000 * 60_000 }
  const append = restored.observations.append
  const told = await salvageObservations({ damagedPath: path, ...wanted, append })
  assert.deepEqual(told, { read: 200, lostHours: 0 })
  const range = { personId: 'mia', metric: 'heart_rate', fromMs: 0, toMs: wanted.toMs, limit: 1000 }
  const { points } = await restored.observations.range(range)
  assert.deepEqual(
    points.map(({ atMs, value }) => [atMs, value]),
    rows.slice(100).map(({ atMs, value }) => [atMs, value]),
  )
})
