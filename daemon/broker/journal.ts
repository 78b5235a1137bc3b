import type { Change, StateKeeper } from './kept-state.ts'

/** Brings changes to disk in groups: what comes while one group is written goes with the next. */
export interface Journal {
  /** Resolves when the change is on disk, or could not be brought there. */
  note(change: Change): Promise<void>
  /** Resolves when everything noted so far is. */
  settled(): Promise<void>
}

export interface JournalDeps {
  keeper: Pick<StateKeeper, 'write'>
  /** All there is, for the time after a group that failed. */
  everything(): Change[]
  onFailed(cause: unknown): void
}

/**
 * Of several changes to one thing only the last is written, so what waits is bounded by what there is. After a failure
 * the next group writes everything anew: what the failed one held is then neither lost nor kept twice.
 */
export function createJournal({ keeper, everything, onFailed }: JournalDeps): Journal {
  const pending = new Map<string, Change>()
  let behind = false
  let current: Promise<void> = Promise.resolve()
  let next: Promise<void> | null = null

  async function write(): Promise<void> {
    const changes: Change[] = behind ? [{ kind: 'everything' }, ...everything()] : [...pending.values()]
    pending.clear()
    if (changes.length === 0) return
    try {
      await keeper.write(changes)
      behind = false
    } catch (cause) {
      behind = true
      onFailed(cause)
    }
  }

  function flushed(): Promise<void> {
    next ??= current.then(() => {
      next = null
      current = write()
      return current
    })
    return next
  }

  return {
    note(change) {
      const key = keyOf(change)
      pending.delete(key)
      pending.set(key, change)
      return flushed()
    },
    settled: flushed,
  }
}

function keyOf(change: Change): string {
  switch (change.kind) {
    case 'subscription':
      return `subscription ${change.clientId} ${change.topic}`
    case 'retained':
      return `retained ${change.topic}`
    case 'queued':
      return `queued ${change.sequence} ${change.clientId}`
    case 'received':
      return `received ${change.messageId} ${change.clientId}`
    case 'everything':
      return 'everything'
    default:
      return `${change.kind} ${change.clientId}`
  }
}
