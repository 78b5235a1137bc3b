/** Correlation of two series, computed so that a large common level does not cost the digits of a small variation. */

/** One row of values per equal step of time; NaN (or an infinity) is a missing value. */
export interface Table {
  names: readonly string[]
  columns: readonly Float64Array[]
}

/**
 * Pearson's product-moment correlation of pairs without holes (Pearson 1895, Proc. R. Soc. 58:240).
 * NaN when a side is constant or there are fewer than two pairs.
 */
export function pearson(x: Float64Array, y: Float64Array): number {
  if (x.length !== y.length) throw new RangeError('a correlation needs as many x as y')
  if (x.length < 2) return Number.NaN
  const dx = centred(x)
  const dy = centred(y)
  const r = dot(dx, dy) / Math.sqrt(dot(dx, dx)) / Math.sqrt(dot(dy, dy))
  return Math.min(1, Math.max(-1, r))
}

/** Spearman's rank correlation: Pearson's of the ranks, ties at their mean rank (Spearman 1904, Am. J. Psychol. 15:72). */
export function spearman(x: Float64Array, y: Float64Array): number {
  return pearson(ranks(x), ranks(y))
}

/** Ranks from 1, equal values at the mean of the ranks that they span. */
export function ranks(values: Float64Array): Float64Array {
  const order = Array.from(values.keys()).sort((a, b) => at(values, a) - at(values, b))
  const ranked = new Float64Array(values.length)
  let from = 0
  while (from < order.length) {
    const value = at(values, order[from] ?? 0)
    let to = from + 1
    while (to < order.length && at(values, order[to] ?? 0) === value) to += 1
    for (let k = from; k < to; k += 1) ranked[order[k] ?? 0] = (from + to + 1) / 2
    from = to
  }
  return ranked
}

/** The values less their mean. The first value goes off before anything is summed, so 1e9 + noise keeps its noise. */
export function centred(values: Float64Array): Float64Array {
  const origin = at(values, 0)
  const shifted = values.map((value) => value - origin)
  const mean = shifted.reduce((sum, value) => sum + value, 0) / values.length
  return shifted.map((value) => value - mean)
}

/** Sum of products of two equally long vectors. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let k = 0; k < a.length; k += 1) sum += at(a, k) * at(b, k)
  return sum
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? Number.NaN
}
