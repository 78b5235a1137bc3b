/**
 * Recent pictures for tiles. One request at a time goes round the cameras that are on screen: a browser opens only six
 * connections to the hub, and a running stream for every tile would leave none for anything else.
 */
export interface Still {
  url: string
  capturedAtMs: number | null
}

export interface Stills {
  /** Told each newer picture while the camera is watched; null: there is none now. The returned function ends it. */
  watch(id: string, onStill: (still: Still | null) => void): () => void
  /** Fetches until the returned function is called. */
  start(): () => void
}

export interface StillsDeps {
  fetch: (id: string, signal: AbortSignal) => Promise<Response>
}

const EVERY_MS = 1_000
/** For those who asked their device for little movement. */
const CALM_MS = 10_000

interface Watched {
  onStill: (still: Still | null) => void
  nextMs: number
  url: string | null
}

export function createStills({ fetch }: StillsDeps): Stills {
  const watched = new Map<string, Watched>()
  const calm = window.matchMedia('(prefers-reduced-motion: reduce)')
  let wake = () => {}
  return {
    watch(id, onStill) {
      const one: Watched = { onStill, nextMs: 0, url: null }
      watched.set(id, one)
      wake()
      return () => {
        if (watched.get(id) === one) watched.delete(id)
        if (one.url !== null) URL.revokeObjectURL(one.url)
        one.url = null
      }
    },
    start() {
      const ending = new AbortController()
      void round(ending.signal)
      const seen = () => wake()
      document.addEventListener('visibilitychange', seen)
      return () => {
        document.removeEventListener('visibilitychange', seen)
        ending.abort()
        wake()
      }
    },
  }

  async function round(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const nowMs = performance.now()
      const due = [...watched].sort(([, a], [, b]) => a.nextMs - b.nextMs)[0]
      const idle = due === undefined || document.visibilityState !== 'visible'
      if (idle || due[1].nextMs > nowMs) await pause(idle ? null : due[1].nextMs - nowMs)
      else await refresh(due[0], due[1], signal)
    }
  }

  async function refresh(id: string, one: Watched, signal: AbortSignal): Promise<void> {
    one.nextMs = performance.now() + (calm.matches ? CALM_MS : EVERY_MS)
    try {
      const answer = await fetch(id, signal)
      const url = URL.createObjectURL(await answer.blob())
      if (watched.get(id) !== one) return URL.revokeObjectURL(url)
      if (one.url !== null) URL.revokeObjectURL(one.url)
      one.url = url
      const captured = Date.parse(answer.headers.get('x-captured-at') ?? '')
      one.onStill({ url, capturedAtMs: Number.isFinite(captured) ? captured : null })
    } catch {
      // The tile says by the camera's state why there is none; asked again at leisure.
      one.nextMs = performance.now() + 5 * EVERY_MS
      if (!signal.aborted && watched.get(id) === one) one.onStill(null)
    }
  }

  function pause(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === null ? null : setTimeout(resolve, ms)
      wake = () => {
        if (timer !== null) clearTimeout(timer)
        resolve()
      }
    })
  }
}
