/** Which picture of a looped video is due when: one for all viewers, as a camera has one lens. */
import type { Clock } from '../../kernel/clock.ts'
import type { Video, VideoPicture } from './video.ts'

export interface Due {
  picture: VideoPicture
  /** Since the camera began; grows through the loops. */
  index: number
  takenAtMs: number
}

export interface Playhead {
  /** Starts the video, if it does not run yet. */
  start(): void
  onDue(listener: (due: Due) => void): () => void
  /** Told when a video that plays once is over. */
  onEnd(listener: () => void): () => void
  stop(): void
}

export interface PlayheadDeps {
  video: Video
  clock: Clock
  once: boolean
}

/** Behind by more than this (a machine that slept), pictures are left out instead of sent in a burst. */
const CATCH_UP_MS = 1000

export function createPlayhead({ video, clock, once }: PlayheadDeps): Playhead {
  const periodMs = 1000 / video.fps
  const dueListeners = new Set<(due: Due) => void>()
  const endListeners = new Set<() => void>()
  let index = 0
  let began: { atMs: number; monotonicMs: number } | null = null
  let cancel = () => {}
  let stopped = false

  function tick(): void {
    if (began === null) return
    const elapsedMs = clock.monotonic() - began.monotonicMs
    if (!once) index = Math.max(index, Math.ceil((elapsedMs - CATCH_UP_MS) / periodMs))
    while (index * periodMs <= elapsedMs) {
      const picture = video.pictures[index % video.pictures.length]
      if (picture === undefined || (once && index === video.pictures.length)) {
        end()
        return
      }
      const due = { picture, index, takenAtMs: began.atMs + index * periodMs }
      index++
      for (const listener of dueListeners) listener(due)
    }
    if (!stopped) cancel = clock.after(Math.max(1, index * periodMs - elapsedMs), tick)
  }

  function end(): void {
    cancel()
    for (const listener of endListeners) listener()
  }

  return {
    start() {
      if (began !== null) return
      began = { atMs: clock.now(), monotonicMs: clock.monotonic() }
      tick()
    },
    onDue(listener) {
      dueListeners.add(listener)
      return () => void dueListeners.delete(listener)
    },
    onEnd(listener) {
      endListeners.add(listener)
      return () => void endListeners.delete(listener)
    },
    stop() {
      stopped = true
      cancel()
      dueListeners.clear()
      endListeners.clear()
    },
  }
}
