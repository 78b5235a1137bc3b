import type { Batch, Committed, FromThread, ToThread } from '../../daemon/store/protocol.ts'
import type { Thread, ThreadListener } from '../../daemon/store/thread.ts'

export interface FakeWriterThread extends Thread {
  posted: ToThread[]
  batches(): Batch[]
  say(message: FromThread): void
  /** Everything of the newest batch is new and on disk. */
  commit(more?: Partial<Committed>): void
  die(cause: unknown): void
}

/** A writer thread that commits when it is told to. */
export function fakeWriterThread(): FakeWriterThread {
  const posted: ToThread[] = []
  let listener: ThreadListener | null = null
  const batches = () => posted.flatMap((message) => (message.kind === 'commit' ? [message.batch] : []))
  const say = (message: FromThread) => listener?.message(message)
  return {
    posted,
    batches,
    say,
    post: (message) => void posted.push(message),
    listen(to) {
      listener = to
    },
    commit(more = {}) {
      const gauges = { batchMs: 1, syncMs: 1, bytesWritten: null, openSeries: 0, dueHours: 0, closedRows: 0 }
      const outcomes = new Uint8Array(batches().at(-1)?.rows.length ?? 0)
      say({
        kind: 'committed',
        committed: { outcomes, revisions: [], results: [], refused: [], more: false, gauges, ...more },
      })
    },
    die: (cause) => listener?.died(cause),
  }
}
