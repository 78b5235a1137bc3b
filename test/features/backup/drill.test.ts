/** Once a month the newest copies are tried out, and what came of it is remembered over restarts. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDrill } from '../../../daemon/features/backup/drill.ts'
import type { BackupHandler } from '../../../daemon/features/backup/queue.ts'
import { createLog } from '../../../daemon/kernel/log.ts'
import { ensureHub } from '../../../daemon/store/hub.ts'
import { takeSnapshot } from '../../../daemon/store/snapshot-files.ts'
import { MORNING, pulse, setup as setupStore } from '../../store/home.ts'

async function setup(t: TestContext) {
  const { store, path } = await setupStore(t)
  await ensureHub(store, 'hub-1', MORNING)
  const dataDir = dirname(path)
  const backups = join(dataDir, 'backups')
  mkdirSync(backups)
  const handlers = new Map<string, BackupHandler>()
  const planned: { kind: string; cron: string }[] = []
  const backup = { file: 'home.age', bytes: 5, sha256: createHash('sha256').update('bytes').digest('hex') }
  const kept = { ...backup, id: 'b', atMs: MORNING, sealedFor: 'key' as const, media: 1, goneAtMs: null }
  const open = (hubId = 'hub-1') =>
    createDrill({
      ...{ store, dataDir, hubId, clock: { now: () => MORNING + 1 }, log: createLog('silent') },
      snapshotFolder: join(dataDir, 'snapshots'),
      shelf: { folder: backups, list: () => [{ ...kept, erasedSince: 0 }] },
      jobs: {
        handle: (kind, handler) => void handlers.set(kind, handler),
        schedule: ({ kind, cron }) => void planned.push({ kind, cron }),
      },
    })
  const drill = open()
  writeFileSync(join(backups, 'home.age'), 'bytes')
  return {
    ...{ store, dataDir, drill, planned, open, backup: join(backups, 'home.age') },
    snapshot: () => takeSnapshot(path, join(dataDir, 'snapshots'), MORNING),
    run: () =>
      handlers
        .get('restore-drill')
        ?.run({ job: { payload: null }, signal: new AbortController().signal, progress: () => {} }),
  }
}

test('the newest copy is restored beside the hub, and what it held is told until the next time', async (t) => {
  const { store, dataDir, drill, planned, snapshot, run, open } = await setup(t)
  assert.deepEqual(planned, [{ kind: 'restore-drill', cron: '20 4 1 * *' }])
  assert.equal(drill.last(), null)
  await store.observations.append([pulse(MORNING)])
  snapshot()
  await run()
  const told = {
    ...{ atMs: MORNING + 1, snapshotAtMs: MORNING, persons: 2, values: 1 },
    ...{ backupAtMs: MORNING, problem: null },
  }
  assert.deepEqual(drill.last(), told)
  assert.deepEqual(open().last(), told)
  assert.equal(existsSync(join(dataDir, 'restore-drill')), false)
})

test('copies that would not bring the hub back are told with the reason', async (t) => {
  const { drill, snapshot, run, backup, open } = await setup(t)
  await run()
  assert.match(drill.last()?.problem ?? '', /no copy of the database yet/)
  snapshot()
  appendFileSync(backup, 'x')
  await run()
  assert.match(drill.last()?.problem ?? '', /backup changed on the disk/)
  rmSync(backup)
  await run()
  assert.match(drill.last()?.problem ?? '', /not on the disk any more/)
  open('hub-2')
  await run()
  assert.match(drill.last()?.problem ?? '', /another hub/)
})

test('what a trial left that nobody lived to end goes at the next start', async (t) => {
  const { dataDir, drill } = await setup(t)
  mkdirSync(join(dataDir, 'restore-drill'))
  writeFileSync(join(dataDir, 'restore-drill/homefield.db'), 'x')
  drill.tidy()
  assert.equal(existsSync(join(dataDir, 'restore-drill')), false)
})
