/** Turns one stretch of observations into what a chart draws: a hole stays a hole, a lone value stays a dot. */
import type { LevelPoint, RawPoint } from '../net/answers.ts'

export interface Series {
  /** Seconds, ascending, with an extra instant inside every hole. */
  x: number[]
  mid: (number | null)[]
  low: (number | null)[]
  high: (number | null)[]
  /** Indexes of values with a hole on both sides, which a line alone would not show. */
  lone: number[]
  holes: { fromMs: number; toMs: number }[]
}

export interface Summary {
  count: number
  min: number
  max: number
  mean: number
}

interface Dot {
  atMs: number
  mid: number
  low: number
  high: number
}

/** `widthMs` is the bucket's length (0 for raw values); farther apart than `maxGapMs` beyond it is a hole. */
export function seriesOf(
  points: readonly (LevelPoint | RawPoint)[],
  widthMs: number,
  maxGapMs: number,
): Series {
  const series: Series = { x: [], mid: [], low: [], high: [], lone: [], holes: [] }
  const dots = points.map((point) => dotOf(point, widthMs)).filter((dot) => Number.isFinite(dot.mid))
  for (const [index, dot] of dots.entries()) {
    const before = dots[index - 1]
    const after = dots[index + 1]
    const holeBefore = before === undefined || isHole(before, dot)
    if (before !== undefined && holeBefore) {
      series.holes.push({ fromMs: before.atMs + widthMs / 2, toMs: dot.atMs - widthMs / 2 })
      push((before.atMs + dot.atMs) / 2, null)
    }
    if (holeBefore && (after === undefined || isHole(dot, after))) series.lone.push(series.x.length)
    push(dot.atMs, dot)
  }
  return series

  function isHole(a: Dot, b: Dot): boolean {
    return b.atMs - a.atMs > widthMs + maxGapMs
  }

  function push(atMs: number, dot: Dot | null): void {
    series.x.push(atMs / 1000)
    series.mid.push(dot?.mid ?? null)
    series.low.push(dot?.low ?? null)
    series.high.push(dot?.high ?? null)
  }
}

/** Null when there is nothing to sum up: no value is not zero. */
export function summaryOf(points: readonly (LevelPoint | RawPoint)[]): Summary | null {
  let count = 0
  let sum = 0
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const point of points) {
    const n = 'mean' in point ? point.count : 1
    const { mid, low, high } = dotOf(point, 0)
    if (!Number.isFinite(mid)) continue
    count += n
    sum += n * mid
    min = Math.min(min, low)
    max = Math.max(max, high)
  }
  return count === 0 ? null : { count, min, max, mean: sum / count }
}

/** Round values to label, from below what was seen to above it; never a span under `least`, so that calm data looks calm. */
export function valueTicks(min: number, max: number, least: number): number[] {
  const spare = Math.max(least - (max - min), (max - min) * 0.1)
  const step = niceStep((max - min + spare) / 5)
  const first = Math.floor((min - spare / 2) / step)
  const last = Math.ceil((max + spare / 2) / step)
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step)
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough) ?? 10
  return factor * power
}

function dotOf(point: LevelPoint | RawPoint, widthMs: number): Dot {
  const atMs = Date.parse(point.ts) + widthMs / 2
  if ('mean' in point) return { atMs, mid: point.mean, low: point.min, high: point.max }
  const value = typeof point.value === 'number' ? point.value : Number.NaN
  return { atMs, mid: value, low: value, high: value }
}
