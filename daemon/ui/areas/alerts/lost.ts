/** A hub that is gone is an alarm too: an open app and a wall tablet sound when it has been out of reach for a minute. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Siren } from './siren.ts'

export const LOST_MS = 60_000

/** What it needs of a window. */
export interface Timers {
  nowMs(): number
  set(run: () => void, ms: number): number
  clear(id: number): void
}

/** Runs `onLong` once a minute after `sinceMs`, at once when that is over; the returned function stops it. */
export function afterLong(sinceMs: number, timers: Timers, onLong: () => void): () => void {
  const id = timers.set(onLong, Math.max(0, sinceMs + LOST_MS - timers.nowMs()))
  return () => timers.clear(id)
}

const WINDOW: Timers = {
  nowMs: () => Date.now(),
  set: (run, ms) => window.setTimeout(run, ms),
  clear: (id) => window.clearTimeout(id),
}

/** Whether the hub has been gone for a minute; sounds when it becomes so. Null: it is there. */
export function useLostLong(sinceMs: number | null, siren: Siren): boolean {
  const isLong = useSignal(false)
  useEffect(() => {
    isLong.value = false
    if (sinceMs === null) return
    return afterLong(sinceMs, WINDOW, () => {
      isLong.value = true
      siren.sound('lost')
    })
  }, [sinceMs])
  return isLong.value
}
