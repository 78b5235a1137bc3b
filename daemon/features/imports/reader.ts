/** A file as batches, read by a thread of its own that waits for whoever stores them. */
import { Worker } from 'node:worker_threads'
import { HubError } from '../../kernel/errors.ts'
import type { Batch, FromReader, ReadingOrder } from './batch.ts'

/** Reads a file; resolves with what kept it from the end, null when it got there. Rejects when told to stop. */
export type ReadFile = (
  order: ReadingOrder,
  signal: AbortSignal,
  onBatch: (batch: Batch) => Promise<void>,
) => Promise<string | null>

/** Nights of years of Apple Health are kept until the end; the rest streams. */
const MEMORY_MB = 512
// The compiled program runs `.js`, Node with type stripping runs `.ts`.
const ENTRY = new URL(
  `./reader-thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
)

export const readFile: ReadFile = async (order, signal, onBatch) => {
  signal.throwIfAborted()
  const worker = new Worker(ENTRY, {
    workerData: order,
    name: 'import',
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  })
  const { promise, resolve, reject } = withResolvers<string | null>()
  const stop = () => reject(new HubError('SHUTTING_DOWN', 'The import was stopped.'))
  signal.addEventListener('abort', stop, { once: true })
  // One batch after the other: what is stored so far is then always a beginning of the file.
  let stored = Promise.resolve()
  worker.on('message', (message: FromReader) => {
    if (message.kind === 'end') stored.then(() => resolve(message.fatal), reject)
    else if (message.kind === 'failed') reject(new Error(`The file could not be read: ${message.message}`))
    else {
      const { batch } = message
      stored = stored.then(() => onBatch(batch)).then(() => worker.postMessage('more'))
      stored.catch(reject)
    }
  })
  worker.on('error', (cause: NodeJS.ErrnoException) => {
    const tooBig = cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
    reject(
      tooBig
        ? new HubError('TOO_LARGE', `The file takes more than ${MEMORY_MB} MB of memory to read.`)
        : cause,
    )
  })
  worker.on('exit', (code) => {
    if (code !== 0) reject(new Error('The thread that reads the file ended early.'))
  })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', stop)
    await worker.terminate()
  }
}

function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => {}
  let reject: (cause: unknown) => void = () => {}
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
