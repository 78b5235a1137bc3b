/** Means, spreads and quantiles of numbers; a missing number is NaN and counts for nothing. */

export type Numbers = readonly number[] | Float64Array

/** Index into numbers where a hole reads as missing. */
export function valueAt(numbers: Numbers, index: number): number {
  return numbers[index] ?? Number.NaN
}

export function finiteOf(numbers: Numbers): Float64Array {
  return Float64Array.from(numbers).filter(Number.isFinite)
}

/** Arithmetic mean; null when there is nothing to average. */
export function mean(numbers: Numbers): number | null {
  let sum = 0
  let count = 0
  for (const value of numbers) {
    if (!Number.isFinite(value)) continue
    sum += value
    count += 1
  }
  return count === 0 ? null : sum / count
}

/** Standard deviation over n − 1; null under two numbers. Two passes, because one loses everything on 1e9 ± 1e-3. */
export function sampleSd(numbers: Numbers): number | null {
  return spread(numbers, 1)
}

/** Standard deviation over n; null without numbers. */
export function populationSd(numbers: Numbers): number | null {
  return spread(numbers, 0)
}

function spread(numbers: Numbers, lostDegrees: number): number | null {
  const centre = mean(numbers)
  if (centre === null) return null
  let squares = 0
  let count = 0
  for (const value of numbers) {
    if (!Number.isFinite(value)) continue
    squares += (value - centre) ** 2
    count += 1
  }
  return count <= lostDegrees ? null : Math.sqrt(squares / (count - lostDegrees))
}

/** Linear interpolation between order statistics (Hyndman & Fan type 7, R's default); null without numbers. */
export function quantile(numbers: Numbers, share: number): number | null {
  return quantileOfSorted(finiteOf(numbers).sort(), share)
}

/** As `quantile`, on numbers that are finite and ascending. */
export function quantileOfSorted(ascending: Float64Array, share: number): number | null {
  if (ascending.length === 0) return null
  const rank = (ascending.length - 1) * share
  const below = valueAt(ascending, Math.floor(rank))
  const above = valueAt(ascending, Math.ceil(rank))
  return below + (rank - Math.floor(rank)) * (above - below)
}

export function median(numbers: Numbers): number | null {
  return quantile(numbers, 0.5)
}
