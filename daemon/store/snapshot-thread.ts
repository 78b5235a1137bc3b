/** Entry of the thread that takes one snapshot: copying a gigabyte must not stop anything else. */

import { rmSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../kernel/errors.ts'
import { listSnapshots, snapshotsToDrop, takeSnapshot } from './snapshot-files.ts'

/** What `snapshots.ts` hands over. */
export interface SnapshotOrder {
  database: string
  folder: string
  atMs: number
}

export type SnapshotAnswer = { taken: { atMs: number; bytes: number } } | { failed: string }

const order = workerData as SnapshotOrder
parentPort?.postMessage(carryOut(order))

function carryOut({ database, folder, atMs }: SnapshotOrder): SnapshotAnswer {
  try {
    const { bytes } = takeSnapshot(database, folder, atMs)
    for (const { path } of snapshotsToDrop(listSnapshots(folder))) rmSync(path, { force: true })
    return { taken: { atMs, bytes } }
  } catch (cause) {
    return { failed: messageOf(cause) }
  }
}
