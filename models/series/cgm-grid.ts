import { type GlucoseTrace, usualIntervalMin, type WallClock } from './cgm-trace.ts'
import { valueAt } from './moments.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** Neighbouring readings further apart leave a hole instead of a straight line (iglu's default). */
export const MAX_BRIDGED_MIN = 45

/** 13 years of one-minute readings; more is a wrong clock, not a trace. */
const MAX_POINTS = 7_000_000

/**
 * Glucose on even steps from the local midnight before the first reading, NaN where nothing is known. A point at midnight
 * belongs to the day that ends there, as in iglu's day grid.
 */
export interface GlucoseGrid {
  mgPerDl: Float64Array
  stepMin: number
  /** Steps in 24 hours. */
  perDay: number
  /** Local day of each point, counted from the first. */
  day: Int32Array
  /** Step of the local day that each point's wall clock shows; twice the same where clocks are set back. */
  slot: Int32Array
  /** Days that iglu lays out: those begun in the span of the readings, and one. */
  daysLaidOut: number
}

/**
 * Interpolates the trace linearly on a grid of its usual interval (or `stepMin`). Null under two readings.
 * Throws RangeError when the trace spans more than a lifetime of a sensor's readings.
 */
export function glucoseGrid(
  trace: GlucoseTrace,
  wallClock: WallClock,
  stepMin: number | null = usualIntervalMin(trace.atMs),
): GlucoseGrid | null {
  const { atMs, mgPerDl } = trace
  const firstMs = valueAt(atMs, 0)
  const lastMs = valueAt(atMs, atMs.length - 1)
  if (stepMin === null || atMs.length < 2) return null
  const firstWallMs = wallClock(firstMs)
  const originMs = firstMs - (firstWallMs - Math.floor(firstWallMs / DAY_MS) * DAY_MS)
  const stepMs = stepMin * MINUTE_MS
  const days = Math.ceil((lastMs - firstMs) / DAY_MS) + 1
  const perDay = Math.round(DAY_MS / stepMs)
  if (days * perDay > MAX_POINTS)
    throw new RangeError(`${days} days in steps of ${stepMin} min are too many for one trace`)
  const points = Float64Array.from({ length: days * perDay }, (_, index) => originMs + (index + 1) * stepMs)
  return {
    mgPerDl: interpolate(atMs, mgPerDl, points),
    stepMin,
    perDay,
    ...localPlaces(points, wallClock, stepMs),
    daysLaidOut: days,
  }
}

function interpolate(atMs: Float64Array, mgPerDl: Float64Array, points: Float64Array): Float64Array {
  let after = 0
  return points.map((pointMs) => {
    while (after < atMs.length && valueAt(atMs, after) < pointMs) after += 1
    const afterMs = valueAt(atMs, after)
    if (afterMs === pointMs) return valueAt(mgPerDl, after)
    const beforeMs = valueAt(atMs, after - 1)
    if (!(afterMs - beforeMs <= MAX_BRIDGED_MIN * MINUTE_MS)) return Number.NaN
    const before = valueAt(mgPerDl, after - 1)
    return before + ((valueAt(mgPerDl, after) - before) * (pointMs - beforeMs)) / (afterMs - beforeMs)
  })
}

/** Wall clocks are asked twice a day only: between two equal offsets half a day apart the clock did not change. */
function localPlaces(points: Float64Array, wallClock: WallClock, stepMs: number) {
  const day = new Int32Array(points.length)
  const slot = new Int32Array(points.length)
  const wallMs = wallTimes(points, wallClock, Math.max(1, Math.round(DAY_MS / 2 / stepMs)))
  const firstDay = Math.floor((valueAt(wallMs, 0) - 1) / DAY_MS)
  wallMs.forEach((wall, index) => {
    const ofDay = Math.floor((wall - 1) / DAY_MS)
    day[index] = ofDay - firstDay
    slot[index] = Math.floor((wall - 1 - ofDay * DAY_MS) / stepMs)
  })
  return { day, slot }
}

function wallTimes(points: Float64Array, wallClock: WallClock, stride: number): Float64Array {
  const wallMs = new Float64Array(points.length)
  for (let from = 0; from < points.length; from += stride) {
    const to = Math.min(points.length, from + stride)
    const offsetMs = wallClock(valueAt(points, from)) - valueAt(points, from)
    const same = wallClock(valueAt(points, to - 1)) - valueAt(points, to - 1) === offsetMs
    for (let index = from; index < to; index += 1) {
      const pointMs = valueAt(points, index)
      wallMs[index] = same ? pointMs + offsetMs : wallClock(pointMs)
    }
  }
  return wallMs
}

/** Stretches of the grid without a hole longer than `maxHoleMin`, as half-open index ranges that begin and end on a value. */
export function stretches(grid: GlucoseGrid, maxHoleMin: number): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = []
  let current: { from: number; to: number } | null = null
  grid.mgPerDl.forEach((value, index) => {
    if (!Number.isFinite(value)) return
    if (!current || (index - current.to) * grid.stepMin > maxHoleMin) {
      current = { from: index, to: index + 1 }
      found.push(current)
    } else current.to = index + 1
  })
  return found
}
