import { statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { listSnapshots, snapshotEveryMs } from './snapshot-files.ts'
import type { SnapshotAnswer, SnapshotOrder } from './snapshot-thread.ts'

export interface SnapshotState {
  newestAtMs: number | null
  bytes: number
  /** Why the last attempt gave none; null when it did. */
  problem: string | null
}

export interface Snapshots {
  /** Takes one now, whatever the schedule; resolves with how it stands. One at a time: a second call joins the first. */
  take(): Promise<SnapshotState>
  state(): SnapshotState
  /** Ends the schedule; a copy in progress is given up and leaves nothing. */
  stop(): Promise<void>
}

export interface SnapshotsDeps {
  database: string
  folder: string
  clock: Pick<Clock, 'now' | 'after' | 'every'>
  log: Log
  /** Grows with every row that reaches the disk: a database that did not change is not copied again. */
  written: () => number
}

const LOOK_EVERY_MS = 600_000
/** The first look comes soon: until there is a snapshot nothing can come back. */
const FIRST_LOOK_MS = 60_000
/** What the copies of one day may write to a card that wears. */
const DAILY_BYTES = 4 * 1024 ** 3
/** Free beside the copy itself, so that a snapshot never fills the disk. */
const SPARE_BYTES = 64 * 1024 ** 2
const ENTRY = new URL(
  `./snapshot-thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
)

/** Copies the database about once an hour, so that a damaged one comes back by itself. */
export function createSnapshots({ database, folder, clock, log, written }: SnapshotsDeps): Snapshots {
  let problem: string | null = null
  let writtenAtLast = -1
  let running: { worker: Worker; done: Promise<void> } | null = null
  const schedule = [clock.after(FIRST_LOOK_MS, look), clock.every(LOOK_EVERY_MS, look)]

  return { take, state, stop }

  function look(): void {
    const newest = listSnapshots(folder)[0]
    const everyMs = snapshotEveryMs(databaseBytes(), DAILY_BYTES)
    const due = newest === undefined || clock.now() - newest.takenAtMs >= everyMs
    if (due && written() !== writtenAtLast) void take()
  }

  async function take(): Promise<SnapshotState> {
    running ??= start()
    await running?.done
    return state()
  }

  function start(): typeof running {
    const free = freeBytes()
    if (free < databaseBytes() + SPARE_BYTES) {
      problem = `no room for a copy of the database: ${Math.round(free / 1024 ** 2)} MB are free`
      log.warn({ free }, 'no snapshot: too little room')
      return null
    }
    const at = written()
    const order: SnapshotOrder = { database, folder, atMs: clock.now() }
    const worker = new Worker(ENTRY, { workerData: order, name: 'snapshot' })
    const done = new Promise<void>((resolve) => {
      worker.once('message', (answer: SnapshotAnswer) => {
        problem = 'failed' in answer ? answer.failed : null
        if ('taken' in answer) writtenAtLast = at
      })
      worker.once('error', (cause) => {
        problem = messageOf(cause)
      })
      worker.once('exit', () => {
        running = null
        if (problem !== null) log.warn({ problem }, 'no snapshot')
        resolve()
      })
    })
    return { worker, done }
  }

  function state(): SnapshotState {
    const found = listSnapshots(folder)
    return {
      newestAtMs: found[0]?.takenAtMs ?? null,
      bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
      problem,
    }
  }

  async function stop(): Promise<void> {
    for (const end of schedule) end()
    const copying = running
    if (copying === null) return
    await copying.worker.terminate()
    await copying.done
  }

  function databaseBytes(): number {
    return statSync(database, { throwIfNoEntry: false })?.size ?? 0
  }

  function freeBytes(): number {
    const { bavail, bsize } = statfsSync(dirname(database))
    return bavail * bsize
  }
}
