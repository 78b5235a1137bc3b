/** Entry of the writer thread: opens the database, then answers one message after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import type Database from 'better-sqlite3'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { HubError, messageOf } from '../kernel/errors.ts'
import { type Committer, createCommitter } from './commit.ts'
import { openForWriting } from './database.ts'
import { createDiskCount } from './disk-count.ts'
import { failureOf } from './failure.ts'
import { createIdleWork } from './idle-work.ts'
import { migrate } from './migrate.ts'
import type { Batch, FromThread, ThreadStart, ToThread } from './protocol.ts'
import { ROLLUP_LIMITS } from './rollups.ts'

const port = parentPort
if (!port) throw new Error('writer-thread is started as a worker')
// `workerData` is what `startThread` of this program passed.
const start = workerData as ThreadStart
const say = (message: FromThread) => port.postMessage(message)

try {
  const db = openForWriting(start.path)
  migrate(db, start.path)
  const clock = systemClock()
  const committer = createCommitter({
    db,
    clock,
    bytesWritten: createDiskCount(clock),
    limits: { ...ROLLUP_LIMITS, openSeries: start.openSeries },
  })
  serve(db, committer, clock)
  say({ kind: 'ready', recoveredHours: committer.recoveredHours })
} catch (cause) {
  const code = cause instanceof HubError ? cause.code : failureOf(cause) === 'full' ? 'DISK_FULL' : 'INTERNAL'
  say({ kind: 'unfit', code, message: messageWithCause(cause) })
}

function serve(db: Database.Database, committer: Committer, clock: Clock): void {
  let stalled: Batch | null = null
  const idle = createIdleWork({
    clock,
    run: committer.upkeep,
    tell: (answer) => say({ kind: 'upkept', ...answer }),
  })

  function commit(batch: Batch): void {
    stalled = null
    try {
      say({ kind: 'committed', committed: committer.commit(batch) })
      idle.committed(batch.nowMs)
    } catch (cause) {
      const failure = failureOf(cause)
      if (failure === 'other') {
        say({ kind: 'failed', message: messageOf(cause) })
        return
      }
      stalled = batch
      say({ kind: 'stalled', full: failure === 'full', message: messageOf(cause) })
    }
  }

  function close(): void {
    idle.stop()
    try {
      committer.settleAll()
      db.pragma('wal_checkpoint(TRUNCATE)')
    } catch (cause) {
      // On a full disk open roll-ups stay in memory only; the next start makes them again from the rows.
      if (failureOf(cause) === 'other') throw cause
    } finally {
      db.close()
    }
    say({ kind: 'closed' })
    port?.close()
  }

  port?.on('message', (message: ToThread) => {
    if (message.kind === 'commit') commit(message.batch)
    else if (message.kind === 'retry') {
      if (stalled) commit(stalled)
    } else if (message.kind === 'open') {
      const { question, person, metric } = message
      say({ kind: 'open', question, series: committer.open(person, metric) })
    } else if (message.kind === 'upkeep') idle.ask(message.question, message.order)
    else close()
  })
}

function messageWithCause(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause !== undefined ? `: ${messageOf(cause.cause)}` : ''
  return `${messageOf(cause)}${inner}`
}
