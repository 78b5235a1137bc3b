import { Worker } from 'node:worker_threads'
import type { Answer, Job } from './jobs.ts'
import { UnreadableInput } from './vision/unreadable.ts'

/** What goes to the thread. */
export type Request = { kind: 'job'; id: number; job: Job } | { kind: 'close' }

/** What comes back. */
export type Reply =
  | { id: number; result: unknown; tookMs: Took; loaded: { name: string; countedBytes: number }[] }
  | { id: number; failed: { message: string; unreadable: boolean } }
  | { closed: true }
  | { runtime: RuntimeState }

/** What the thread is started with: the folder of the ONNX Runtime, empty for the packaged one. */
export interface WorkerOptions {
  runtime?: string
}

/** What runs the models, first choice first, and why it is not what was asked for. */
export interface RuntimeState {
  providers: readonly string[]
  problem: string | null
}

/** Milliseconds from taking the job to its result, how many of them the models themselves ran, and how often which did. */
export interface Took {
  total: number
  model: number
  runs: Readonly<Record<string, number>>
}

export interface Inference {
  /**
   * Runs one job on the inference thread. Frames in shared memory are read in place, others are copied. Rejects with UnreadableInput
   * for a picture that cannot be used, and with InferenceBusy when too many jobs wait.
   */
  run<J extends Job>(job: J): Promise<Answer<J> & { tookMs: Took }>
  state(): {
    waiting: number
    done: number
    refused: number
    deaths: number
    loaded: Loaded[]
    runtime: RuntimeState | null
  }
  /** Waits for jobs that were accepted, then ends the thread. */
  close(): Promise<void>
}

interface Loaded {
  name: string
  countedBytes: number
}

/** Too many jobs wait. Whoever has a newer frame should drop the older one. */
export class InferenceBusy extends Error {
  constructor(waiting: number) {
    super(`${waiting} pictures already wait for the models. Try again with a newer one.`)
    this.name = 'InferenceBusy'
  }
}

/** Jobs that may wait: two for each of a handful of cameras. */
const MOST_WAITING = 16
// The compiled program runs `.js`, Node with type stripping runs `.ts`.
const ENTRY = new URL(`./worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)

interface Waiting {
  resolve(answer: unknown): void
  reject(cause: Error): void
}

/** Starts its thread with the first job, and anew after it died: a model that takes the thread down costs the jobs that waited. */
export function createInference({
  mostWaiting = MOST_WAITING,
  entry = ENTRY,
  runtime = '',
  onRuntime = (_: RuntimeState): void => {},
} = {}): Inference {
  const waiting = new Map<number, Waiting>()
  const counters = { done: 0, refused: 0, deaths: 0 }
  let loaded: Loaded[] = []
  let running: RuntimeState | null = null
  let worker: Worker | null = null
  let nextId = 1
  let closing = false

  const died = (from: Worker, why: string): void => {
    if (worker !== from) return
    worker = null
    loaded = []
    counters.deaths++
    for (const { reject } of waiting.values()) reject(new Error(`The inference thread ended: ${why}`))
    waiting.clear()
  }
  const heard = (reply: Reply): void => {
    if ('closed' in reply) return
    if ('runtime' in reply) {
      running = reply.runtime
      onRuntime(running)
      return
    }
    const job = waiting.get(reply.id)
    waiting.delete(reply.id)
    counters.done++
    if ('failed' in reply) {
      const { message, unreadable } = reply.failed
      job?.reject(unreadable ? new UnreadableInput(message) : new Error(message))
    } else {
      loaded = reply.loaded
      job?.resolve({ ...(reply.result as object), tookMs: reply.tookMs })
    }
    if (waiting.size === 0) worker?.unref()
  }
  const started = (): Worker => {
    if (worker !== null) return worker
    const fresh = new Worker(entry, { name: 'inference', workerData: { runtime } satisfies WorkerOptions })
    fresh.on('message', heard)
    fresh.on('error', (cause) => died(fresh, cause instanceof Error ? cause.message : String(cause)))
    fresh.on('exit', (code) => died(fresh, `code ${code}`))
    worker = fresh
    return fresh
  }
  return {
    run<J extends Job>(job: J) {
      if (closing) return Promise.reject(new Error('Inference is closed.'))
      if (waiting.size >= mostWaiting) {
        counters.refused++
        return Promise.reject(new InferenceBusy(waiting.size))
      }
      const thread = started()
      thread.ref()
      const id = nextId++
      return new Promise<Answer<J> & { tookMs: Took }>((resolve, reject) => {
        // The worker answers a job with the result of its own kind.
        waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
        thread.postMessage({ kind: 'job', id, job } satisfies Request)
      })
    },
    state: () => ({ waiting: waiting.size, ...counters, loaded, runtime: running }),
    async close() {
      closing = true
      const thread = worker
      if (thread === null) return
      thread.ref()
      const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()))
      thread.postMessage({ kind: 'close' } satisfies Request)
      await ended
    },
  }
}
