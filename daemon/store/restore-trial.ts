import { Worker } from 'node:worker_threads'
import type { DrillAnswer, DrillOrder } from './restore-drill-thread.ts'

// The compiled program runs `.js`, Node with type stripping runs `.ts`.
const ENTRY = new URL(
  `./restore-drill-thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
)

/** Tries a copy out on a thread of its own. Rejects when the thread dies or is called off; what is wrong with the copy is an answer. */
export function tryOut(order: DrillOrder, signal: AbortSignal): Promise<DrillAnswer> {
  const worker = new Worker(ENTRY, { workerData: order, name: 'restore drill' })
  const stop = () => void worker.terminate()
  signal.addEventListener('abort', stop, { once: true })
  return new Promise<DrillAnswer>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the restore drill was called off')))
  }).finally(() => signal.removeEventListener('abort', stop))
}
