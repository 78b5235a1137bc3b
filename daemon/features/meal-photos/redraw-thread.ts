/** Redraws one photo beside the main thread, then ends. */
import { parentPort, workerData } from 'node:worker_threads'
import { UnreadableInput } from '../../../models/vision/unreadable.ts'
import { type Redrawn, redraw } from './redraw.ts'

export type RedrawAnswer = { redrawn: Redrawn } | { unreadable: string }

function answer(file: Uint8Array): RedrawAnswer {
  try {
    return { redrawn: redraw(file) }
  } catch (cause) {
    if (cause instanceof UnreadableInput) return { unreadable: cause.message }
    throw cause
  }
}

// What the hub gives to this thread is the photo's bytes.
parentPort?.postMessage(answer(workerData as Uint8Array))
