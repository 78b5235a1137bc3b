/** JPEG encoding for viewers: one thread for all cameras, started when somebody looks and gone when nobody does. */
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { FrameSize } from '../frames.ts'

export interface EncodeTask extends FrameSize {
  id: number
  data: Uint8Array
}

export type EncodeAnswer = { id: number; jpeg: Uint8Array } | { id: number; failure: string }

export interface Encoder {
  /** One I420 picture as JPEG; its bytes must stay until this settles. Rejects with OVERLOADED when too many wait. */
  encode(picture: FrameSize & { data: Uint8Array }): Promise<Uint8Array>
  stop(): Promise<void>
}

interface Waiting {
  resolve(jpeg: Uint8Array): void
  reject(cause: unknown): void
}

/** One a camera is what viewers ask for at most. */
const WAITING_MAX = 32
const IDLE_MS = 30_000
// The compiled program runs `.js`, Node with type stripping runs `.ts`.
const ENTRY = new URL(
  `./encoder-thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
)

export function createEncoder({ clock }: { clock: Pick<Clock, 'after'> }): Encoder {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | null = null
  let cancelIdle = () => {}
  let ids = 0

  function start(): Worker {
    const made = new Worker(ENTRY, { name: 'pictures' })
    // Pictures alone do not keep the hub running.
    made.unref()
    made.on('message', (answer: EncodeAnswer) => {
      const one = waiting.get(answer.id)
      waiting.delete(answer.id)
      if ('jpeg' in answer) one?.resolve(answer.jpeg)
      else one?.reject(new HubError('INTERNAL', `The picture could not be encoded: ${answer.failure}`))
      if (waiting.size === 0) idle()
    })
    const ended = () => {
      if (worker === made) worker = null
      failAll('The thread that encodes pictures ended.')
    }
    made.on('error', ended)
    made.on('exit', ended)
    return made
  }

  function idle(): void {
    cancelIdle()
    cancelIdle = clock.after(IDLE_MS, () => void stop())
  }

  function failAll(reason: string): void {
    for (const one of waiting.values()) one.reject(new HubError('OVERLOADED', reason, { retryAfterS: 1 }))
    waiting.clear()
  }

  async function stop(): Promise<void> {
    cancelIdle()
    const old = worker
    worker = null
    await old?.terminate()
  }

  return {
    encode({ width, height, data }) {
      if (waiting.size >= WAITING_MAX)
        return Promise.reject(
          new HubError('OVERLOADED', 'Too many pictures are being made.', { retryAfterS: 1 }),
        )
      cancelIdle()
      worker ??= start()
      const id = ++ids
      const made = new Promise<Uint8Array>((resolve, reject) => waiting.set(id, { resolve, reject }))
      worker.postMessage({ id, width, height, data } satisfies EncodeTask)
      return made
    },
    stop,
  }
}
