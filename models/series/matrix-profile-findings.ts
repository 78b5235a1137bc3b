/** The windows of a matrix profile that are worth showing: what comes back, and what never happened otherwise. */
import type { MatrixProfile } from './matrix-profile.ts'

export interface Match {
  /** Start of the window. */
  i: number
  /** Start of its nearest other window. */
  nearest: number
  distance: number
}

/** The two most alike windows; null when no window has another one. */
export function topMotif({ distance, nearest }: MatrixProfile): Match | null {
  let best: Match | null = null
  for (const [i, value] of distance.entries()) {
    if (Number.isFinite(value) && (!best || value < best.distance))
      best = { i, nearest: nearest[i] ?? -1, distance: value }
  }
  return best
}

/** The most unusual windows, the strangest first, no two of them overlapping (starts at least m apart). */
export function topDiscords({ m, distance, nearest }: MatrixProfile, count: number): Match[] {
  const order = Array.from(distance.keys())
    .filter((i) => Number.isFinite(distance[i]))
    .sort((a, b) => (distance[b] ?? 0) - (distance[a] ?? 0))
  const found: Match[] = []
  for (const i of order) {
    if (found.length === count) break
    if (found.every((other) => Math.abs(other.i - i) >= m))
      found.push({ i, nearest: nearest[i] ?? -1, distance: distance[i] ?? Number.NaN })
  }
  return found
}
