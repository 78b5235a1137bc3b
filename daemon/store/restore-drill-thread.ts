/** Entry of the thread that tries one copy out: checking a gigabyte must not stop anything else. */
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../kernel/errors.ts'
import { type Restorable, tryRestore } from './restore-drill.ts'

/** What `restore-trial.ts` hands over. */
export interface DrillOrder {
  copy: string
  folder: string
  hubId: string
}

export type DrillAnswer = { found: Restorable } | { failed: string }

// What `tryOut` of this program passed.
const { copy, folder, hubId } = workerData as DrillOrder
parentPort?.postMessage(carryOut())

function carryOut(): DrillAnswer {
  try {
    return { found: tryRestore(copy, folder, hubId) }
  } catch (cause) {
    return { failed: messageOf(cause) }
  }
}
