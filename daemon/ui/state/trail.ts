/** The last half hour of one person's main metric, for the small line on a tile. */
import type { Latest, LevelPoint, Reading } from '../net/answers.ts'

export interface TrailPoint {
  atMs: number
  value: number
}

export const TRAIL_MS = 30 * 60_000
/** Live values closer together than this replace each other: the line is 150 pixels wide. */
const STEP_MS = 10_000
const MAIN_METRICS = ['heart_rate', 'glucose', 'spo2', 'respiratory_rate', 'body_temp', 'skin_temp', 'stress']

/** What a tile shows big: the heart rate, else the first that exists of what a parent would look for. */
export function mainMetric(latest: Latest): string | null {
  const known = MAIN_METRICS.find((name) => typeof latest[name]?.value === 'number')
  return known ?? Object.keys(latest).find((name) => typeof latest[name]?.value === 'number') ?? null
}

/** Metrics under the big one, newest first, without the device's own battery. */
export function otherMetrics(latest: Latest, main: string | null, limit: number): [string, Reading][] {
  return Object.entries(latest)
    .filter(([name]) => name !== main && name !== 'battery' && name !== 'rr_interval' && name !== 'position')
    .sort(([, a], [, b]) => Date.parse(b.ts) - Date.parse(a.ts))
    .slice(0, limit)
}

export function trailOf(points: readonly LevelPoint[]): TrailPoint[] {
  return points.map((point) => ({ atMs: Date.parse(point.ts) + 30_000, value: point.mean }))
}

/** Adds a live value and forgets what is older than the line shows. */
export function extendTrail(trail: readonly TrailPoint[], reading: Reading): readonly TrailPoint[] {
  const atMs = Date.parse(reading.ts)
  if (typeof reading.value !== 'number' || !Number.isFinite(atMs)) return trail
  const before = trail.filter((point) => point.atMs > atMs - TRAIL_MS && point.atMs < atMs)
  const previous = before.at(-2)
  const kept = previous && atMs - previous.atMs < STEP_MS ? before.slice(0, -1) : before
  return [...kept, { atMs, value: reading.value }]
}

/** Cuts a trail where values are missing, so that a hole is drawn as a hole. */
export function segments(trail: readonly TrailPoint[], maxGapMs: number): TrailPoint[][] {
  const found: TrailPoint[][] = []
  let previous: TrailPoint | null = null
  for (const point of trail) {
    if (!previous || point.atMs - previous.atMs > maxGapMs) found.push([])
    found.at(-1)?.push(point)
    previous = point
  }
  return found
}
