/** Once a month the newest copies are tried out as if the hub had been lost, and what came of it is remembered. */
import { createHash } from 'node:crypto'
import { createReadStream, rmSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Clock } from '../../kernel/clock.ts'
import { isMissing } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { tryOut } from '../../store/restore-trial.ts'
import { listSnapshots, type Snapshot } from '../../store/snapshot-files.ts'
import type { Store } from '../../store/store.ts'
import type { BackupQueue } from './queue.ts'
import type { KeptBackup, Shelf } from './shelf.ts'

const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(of: T) => Type.Union([of, Type.Null()])
const Drilled = Type.Object({
  atMs: Type.Integer(),
  /** When the copy that was restored had been made; null when there was none. */
  snapshotAtMs: Maybe(Type.Integer()),
  persons: Maybe(Type.Integer()),
  values: Maybe(Type.Integer()),
  /** When the newest encrypted backup was made, of which every byte was compared; null without one. */
  backupAtMs: Maybe(Type.Integer()),
  /** Why it would not have brought the hub back; null when it would. */
  problem: Maybe(Type.String()),
})
/** What the last trial found. */
export type Drilled = Type.Static<typeof Drilled>
const isDrilled = Compile(Drilled)

export interface Drill {
  /** Null before the first. */
  last(): Drilled | null
  /** Removes what a trial left that the hub did not live to end. */
  tidy(): void
}

export interface DrillDeps {
  store: Pick<Store, 'get' | 'write'>
  clock: Pick<Clock, 'now'>
  log: Log
  dataDir: string
  snapshotFolder: string
  hubId: string
  shelf: Pick<Shelf, 'folder' | 'list'>
  jobs: Pick<BackupQueue, 'handle' | 'schedule'>
}

export const DRILL_KIND = 'restore-drill'
/** The first night of a month, after the night's backup. */
const CRON = '20 4 1 * *'
/** Named among the copies that go when somebody is forgotten. */
const FOLDER = 'restore-drill'
const NAME = 'restore_drill'
const TIMEOUT_MS = 3_600_000
const SPARE_BYTES = 256 * 1024 ** 2

export function createDrill(deps: DrillDeps): Drill {
  const { store, clock, log, dataDir, jobs } = deps
  const folder = join(dataDir, FOLDER)

  async function run(signal: AbortSignal): Promise<Drilled> {
    const [snapshot] = listSnapshots(deps.snapshotFolder)
    const backup = deps.shelf.list().find(({ goneAtMs }) => goneAtMs === null)
    const restored = await restore(deps, snapshot, folder, signal)
    const changed = backup ? await changedBytes(join(deps.shelf.folder, backup.file), backup) : null
    const found = 'found' in restored ? restored.found : null
    return {
      atMs: clock.now(),
      snapshotAtMs: snapshot?.takenAtMs ?? null,
      persons: found?.persons ?? null,
      values: found?.values ?? null,
      backupAtMs: backup?.atMs ?? null,
      problem: 'failed' in restored ? restored.failed : changed,
    }
  }

  jobs.handle(DRILL_KIND, {
    queue: 'low',
    timeoutMs: TIMEOUT_MS,
    maxAttempts: 2,
    async run({ signal, progress }) {
      progress(0.1, 'restoring the newest copy into a folder of its own')
      const drilled = await run(signal)
      if (drilled.problem !== null) log.error({ problem: drilled.problem }, 'the newest copies would not do')
      await store.write([
        {
          sql: 'INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value',
          params: { name: NAME, value: JSON.stringify(drilled) },
        },
      ])
      return { result: drilled }
    },
  })
  jobs.schedule({ kind: DRILL_KIND, cron: CRON })

  return {
    last() {
      const kept = store.get<{ value: string }>('SELECT value FROM meta WHERE name = :name', { name: NAME })
      const told: unknown = kept === undefined ? null : JSON.parse(kept.value)
      return isDrilled.Check(told) ? told : null
    },
    tidy: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function restore(
  { hubId, dataDir }: DrillDeps,
  snapshot: Snapshot | undefined,
  folder: string,
  signal: AbortSignal,
) {
  if (snapshot === undefined) return { failed: 'there is no copy of the database yet' }
  const { bavail, bsize } = await statfs(dataDir)
  if (bavail * bsize < snapshot.bytes + SPARE_BYTES)
    return { failed: 'there is too little room on the disk to try one out' }
  return tryOut({ copy: snapshot.path, folder, hubId }, signal)
}

/** The hub cannot open its own backups, which is as it should be; that not one byte of them changed it can see. */
async function changedBytes(path: string, { bytes, sha256 }: KeptBackup): Promise<string | null> {
  const hash = createHash('sha256')
  let length = 0
  try {
    for await (const piece of createReadStream(path)) {
      hash.update(piece)
      length += piece.length
    }
  } catch (cause) {
    if (isMissing(cause)) return 'the newest backup is not on the disk any more'
    throw cause
  }
  return length === bytes && hash.digest('hex') === sha256 ? null : 'the newest backup changed on the disk'
}
