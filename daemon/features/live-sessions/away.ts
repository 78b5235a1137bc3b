/** When cameras of running sessions are away: each such stretch becomes a gap of its session. */
import type { Running } from './running.ts'

export interface Away {
  /** Looks which of the session's cameras are there; call it often. */
  look(one: Running): void
  /** Ends what is open of one camera, because it leaves or the session is over. */
  close(one: Running, cameraId: string): Promise<void>
}

export interface AwayDeps {
  isOnline: (cameraId: string) => boolean
  /** The hub's wall clock. */
  now: () => number
  keepGap: (one: Running, gap: { fromMs: number; toMs: number; cameraId: string }) => Promise<void>
}

export function createAway({ isOnline, now, keepGap }: AwayDeps): Away {
  const since = new Map<string, number>()
  const keyOf = (one: Running, cameraId: string) => `${one.id}/${cameraId}`

  async function close(one: Running, cameraId: string): Promise<void> {
    const key = keyOf(one, cameraId)
    const fromMs = since.get(key)
    since.delete(key)
    if (fromMs !== undefined) await keepGap(one, { fromMs, toMs: one.time(now()), cameraId })
  }

  return {
    look(one) {
      for (const cameraId of one.asked.cameraIds) {
        const key = keyOf(one, cameraId)
        if (isOnline(cameraId)) void close(one, cameraId)
        else if (!since.has(key)) since.set(key, one.time(now()))
      }
    },
    close,
  }
}
