/** What a wall tablet knows by its own key: it asks, waits for news, asks again, and knows since when nobody answers. */
import { type ReadonlySignal, signal } from '@preact/signals'

export interface WallAlert {
  id: string
  name: string
  kind: 'tip' | 'warning' | 'urgent'
  state: 'open' | 'acknowledged'
  step: number
  round: number
  since: string
  answered_by: string | null
}

export interface Board {
  revision: string
  people: { name: string; state: 'calm' | 'looked_after' | 'warning' | 'urgent' }[]
  alerts: WallAlert[]
}

export interface WatchState {
  board: Board | null
  /** Since when the hub does not answer; null while it does. */
  lostSinceMs: number | null
  /** The key was taken away. */
  isRevoked: boolean
}

export interface WatchDeps {
  fetch: (url: string, init: RequestInit) => Promise<Response>
  key: string
  nowMs: () => number
  /** Resolves after so many milliseconds. */
  pause: (ms: number) => Promise<void>
  timeout: (ms: number) => AbortSignal
  /** An alert, or one more step or round of it, that was not shown before. */
  onRing: (alert: WallAlert) => void
}

export interface Watch {
  state: ReadonlySignal<WatchState>
  stop(): void
}

const WAIT_S = 15
/** The hub answers after the wait at the latest; so much more is the network's. */
const PATIENCE_MS = 20_000
const AGAIN_MS = 3_000

export function startWatch(deps: WatchDeps): Watch {
  const state = signal<WatchState>({ board: null, lostSinceMs: null, isRevoked: false })
  const rang = new Map<string, string>()
  let isStopped = false

  async function ask<Data>(path: string, body?: object): Promise<Data | 'revoked'> {
    const answer = await deps.fetch(`/api/v1${path}`, {
      ...{ signal: deps.timeout(PATIENCE_MS), credentials: 'omit' },
      headers: { 'x-api-key': deps.key, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    })
    if (answer.status === 401 || answer.status === 403) return 'revoked'
    if (!answer.ok) throw new Error(`the hub answered ${answer.status}`)
    // The hub's own schema, checked there on the way out.
    return ((await answer.json()) as { data: Data }).data
  }

  async function show(board: Board): Promise<void> {
    state.value = { board, lostSinceMs: null, isRevoked: false }
    const open = board.alerts.filter((alert) => alert.state === 'open')
    const news = open.filter(({ id, step, round }) => rang.get(id) !== `${step} ${round}`)
    rang.clear()
    for (const { id, step, round } of open) rang.set(id, `${step} ${round}`)
    for (const alert of news) deps.onRing(alert)
    if (news.length > 0) await ask('/wall/shown', { alerts: news.map(({ id }) => id) })
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      const { board } = state.peek()
      const askedMs = deps.nowMs()
      try {
        const after = board === null ? '' : `?wait=${WAIT_S}&revision=${encodeURIComponent(board.revision)}`
        const found = await ask<Board>(`/wall${after}`)
        if (isStopped) return
        if (found === 'revoked') {
          state.value = { ...state.peek(), isRevoked: true }
          return
        }
        await show(found)
      } catch (cause) {
        // Told on the screen by how long it lasts; only asking again helps. Silence began with the question at the latest.
        const isSilence = cause instanceof Error && cause.name === 'TimeoutError'
        const { lostSinceMs } = state.peek()
        state.value = { ...state.peek(), lostSinceMs: lostSinceMs ?? (isSilence ? askedMs : deps.nowMs()) }
        await deps.pause(AGAIN_MS)
      }
    }
  }

  void run()
  return {
    state,
    stop() {
      isStopped = true
    },
  }
}
