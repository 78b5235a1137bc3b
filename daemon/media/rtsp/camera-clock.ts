/** When a picture was taken, in the hub's wall clock, from RTP time, RTCP sender reports and arrival times. */
import type { ClockQuality } from '../source.ts'
import type { SenderReport } from './rtp.ts'

export interface CameraClock {
  report(report: Pick<SenderReport, 'ntpMs' | 'timestamp'>, arrivedAtMs: number): void
  /** Asked once for each picture, in the order of arrival. */
  capturedAtMs(timestamp: number, arrivedAtMs: number): number
  quality(): ClockQuality
}

/** A camera whose clock is further behind ours than this is not set by the same time; nor is one whose pictures come from the future. */
const BEHIND_MS = 10_000
const AHEAD_MS = 200
const REPORTS = 5
/** The smallest delay is looked for in the last one to two windows, so that a camera clock that runs slow is followed. */
const WINDOW_MS = 60_000
/** RTP time that leaves arrival time by more than this has jumped or stands still. */
const JUMP_MS = 10_000
/** So many jumps, and its RTP time is not worth following. */
const JUMPS = 5

export function createCameraClock(clockRate: number): CameraClock {
  const delays: number[] = []
  const elapsed = createElapsed(clockRate)
  const anchor = createAnchor()
  let report: { ntpMs: number; elapsedMs: number } | null = null

  const synchronised = (): boolean => {
    if (report === null) return false
    const delay = [...delays].sort((a, b) => a - b)[Math.floor(delays.length / 2)] ?? Number.POSITIVE_INFINITY
    return delay <= BEHIND_MS && delay >= -AHEAD_MS
  }

  return {
    report({ ntpMs, timestamp }, arrivedAtMs) {
      report = { ntpMs, elapsedMs: elapsed(timestamp) }
      delays.push(arrivedAtMs - ntpMs)
      if (delays.length > REPORTS) delays.shift()
    },
    capturedAtMs(timestamp, arrivedAtMs) {
      const elapsedMs = elapsed(timestamp)
      const anchoredMs = anchor.place(elapsedMs, arrivedAtMs)
      const toldMs =
        report !== null && synchronised() ? report.ntpMs + elapsedMs - report.elapsedMs : anchoredMs
      const plausible = Math.abs(arrivedAtMs - toldMs) <= JUMP_MS
      return Math.round(Math.min(plausible ? toldMs : anchoredMs, arrivedAtMs))
    },
    quality: () => (synchronised() ? 'synchronised' : anchor.usable() ? 'relative' : 'arrival'),
  }
}

/** RTP time since the first timestamp, in ms; 32-bit wraps are followed both ways. */
function createElapsed(clockRate: number): (timestamp: number) => number {
  let last: number | null = null
  let units = 0
  return (timestamp) => {
    if (last !== null) units += (timestamp - last) | 0
    last = timestamp
    return (units / clockRate) * 1000
  }
}

/** Puts elapsed RTP time on our clock so that the picture with the smallest delay counts as taken when it arrived. */
function createAnchor() {
  let current = Number.POSITIVE_INFINITY
  let previous = Number.POSITIVE_INFINITY
  let windowFromMs = Number.NEGATIVE_INFINITY
  let jumps = 0
  const usable = () => jumps < JUMPS
  return {
    usable,
    place(elapsedMs: number, arrivedAtMs: number): number {
      const offset = arrivedAtMs - elapsedMs
      const known = Math.min(current, previous)
      if (known !== Number.POSITIVE_INFINITY && Math.abs(offset - known) > JUMP_MS) {
        jumps++
        current = previous = Number.POSITIVE_INFINITY
      }
      if (arrivedAtMs - windowFromMs > WINDOW_MS) {
        previous = current
        current = Number.POSITIVE_INFINITY
        windowFromMs = arrivedAtMs
      }
      current = Math.min(current, offset)
      return usable() ? elapsedMs + Math.min(current, previous) : arrivedAtMs
    },
  }
}
