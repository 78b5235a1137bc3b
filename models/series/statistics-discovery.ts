/**
 * q-values of many tests: the smallest false discovery rate at which each would count (Benjamini & Hochberg 1995,
 * J. R. Stat. Soc. B 57:289). A test without a p (NaN) keeps NaN and is not counted among the tests.
 */
export function falseDiscoveryRates(p: ArrayLike<number>): Float64Array {
  const q = new Float64Array(p.length).fill(Number.NaN)
  const order = Array.from(p)
    .flatMap((value, index) => (Number.isNaN(value) ? [] : [{ value, index }]))
    .sort((a, b) => b.value - a.value)
  let smallest = 1
  for (const [fromTop, { value, index }] of order.entries()) {
    smallest = Math.min(smallest, (value * order.length) / (order.length - fromTop))
    q[index] = smallest
  }
  return q
}
