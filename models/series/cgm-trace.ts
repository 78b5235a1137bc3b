import { finiteOf, median, valueAt } from './moments.ts'

/** Glucose readings of one person in ascending order, all finite. */
export interface GlucoseTrace {
  atMs: Float64Array
  mgPerDl: Float64Array
  /** Minutes that each reading stands for: the nominal interval of its source. */
  nominalMin: Float64Array
}

export interface GlucoseReading {
  atMs: number
  mgPerDl: number
  /** Nominal interval of the source (Dexcom 5, Libre 15); every reading weighs the same where none says it. */
  nominalMin?: number
}

/** Local wall clock at an instant, in milliseconds as if it were UTC. */
export type WallClock = (atMs: number) => number

/** Orders the readings and leaves out those without a time or a finite value. */
export function glucoseTrace(readings: Iterable<GlucoseReading>): GlucoseTrace {
  const known = [...readings].filter(({ atMs, mgPerDl }) => Number.isFinite(atMs) && Number.isFinite(mgPerDl))
  known.sort((a, b) => a.atMs - b.atMs)
  return {
    atMs: Float64Array.from(known, (reading) => reading.atMs),
    mgPerDl: Float64Array.from(known, (reading) => reading.mgPerDl),
    nominalMin: Float64Array.from(known, (reading) => reading.nominalMin ?? 1),
  }
}

/** Usual distance of neighbouring readings in whole minutes (median, at least 1); null under two readings. */
export function usualIntervalMin(atMs: Float64Array): number | null {
  const steps = atMs.subarray(1).map((later, index) => later - valueAt(atMs, index))
  const usualMs = median(finiteOf(steps))
  return usualMs === null ? null : Math.max(1, Math.round(usualMs / 60_000))
}
