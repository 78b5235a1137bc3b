import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Answer, Job } from './jobs.ts'
import { openPictureFile, type PictureFile, type Place } from './picture-file.ts'
import { UnreadableInput } from './vision/unreadable.ts'

/** What goes to the process. The bytes of a job's picture lie in the file of pictures. */
export type Request = { kind: 'job'; id: number; job: Job; place: Place } | { kind: 'close' }

/** What comes back. */
export type Reply =
  | { id: number; result: unknown; tookMs: Took; loaded: { name: string; countedBytes: number }[] }
  | { id: number; failed: { message: string; unreadable: boolean } }
  | { runtime: RuntimeState }

/** Where the process finds the file of pictures, beside stdin, stdout, stderr and the channel of messages. */
export const PICTURES = 4

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
   * Runs one job in the models' process. The picture is copied before this returns. Rejects with UnreadableInput for one that
   * cannot be used, and with InferenceBusy when too many jobs wait.
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
  /** Waits for jobs that were accepted, then ends the process. */
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
const NO_BYTES = new Uint8Array(0)
// The compiled program runs `.js`, Node with type stripping runs `.ts`.
const ENTRY = new URL(`./worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)

interface Waiting {
  place: Place
  resolve(answer: unknown): void
  reject(cause: Error): void
}

interface Process {
  child: ChildProcess
  pictures: PictureFile
}

/**
 * Starts its process with the first job, and anew after it died: a model that takes the process down costs the jobs that waited.
 * In the caller's session, where it stands back behind the caller's threads.
 */
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
  let current: Process | null = null
  let nextId = 1
  let closing = false

  const died = (from: ChildProcess, why: string): void => {
    if (current?.child !== from) return
    current.pictures.close()
    current = null
    from.kill('SIGKILL')
    loaded = []
    if (closing && waiting.size === 0) return
    counters.deaths++
    for (const { reject } of waiting.values()) reject(new Error(`The inference process ended: ${why}`))
    waiting.clear()
  }
  const heard = (reply: Reply): void => {
    if ('runtime' in reply) {
      running = reply.runtime
      onRuntime(running)
      return
    }
    const job = waiting.get(reply.id)
    if (job) current?.pictures.free(job.place)
    waiting.delete(reply.id)
    counters.done++
    if ('failed' in reply) {
      const { message, unreadable } = reply.failed
      job?.reject(unreadable ? new UnreadableInput(message) : new Error(message))
    } else {
      loaded = reply.loaded
      job?.resolve({ ...(reply.result as object), tookMs: reply.tookMs })
    }
    if (waiting.size === 0 && current) letExit(current.child)
  }
  const started = (): Process => {
    if (current !== null) return current
    const pictures = openPictureFile()
    const child = fork(fileURLToPath(entry), runtime === '' ? [] : [runtime], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', pictures.descriptor],
      serialization: 'advanced',
    })
    child.on('message', (reply) => heard(reply as Reply))
    child.on('error', (cause) => died(child, cause.message))
    child.on('exit', (code, signal) => died(child, signal ?? `code ${code}`))
    letExit(child)
    current = { child, pictures }
    return current
  }
  const post = ({ child }: Process, request: Request): void => {
    child.send(request, (cause) => cause && died(child, cause.message))
  }
  return {
    async run<J extends Job>(job: J) {
      if (closing) throw new Error('Inference is closed.')
      if (waiting.size >= mostWaiting) {
        counters.refused++
        throw new InferenceBusy(waiting.size)
      }
      const to = started()
      const place = to.pictures.put(job.picture.data)
      keepAlive(to.child)
      const id = nextId++
      return new Promise<Answer<J> & { tookMs: Took }>((resolve, reject) => {
        // The process answers a job with the result of its own kind.
        waiting.set(id, { place, resolve: resolve as Waiting['resolve'], reject })
        post(to, { kind: 'job', id, job: withoutBytes(job), place })
      })
    },
    state: () => ({ waiting: waiting.size, ...counters, loaded, runtime: running }),
    async close() {
      closing = true
      const ending = current
      if (ending === null) return
      keepAlive(ending.child)
      const ended = new Promise<void>((resolve) => ending.child.once('exit', () => resolve()))
      post(ending, { kind: 'close' })
      await ended
    },
  }
}

function withoutBytes(job: Job): Job {
  return { ...job, picture: { ...job.picture, data: NO_BYTES } }
}

/** Whoever waits for a result must not end before it. */
function keepAlive(child: ChildProcess): void {
  child.ref()
  child.channel?.ref()
}

function letExit(child: ChildProcess): void {
  child.unref()
  child.channel?.unref()
}
