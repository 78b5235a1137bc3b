/** Encrypted copies of everything, once a day and when asked, which make another box this one. */
import { readFile, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Feature } from '../../domain/route.ts'
import { ensurePrivateFolder } from '../../kernel/atomic-file.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError, isMissing } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { createTickets } from '../../kernel/tickets.ts'
import { AUDIT_NOTE } from '../../store/backups/contents.ts'
import { RESTORED_NOTE } from '../../store/backups/restore.ts'
import { newRecoveryKey, type SealFor } from '../../store/backups/seal.ts'
import { writeBackup } from '../../store/backups/write.ts'
import { takeFresh } from '../../store/fresh-snapshot.ts'
import type { Snapshots } from '../../store/snapshots.ts'
import type { Store } from '../../store/store.ts'
import { createDrill, type Drill } from './drill.ts'
import type { BackupQueue } from './queue.ts'
import { backupRoutes } from './routes.ts'
import { createShelf, type Shelf } from './shelf.ts'

export interface BackupDeps {
  store: Store
  clock: Clock
  log: Log
  dataDir: string
  snapshotFolder: string
  snapshots: Pick<Snapshots, 'take'>
  jobs: BackupQueue
  hubId: string
  version: string
  newId: () => string
  /** Seals the audit log, so that the copy holds its end. */
  sealAudit: () => Promise<void>
  /** Told when the hub found that it was restored. */
  onRestored: (madeAt: string) => Promise<void>
}

export interface Backup {
  feature: Feature
  shelf: Shelf
  drill: Pick<Drill, 'last'>
}

const KIND = 'backup'
/** Between the hours at which everything else of the night runs. */
const CRON = '40 3 * * *'
const KEPT = 7
const TIMEOUT_MS = 4 * 3_600_000
const TICKET_MS = 5 * 60_000
const SPARE_BYTES = 256 * 1024 ** 2

export function createBackup(deps: BackupDeps): Backup {
  const { store, clock, log, dataDir, jobs } = deps
  const shelf = createShelf(store, join(dataDir, 'backups'))
  const secrets = createTickets<SealFor>(clock, TIMEOUT_MS)
  const downloads = createTickets<string>(clock, TICKET_MS)

  async function run(asked: { ticket: string | null; media: boolean }, signal: AbortSignal) {
    const seal = asked.ticket === null ? byKey(shelf) : secrets.take(asked.ticket)
    if (seal === null) {
      if (asked.ticket === null) return { skipped: 'there is no recovery key yet' }
      throw new HubError(
        'GONE',
        'The hub was restarted and does not keep passphrases. Start the backup again.',
      )
    }
    await deps.sealAudit()
    // Before the database is copied: a note ahead of its database would look as if entries had been lost.
    const note = await readFile(join(dataDir, AUDIT_NOTE)).catch(missing)
    const newest = await takeFresh(deps.snapshots, deps.snapshotFolder, clock.now)
    await ensurePrivateFolder(shelf.folder)
    const { bavail, bsize } = await statfs(shelf.folder)
    if (bavail * bsize < newest.bytes + SPARE_BYTES)
      throw new HubError('DISK_FULL', 'There is too little room for a backup on this disk.')
    const id = deps.newId()
    const nowMs = clock.now()
    const file = `homefield-${new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-')}-${id.slice(-6)}.tar.gz.age`
    const order = {
      dataDir,
      snapshot: newest.path,
      to: join(shelf.folder, file),
      seal,
      media: asked.media,
      note,
    }
    const { hubId, version } = deps
    const written = await writeBackup({ ...order, hubId, version, nowMs, signal })
    const { bytes, sha256 } = written
    const sealedFor = 'recipient' in seal ? 'key' : 'passphrase'
    await shelf.add({ id, atMs: nowMs, file, bytes, sha256, sealedFor, media: asked.media ? 1 : 0 })
    await shelf.prune(KEPT, clock.now())
    log.info({ bytes, files: written.files }, 'backup written')
    return { backup_id: id, file, bytes, sha256 }
  }

  jobs.handle(KIND, {
    queue: 'low',
    timeoutMs: TIMEOUT_MS,
    maxAttempts: 1,
    run: async ({ job, signal, progress }) => {
      progress(0.05, 'copying')
      return { result: await run(orderIn(job.payload), signal) }
    },
  })
  jobs.schedule({ kind: KIND, cron: CRON, payload: { ticket: null, media: true } })
  const { snapshotFolder, hubId } = deps
  const drill = createDrill({ store, clock, log, dataDir, snapshotFolder, hubId, shelf, jobs })

  return {
    shelf,
    drill,
    feature: {
      name: 'backup',
      routes: (http) =>
        backupRoutes(http, {
          ...{ now: clock.now, shelf, downloads },
          async newKey() {
            const made = await newRecoveryKey()
            await shelf.setKey({ recipient: made.recipient, madeAtMs: clock.now() })
            return made
          },
          async begin({ passphrase, media, requestedBy }) {
            if (passphrase === null && shelf.key() === null) {
              throw new HubError(
                'CONFLICT',
                'There is no recovery key yet. Make one first (POST /backup/key), or send a passphrase.',
              )
            }
            const ticket = passphrase === null ? null : secrets.issue({ passphrase })
            return jobs.submit(KIND, { ticket, media }, { requestedBy, uniqueKey: 'backup by hand' })
          },
        }),
      async start() {
        drill.tidy()
        const path = join(dataDir, RESTORED_NOTE)
        const note = await readFile(path).catch(missing)
        if (note === null) return
        const said: unknown = JSON.parse(note.toString('utf8'))
        const madeAt = typeof said === 'object' && said !== null ? Reflect.get(said, 'made_at') : null
        await deps.onRestored(typeof madeAt === 'string' ? madeAt : 'unknown')
        await rm(path, { force: true })
      },
    },
  }
}

function missing(cause: unknown): null {
  if (isMissing(cause)) return null
  throw cause
}

function byKey(shelf: Shelf): SealFor | null {
  const key = shelf.key()
  return key === null ? null : { recipient: key.recipient }
}

function orderIn(payload: unknown): { ticket: string | null; media: boolean } {
  const fields: Record<string, unknown> =
    typeof payload === 'object' && payload !== null ? { ...payload } : {}
  const { ticket, media } = fields
  return { ticket: typeof ticket === 'string' ? ticket : null, media: media !== false }
}
