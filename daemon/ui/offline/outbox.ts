/** Holds what was written down while the hub was out of reach, sealed like everything that is kept here, and sends it later. */
import { effect, type ReadonlySignal, signal } from '@preact/signals'
import type { Api, ApiError } from '../net/api.ts'
import { asApiError } from '../state/resource.ts'
import type { Vault } from './vault.ts'

/** One thing to tell the hub; `id` is its Idempotency-Key, so that a lost answer does not make it two. */
export interface Letter {
  id: string
  /** What it is, for the words beside it. */
  kind: string
  personId: string
  path: string
  body: object
  writtenAtMs: number
  /** Why the hub did not take it; null while it waits. */
  refused: { code: string; message: string } | null
}

export type Fate = 'sent' | 'waiting' | 'refused' | 'full'

export interface Outbox {
  letters: ReadonlySignal<readonly Letter[]>
  sending: ReadonlySignal<boolean>
  /** False where this browser keeps nothing: then a letter lasts as long as the page. */
  durable: ReadonlySignal<boolean>
  /** Letters that the hub has taken since the page was opened. */
  sent: ReadonlySignal<number>
  /** Resolves once it is sent or kept. */
  add(letter: Pick<Letter, 'kind' | 'personId' | 'path' | 'body'>): Promise<Fate>
  /** Sends what waits, oldest first, until the hub does not answer. */
  flush(): Promise<void>
  discard(id: string): Promise<void>
  /** Reads what was kept before. */
  load(): Promise<void>
  /** Nothing is left; the vault was wiped by who signed out. */
  clear(): void
}

export interface OutboxDeps {
  vault: Pick<Vault, 'read' | 'write'>
  api: Pick<Api, 'post'>
  newId: () => string
  nowMs: () => number
  later: (run: () => void, ms: number) => void
  /** One tab at a time changes what is kept. */
  exclusively: <Result>(run: () => Promise<Result>) => Promise<Result>
}

const NAME = 'outbox'
/** A week of check-ins of a family; beyond it nothing more is taken, and the person is told. */
const LETTERS_MAX = 100
const RETRY_MS = 20_000
const RETRY_MAX_MS = 600_000
/** What passes by itself; any other refusal stays as it is and needs a person. */
const PASSING: ReadonlySet<string> = new Set([
  'OFFLINE',
  'OVERLOADED',
  'RATE_LIMITED',
  'SHUTTING_DOWN',
  'DISK_FULL',
  'IN_PROGRESS',
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'INTERNAL',
])

export function createOutbox({ vault, api, newId, nowMs, later, exclusively }: OutboxDeps): Outbox {
  const letters = signal<readonly Letter[]>([])
  const sending = signal(false)
  const durable = signal(true)
  const sent = signal(0)
  let retryMs = RETRY_MS
  let isPlanned = false

  const outbox: Outbox = {
    letters,
    sending,
    durable,
    sent,
    async add(told) {
      if (letters.peek().length >= LETTERS_MAX) return 'full'
      const letter: Letter = { ...told, id: newId(), writtenAtMs: nowMs(), refused: null }
      // Kept first: the page may be closed before the hub has answered.
      await change((kept) => [...kept, letter])
      await outbox.flush()
      const left = letters.peek().find(({ id }) => id === letter.id)
      return left === undefined ? 'sent' : left.refused === null ? 'waiting' : 'refused'
    },
    async flush() {
      if (sending.peek()) return
      sending.value = true
      try {
        for (let next = waiting(); next !== undefined; next = waiting()) if (!(await send(next))) break
      } finally {
        sending.value = false
      }
    },
    discard: (id) => change((kept) => kept.filter((letter) => letter.id !== id)),
    load: () => change((kept) => kept),
    clear() {
      letters.value = []
    },
  }
  return outbox

  function waiting(): Letter | undefined {
    return letters.peek().find(({ refused }) => refused === null)
  }

  /** Whether the next one may be tried. */
  async function send(letter: Letter): Promise<boolean> {
    try {
      await api.post(letter.path, letter.body, { idempotencyKey: letter.id })
    } catch (cause) {
      const error = asApiError(cause)
      if (PASSING.has(error.code)) {
        retryLater(error)
        return false
      }
      const [detail] = error.details
      const message = detail ? `${error.message} ${detail.message}` : error.message
      await change((kept) =>
        kept.map((one) => (one.id === letter.id ? { ...one, refused: { code: error.code, message } } : one)),
      )
      return true
    }
    retryMs = RETRY_MS
    await outbox.discard(letter.id)
    sent.value += 1
    return true
  }

  function retryLater(error: ApiError): void {
    if (isPlanned) return
    isPlanned = true
    later(
      () => {
        isPlanned = false
        void outbox.flush()
      },
      error.retryAfterS === null ? retryMs : error.retryAfterS * 1000,
    )
    retryMs = Math.min(2 * retryMs, RETRY_MAX_MS)
  }

  /** Another tab may have added or sent some, so what is kept counts and not what this page remembers. */
  async function change(edit: (kept: readonly Letter[]) => readonly Letter[]): Promise<void> {
    await exclusively(async () => {
      const kept = durable.peek() ? await vault.read<readonly Letter[]>(NAME) : null
      const next = edit(kept ?? letters.peek())
      letters.value = next
      if (kept === null && next.length === 0) return
      try {
        await vault.write(NAME, next)
        durable.value = (await vault.read(NAME)) !== null
      } catch {
        durable.value = false
      }
    })
  }
}

export interface OpenOutboxDeps extends OutboxDeps {
  /** Whether somebody is signed in, the hub is not there, or nobody is. */
  who: () => string
  /** Whether the hub is in touch. */
  touch: () => string
}

/** An outbox that follows who is signed in and whether the hub answers. */
export function openOutbox(deps: OpenOutboxDeps): Outbox {
  const outbox = createOutbox(deps)
  effect(() => {
    const [who, touch] = [deps.who(), deps.touch()]
    if (who === 'signed-out') outbox.clear()
    else if (who === 'signed-in' && touch === 'live') void outbox.load().then(() => outbox.flush())
    else if (who === 'unreachable') void outbox.load()
  })
  return outbox
}
