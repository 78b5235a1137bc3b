/** What the matrix profile needs to know about each window of a series before it compares any two. */

/** All arrays have one entry per window, by its start. */
export interface Windows {
  m: number
  count: number
  /** The series less its first known value, missing values as 0: windows that hold one are never compared. */
  values: Float64Array
  mean: Float64Array
  deviation: Float64Array
  /** 1 / deviation; NaN for constant windows and for those with a missing value, which makes every comparison false. */
  inverseDeviation: Float64Array
  isConstant: Uint8Array
  isKnown: Uint8Array
  /** The window's last value, and the value just before it, less the mean of the window's first m - 1 values. */
  tail: Float64Array
  head: Float64Array
}

/** Describes all windows of m values. Each mean and deviation is summed afresh, so nothing drifts along the series. */
export function describeWindows(raw: Float64Array, m: number): Windows {
  const count = raw.length - m + 1
  const windows: Windows = {
    m,
    count,
    values: shifted(raw),
    mean: new Float64Array(count),
    deviation: new Float64Array(count),
    inverseDeviation: new Float64Array(count).fill(Number.NaN),
    isConstant: new Uint8Array(count),
    isKnown: new Uint8Array(count),
    tail: new Float64Array(count),
    head: new Float64Array(count),
  }
  let knownRun = 0
  let equalRun = 0
  for (const [last, value] of raw.entries()) {
    knownRun = Number.isFinite(value) ? knownRun + 1 : 0
    equalRun = value === raw[last - 1] ? equalRun + 1 : 1
    const start = last - m + 1
    if (start < 0) continue
    describeWindow(windows, start)
    const isKnown = knownRun >= m
    const isConstant = isKnown && (equalRun >= m || windows.deviation[start] === 0)
    windows.isKnown[start] = isKnown ? 1 : 0
    windows.isConstant[start] = isConstant ? 1 : 0
    if (isKnown && !isConstant) windows.inverseDeviation[start] = 1 / (windows.deviation[start] ?? Number.NaN)
  }
  return windows
}

/** Mean product of the centred values of two windows. */
export function covariance({ m, values, mean }: Windows, i: number, j: number): number {
  const meanI = mean[i] ?? 0
  const meanJ = mean[j] ?? 0
  let sum = 0
  for (let k = 0; k < m; k += 1) sum += ((values[i + k] ?? 0) - meanI) * ((values[j + k] ?? 0) - meanJ)
  return sum / m
}

/** z-normalised Euclidean distance of two known windows that are not constant, summed value by value. */
export function windowDistance({ m, values, mean, deviation }: Windows, i: number, j: number): number {
  const meanI = mean[i] ?? 0
  const meanJ = mean[j] ?? 0
  const unitI = deviation[i] ?? 1
  const unitJ = deviation[j] ?? 1
  let sum = 0
  for (let k = 0; k < m; k += 1) {
    const apart = ((values[i + k] ?? 0) - meanI) / unitI - ((values[j + k] ?? 0) - meanJ) / unitJ
    sum += apart * apart
  }
  return Math.sqrt(sum)
}

/** A level of 1e9 under a noise of 1e-3 would cost every digit of the means; the difference to a value of the series is exact. */
function shifted(raw: Float64Array): Float64Array {
  const origin = raw.find((value) => Number.isFinite(value)) ?? 0
  return raw.map((value) => (Number.isFinite(value) ? value - origin : 0))
}

function describeWindow(windows: Windows, start: number): void {
  const { m, values } = windows
  const end = start + m - 1
  let sum = 0
  for (let k = start; k < end; k += 1) sum += values[k] ?? 0
  const last = values[end] ?? 0
  const mean = (sum + last) / m
  let squares = 0
  for (let k = start; k <= end; k += 1) squares += ((values[k] ?? 0) - mean) ** 2
  const shared = sum / (m - 1)
  windows.mean[start] = mean
  windows.deviation[start] = Math.sqrt(squares / m)
  windows.tail[start] = last - shared
  windows.head[start] = (values[start - 1] ?? 0) - shared
}
