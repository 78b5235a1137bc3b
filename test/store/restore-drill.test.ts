/** A copy of the database is tried out: only one that would bring this hub back passes, and nothing is left of the trial. */
import assert from 'node:assert/strict'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openForWriting } from '../../daemon/store/database.ts'
import { ensureHub } from '../../daemon/store/hub.ts'
import { MIGRATIONS, migrate } from '../../daemon/store/migrate.ts'
import { tryRestore } from '../../daemon/store/restore-drill.ts'
import { takeSnapshot } from '../../daemon/store/snapshot-files.ts'
import { MORNING, pulse, scratch, setup as setupStore } from './home.ts'

const DAY_MS = 86_400_000

async function setup(t: TestContext) {
  const { store, path, clock } = await setupStore(t)
  await ensureHub(store, 'hub-1', MORNING)
  await store.observations.append(Array.from({ length: 50 }, (_, at) => pulse(MORNING - 9 * DAY_MS + at)))
  await store.upkeep(null)
  await store.observations.append(Array.from({ length: 7 }, (_, at) => pulse(MORNING + at)))
  const folder = join(path, '../trial')
  const copy = takeSnapshot(path, join(path, '../snapshots'), MORNING).path
  return { copy, folder, clock }
}

test('a sound copy comes back with its people and values, packed days counted, and leaves nothing', async (t) => {
  const { copy, folder } = await setup(t)
  const before = statSync(copy).mtimeMs
  assert.deepEqual(tryRestore(copy, folder, 'hub-1'), {
    ...{ persons: 2, values: 57, newestValueAtMs: MORNING + 6 },
  })
  assert.equal(existsSync(folder), false)
  assert.equal(statSync(copy).mtimeMs, before, 'the copy itself is not touched')
})

test('a damaged copy and one of another hub do not pass, and leave nothing either', async (t) => {
  const { copy, folder } = await setup(t)
  assert.throws(() => tryRestore(copy, folder, 'hub-2'), /another hub/)
  truncateSync(copy, Math.floor(statSync(copy).size / 2))
  assert.throws(() => tryRestore(copy, folder, 'hub-1'))
  assert.equal(existsSync(folder), false)
})

test('a copy that an older program made is brought up to date on trial', (t) => {
  const folder = scratch(t)
  const [old, path] = [join(folder, 'old'), join(folder, 'hub.db')]
  mkdirSync(old)
  const names = readdirSync(MIGRATIONS).sort()
  for (const name of names.slice(0, -1)) cpSync(join(MIGRATIONS, name), join(old, name))
  const db = openForWriting(path)
  migrate(db, path, old)
  db.prepare(`INSERT INTO meta (name, value) VALUES ('hub_id', 'hub-1')`).run()
  db.close()
  copyFileSync(path, join(folder, 'copy.db'))
  assert.equal(tryRestore(join(folder, 'copy.db'), join(folder, 'trial'), 'hub-1').values, 0)
})
