import type { Beats } from './hrv.ts'
import { median } from './moments.ts'

/** The range in which an interval can be a human beat, ms (250 to 20 beats a minute). */
export const PLAUSIBLE_MS = { from: 240, to: 3000 } as const

/** A beat further than this from the median of its neighbourhood is an ectopic beat, a missed one or a double count. */
export const FURTHEST_FROM_MEDIAN = 0.2
const NEIGHBOURHOOD_BEATS = 5

export interface CleanedBeats {
  beats: Beats
  /** Beats taken out, of all that were given. */
  dropped: number
  given: number
}

/** Takes out what is no interval at all, so that nothing is measured across it. */
export function knownBeats(intervals: Beats): Beats {
  return intervals.map((ms) => (ms > 0 && Number.isFinite(ms) ? ms : Number.NaN))
}

/**
 * Takes out implausible beats and beats more than 20 % off the median of the five around them (Malik's rule on a local median),
 * without filling in, because an invented beat lowers RMSSD. 22 artefacts in 1 800 beats double RMSSD when left in.
 */
export function withoutArtefacts(intervals: Beats): CleanedBeats {
  const plausible = intervals.map((ms) =>
    ms >= PLAUSIBLE_MS.from && ms <= PLAUSIBLE_MS.to ? ms : Number.NaN,
  )
  const beats = plausible.map((ms, index) => {
    const from = Math.max(
      0,
      Math.min(index - (NEIGHBOURHOOD_BEATS - 1) / 2, plausible.length - NEIGHBOURHOOD_BEATS),
    )
    const usual = median(plausible.subarray(from, from + NEIGHBOURHOOD_BEATS))
    return usual !== null && Math.abs(ms - usual) <= FURTHEST_FROM_MEDIAN * usual ? ms : Number.NaN
  })
  return { beats, dropped: beats.filter(Number.isNaN).length, given: intervals.length }
}

/** A stretch of beats of one window of time. */
export interface BeatWindow {
  /** Counted from the first beat. */
  window: number
  firstBeat: number
  beats: Beats
}

/**
 * Splits beats by elapsed time: beat k is in window w when w·length < (sum of intervals up to k) ≤ (w+1)·length. Only windows that
 * the recording fills are answered. `intervals` tell the time (also of beats that were taken out of `beats`).
 */
export function completeWindows(intervals: Beats, beats: Beats, lengthMs: number): BeatWindow[] {
  const windows: BeatWindow[] = []
  let elapsedMs = 0
  let firstBeat = 0
  let window = 0
  intervals.forEach((ms, index) => {
    elapsedMs += Number.isFinite(ms) ? ms : 0
    for (; elapsedMs > (window + 1) * lengthMs; window += 1) {
      windows.push({ window, firstBeat, beats: beats.subarray(firstBeat, index) })
      firstBeat = index
    }
  })
  if (elapsedMs === (window + 1) * lengthMs && elapsedMs > 0)
    windows.push({ window, firstBeat, beats: beats.subarray(firstBeat) })
  return windows
}
