import { Worker } from 'node:worker_threads'
import { HubError } from '../kernel/errors.ts'
import type { FromThread, ThreadStart, ToThread } from './protocol.ts'

/** The writer thread as the rest of the store sees it. */
export interface Thread {
  post(message: ToThread): void
  /** Set once, before the first post. */
  listen(listener: ThreadListener): void
}

export interface ThreadListener {
  message(message: FromThread): void
  /** The thread is gone without having been closed. */
  died(cause: unknown): void
}

// The compiled program runs `.js`, Node with type stripping runs `.ts`.
const ENTRY = new URL(
  `./writer-thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
)

/** Starts the writer thread; resolves when the database is open and current. Rejects with HubError when it is unfit. */
export async function startThread(start: ThreadStart): Promise<Thread> {
  const worker = new Worker(ENTRY, { workerData: start, name: 'writer' })
  let listener: ThreadListener | null = null
  let closed = false
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject)
    worker.once('exit', () => reject(new HubError('INTERNAL', 'The writer thread ended while starting.')))
    worker.once('message', (message: FromThread) => {
      if (message.kind === 'ready') resolve()
      else if (message.kind === 'unfit') reject(new HubError(message.code, message.message))
    })
  })
  worker.on('message', (message: FromThread) => {
    if (message.kind === 'closed') closed = true
    listener?.message(message)
  })
  worker.on('error', (cause) => {
    closed = true
    listener?.died(cause)
  })
  worker.on('exit', (code) => {
    if (!closed) listener?.died(new Error(`the writer thread ended with code ${code}`))
  })
  return {
    post(message) {
      worker.postMessage(message, message.kind === 'commit' ? [message.batch.rows.buffer] : [])
    },
    listen(to) {
      listener = to
    },
  }
}
