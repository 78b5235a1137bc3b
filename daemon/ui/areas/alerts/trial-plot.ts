/** Where the past values of a tried rule, its limit and its spans lie in a drawing. */

export interface Hour {
  atMs: number
  min: number
  max: number
}

export interface Span {
  fromMs: number
  toMs: number
}

export interface Frame {
  fromMs: number
  toMs: number
  width: number
  height: number
}

export interface Drawing {
  /** One upright stroke an hour, from its lowest to its highest value. */
  strokes: string
  spans: { x: number; width: number }[]
  limitY: number | null
  low: number
  high: number
}

export const HOUR_MS = 3_600_000
const EDGE = 6
/** What is thinner cannot be seen. */
const THINNEST = 3
/** A flat course is drawn in the middle of this much room, in the metric's unit. */
const LEAST_RANGE = 1

/** Null where there is nothing to draw a scale from. The limit is always inside. */
export function drawTrial(
  hours: readonly Hour[],
  spans: readonly Span[],
  limit: number | null,
  { fromMs, toMs, width, height }: Frame,
): Drawing | null {
  const values = [...hours.flatMap(({ min, max }) => [min, max]), ...(limit === null ? [] : [limit])]
  if (hours.length === 0) return null
  const low = Math.min(...values)
  const high = Math.max(...values)
  const range = Math.max(high - low, LEAST_RANGE)
  const middle = (low + high) / 2
  const x = (ms: number) => rounded(((ms - fromMs) / (toMs - fromMs)) * width)
  const y = (value: number) => rounded(height / 2 - ((value - middle) / range) * (height - 2 * EDGE))
  return {
    strokes: hours
      .filter(({ atMs }) => atMs >= fromMs - HOUR_MS && atMs < toMs)
      .map(({ atMs, min, max }) => `M${x(atMs + HOUR_MS / 2)} ${rounded(y(min) + 1)}V${rounded(y(max) - 1)}`)
      .join(''),
    spans: spans
      .filter((one) => one.toMs >= fromMs && one.fromMs <= toMs)
      .map((one) => spanOf(x(Math.max(one.fromMs, fromMs)), x(Math.min(one.toMs, toMs)), width)),
    limitY: limit === null ? null : y(limit),
    ...{ low, high },
  }
}

function spanOf(from: number, to: number, width: number): { x: number; width: number } {
  const wide = Math.max(to - from, THINNEST)
  return { x: rounded(Math.min(from, width - wide)), width: rounded(wide) }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
