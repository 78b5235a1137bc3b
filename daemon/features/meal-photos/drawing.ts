/** Photos are decoded by a thread that lives for one photo: a hostile one costs its sender an answer and the hub nothing. */
import { Worker } from 'node:worker_threads'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Redrawn } from './redraw.ts'
import type { RedrawAnswer } from './redraw-thread.ts'

export interface Drawing {
  /** Rejects with UNSUPPORTED_MEDIA (no whole picture, or too large a one) or OVERLOADED when too many wait. */
  redraw(file: Uint8Array): Promise<Redrawn>
  /** Photos refused because too many waited. */
  refused(): number
}

/** One at a time, because the largest takes about 190 MB while it is drawn. */
const WAITING_MAX = 4
const LIMIT_MS = 20_000
// The compiled program runs `.js`, Node with type stripping runs `.ts`.
const ENTRY = new URL(
  `./redraw-thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
)

export function createDrawing({ clock }: { clock: Pick<Clock, 'after'> }): Drawing {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  let refused = 0
  return {
    refused: () => refused,
    async redraw(file) {
      if (waiting >= WAITING_MAX) {
        refused += 1
        throw new HubError('OVERLOADED', 'Other photos are still being taken in. Send it in a moment.', {
          retryAfterS: 5,
        })
      }
      waiting += 1
      const turn = last.then(() => inThread(file, clock))
      last = turn.catch(() => {})
      try {
        return await turn
      } finally {
        waiting -= 1
      }
    },
  }
}

async function inThread(file: Uint8Array, clock: Pick<Clock, 'after'>): Promise<Redrawn> {
  const worker = new Worker(ENTRY, { workerData: file, name: 'photo' })
  let cancel = () => {}
  try {
    const answer = await new Promise<RedrawAnswer>((resolve, reject) => {
      cancel = clock.after(LIMIT_MS, () => resolve({ unreadable: 'The photo takes too long to decode.' }))
      worker.on('message', resolve)
      worker.on('error', reject)
      worker.on('exit', () => reject(new Error('The thread that reads the photo ended early.')))
    })
    if ('unreadable' in answer)
      throw new HubError('UNSUPPORTED_MEDIA', `${answer.unreadable} Photos are JPEG or PNG files.`)
    return answer.redrawn
  } finally {
    cancel()
    await worker.terminate()
  }
}
