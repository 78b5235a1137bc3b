/**
 * The matrix profile of a series: how far every window is from its nearest other window, and where that is. Small values are
 * motifs, large ones discords (Yeh et al. 2016, ICDM 1317). Exact, on one core, in O(n²) time and O(n) memory.
 */
import { covariance, describeWindows, type Windows, windowDistance } from './matrix-profile-windows.ts'
import { checkIn, type Watch } from './statistics-watch.ts'

/**
 * The covariance of the next pair of windows is the last one plus a difference, so its rounding stays that of the largest
 * windows passed. Once the windows are this many times flatter (product of both deviations), it is summed afresh.
 */
const FRESH_SUM_RATIO = 1e5
/** Shorter distances of equal shapes are rounding of the normalised values: they are 0. */
const ROUNDING = 1e-7
/** Correlation that stands for "one of the two is constant": its distance is sqrt(m). */
const HALF = 0.5

export interface MatrixProfile {
  m: number
  /** z-normalised Euclidean distance to the nearest window; Infinity where a value is missing or there is no other window. */
  distance: Float64Array
  /** Start of that window, -1 when there is none. */
  nearest: Int32Array
  /** The same among earlier windows only, and among later ones only. */
  left: Int32Array
  right: Int32Array
}

/**
 * z-normalised self-join with windows of m values; neighbours up to a quarter of m away (rounded up) are left out. Windows
 * with a missing value (not finite) match nothing. A constant window is at distance 0 from constant ones and sqrt(m) from
 * the rest. Walks the diagonals with covariance updates (SCRIMP: Zhu et al. 2018, ICDM 837; Welford 1962 for the update).
 * Throws RangeError unless 3 <= m <= n, Cancelled when the watch says so.
 */
export function matrixProfile(values: Float64Array, m: number, watch: Watch = {}): MatrixProfile {
  if (!Number.isInteger(m) || m < 3 || m > values.length)
    throw new RangeError(`a window takes from 3 to ${values.length} values, not ${m}`)
  const windows = describeWindows(values, m)
  const zone = exclusionZone(m)
  const matches = emptyMatches(windows.count)
  for (let apart = zone + 1; apart < windows.count; apart += 1) {
    checkIn(watch, apart, windows.count)
    walkDiagonal(windows, matches, apart)
  }
  matchConstants(windows, matches, zone)
  return settle(windows, matches)
}

/** Windows that start this near to each other, or nearer, are never compared: they are mostly the same values. */
export function exclusionZone(m: number): number {
  return Math.ceil(m / 4)
}

/** Per window, the highest correlation with an earlier and with a later window, and where. */
interface Matches {
  left: Float64Array
  right: Float64Array
  leftAt: Int32Array
  rightAt: Int32Array
}

function emptyMatches(count: number): Matches {
  return {
    left: new Float64Array(count).fill(Number.NEGATIVE_INFINITY),
    right: new Float64Array(count).fill(Number.NEGATIVE_INFINITY),
    leftAt: new Int32Array(count).fill(-1),
    rightAt: new Int32Array(count).fill(-1),
  }
}

/** Compares all windows that start `apart` steps from each other; the only loop that runs n² / 2 times. */
function walkDiagonal(windows: Windows, { left, right, leftAt, rightAt }: Matches, apart: number): void {
  const { count, m, inverseDeviation, head, tail } = windows
  const weight = (m - 1) / (m * m)
  let cov = 0
  let flattest = 0
  for (let i = 0, j = apart; j < count; i += 1, j += 1) {
    cov += weight * ((tail[i] ?? 0) * (tail[j] ?? 0) - (head[i] ?? 0) * (head[j] ?? 0))
    const scale = (inverseDeviation[i] ?? 0) * (inverseDeviation[j] ?? 0)
    if (!(scale <= flattest)) {
      // NaN: one of the two is not comparable, so the next pair that is starts afresh.
      if (Number.isNaN(scale)) {
        flattest = 0
        continue
      }
      cov = covariance(windows, i, j)
      flattest = scale * FRESH_SUM_RATIO
    } else if (scale * FRESH_SUM_RATIO < flattest) flattest = scale * FRESH_SUM_RATIO
    const correlation = cov * scale
    if (correlation > (right[i] ?? 0)) {
      right[i] = correlation
      rightAt[i] = j
    }
    if (correlation > (left[j] ?? 0)) {
      left[j] = correlation
      leftAt[j] = i
    }
  }
}

/** Constant windows have no direction to correlate, so they are matched apart, to the nearest window in time. */
function matchConstants(windows: Windows, { left, right, leftAt, rightAt }: Matches, zone: number): void {
  const { count, isConstant } = windows
  if (!isConstant.includes(1)) return
  const before = { constant: -1, varied: -1 }
  const after = { constant: -1, varied: -1 }
  for (let i = 0; i < count; i += 1) {
    remember(windows, before, i - zone - 1)
    matchConstant(windows, before, i, left, leftAt)
    const mirrored = count - 1 - i
    remember(windows, after, mirrored + zone + 1)
    matchConstant(windows, after, mirrored, right, rightAt)
  }
}

/** The last window seen of either sort. */
interface Seen {
  constant: number
  varied: number
}

function remember({ isKnown, isConstant }: Windows, seen: Seen, at: number): void {
  if (isConstant[at] === 1) seen.constant = at
  else if (isKnown[at] === 1) seen.varied = at
}

function matchConstant(
  { isKnown, isConstant }: Windows,
  seen: Seen,
  i: number,
  best: Float64Array,
  bestAt: Int32Array,
): void {
  if (isKnown[i] !== 1) return
  const isFlat = isConstant[i] === 1
  if (isFlat && seen.constant >= 0) {
    best[i] = 1
    bestAt[i] = seen.constant
    return
  }
  const other = isFlat ? seen.varied : seen.constant
  if (other >= 0 && HALF > (best[i] ?? 0)) {
    best[i] = HALF
    bestAt[i] = other
  }
}

/** Picks the nearer side (the closer in time when equal); its distance is summed value by value, free of the walk's rounding. */
function settle(windows: Windows, { left, right, leftAt, rightAt }: Matches): MatrixProfile {
  const { count, m } = windows
  const distance = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  const nearest = new Int32Array(count).fill(-1)
  for (let i = 0; i < count; i += 1) {
    const l = left[i] ?? 0
    const r = right[i] ?? 0
    const fromLeft = i - (leftAt[i] ?? 0)
    const fromRight = (rightAt[i] ?? 0) - i
    const isLeft = l > r || (l === r && fromLeft <= fromRight)
    const found = (isLeft ? leftAt[i] : rightAt[i]) ?? -1
    if (found < 0) continue
    nearest[i] = found
    distance[i] = distanceOf(windows, i, found)
  }
  return { m, distance, nearest, left: leftAt, right: rightAt }
}

function distanceOf(windows: Windows, i: number, j: number): number {
  const flat = (windows.isConstant[i] ?? 0) + (windows.isConstant[j] ?? 0)
  if (flat === 0) {
    const apart = windowDistance(windows, i, j)
    return apart < ROUNDING ? 0 : apart
  }
  return flat === 2 ? 0 : Math.sqrt(windows.m)
}
