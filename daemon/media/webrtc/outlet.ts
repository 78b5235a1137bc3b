/** The pictures of one camera on their way to the WebRTC process: at most one at a time, the newest next, none waits. */
import type { Clock } from '../../kernel/clock.ts'
import type { FrameRing, FrameSize } from '../frames.ts'
import { BODY_LIMIT } from './framing.ts'

export interface Outlet {
  /** The process took the last picture. */
  taken(): void
  /** Sends the newest picture again, for a viewer that has just connected. */
  repeat(): void
  viewers: number
  sent(): number
  /** Pictures that are larger than the pipe carries; the still picture and MJPEG show them. */
  tooLarge(): number
  stop(): void
}

export interface OutletDeps {
  ring: FrameRing
  clock: Clock
  send: (size: FrameSize, data: Uint8Array) => void
}

/** A little less than the interval, so that a camera's own jitter costs no picture. */
const SLACK_MS = 8
const FPS = 30
/** Each viewer has an encoder of its own. */
const FPS_CROWD = 15
const CROWD = 3
/** A camera that stands still is repeated, so that a keyframe request is answered and the picture sharpens. */
const REPEAT_MS = 1_000

/** Copies a picture out of its slot before it is sent, so that no viewer, however slow, holds a slot of the ring. */
export function createOutlet({ ring, clock, send }: OutletDeps): Outlet {
  let copy = new Uint8Array(0)
  let inFlight = false
  let seq = 0
  let lastMs = Number.NEGATIVE_INFINITY
  let sent = 0
  let tooLarge = 0

  function offer(again: boolean): void {
    if (inFlight) return
    const frame = ring.newest()
    if (!frame) return
    try {
      if (frame.seq === seq && !again) return
      seq = frame.seq
      if (frame.data.length > BODY_LIMIT) {
        tooLarge++
        return
      }
      if (copy.length !== frame.data.length) copy = new Uint8Array(frame.data.length)
      copy.set(frame.data)
    } finally {
      frame.release()
    }
    inFlight = true
    lastMs = clock.monotonic()
    sent++
    send(frame, copy)
  }

  const due = () => {
    const intervalMs = 1_000 / (outlet.viewers < CROWD ? FPS : FPS_CROWD)
    return clock.monotonic() - lastMs >= intervalMs - SLACK_MS
  }

  const stopFrames = ring.onFrame(() => {
    if (due()) offer(false)
  })
  const stopRepeats = clock.every(REPEAT_MS, () => {
    if (clock.monotonic() - lastMs >= REPEAT_MS) offer(true)
  })

  const outlet: Outlet = {
    viewers: 0,
    taken() {
      inFlight = false
      if (due()) offer(false)
    },
    repeat: () => offer(true),
    sent: () => sent,
    tooLarge: () => tooLarge,
    stop() {
      stopFrames()
      stopRepeats()
    },
  }
  return outlet
}
