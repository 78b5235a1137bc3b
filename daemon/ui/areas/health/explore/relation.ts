/** How two series go together: paired by time with a lag, Pearson's r and Spearman's rho. */

export interface Mean {
  atMs: number
  value: number
}

export interface Pair {
  atMs: number
  a: number
  b: number
}

export interface Relation {
  pairs: number
  /** Null with fewer than three pairs, or where one of them does not move. */
  pearson: number | null
  spearman: number | null
}

/** Each bucket of `a` with that of `b` which is `lagMs` later. */
export function pairsOf(a: readonly Mean[], b: readonly Mean[], lagMs: number): Pair[] {
  const later = new Map(b.map(({ atMs, value }) => [atMs - lagMs, value]))
  return a.flatMap(({ atMs, value }) => {
    const other = later.get(atMs)
    return other === undefined ? [] : [{ atMs, a: value, b: other }]
  })
}

export function relationOf(pairs: readonly Pair[]): Relation {
  const [a, b] = [pairs.map((pair) => pair.a), pairs.map((pair) => pair.b)]
  return { pairs: pairs.length, pearson: correlation(a, b), spearman: correlation(ranks(a), ranks(b)) }
}

function correlation(a: readonly number[], b: readonly number[]): number | null {
  if (a.length < 3) return null
  const [meanA, meanB] = [mean(a), mean(b)]
  let [both, squaresA, squaresB] = [0, 0, 0]
  for (const [index, value] of a.entries()) {
    const [x, y] = [value - meanA, (b[index] ?? meanB) - meanB]
    both += x * y
    squaresA += x * x
    squaresB += y * y
  }
  const scale = Math.sqrt(squaresA * squaresB)
  return scale === 0 ? null : Math.max(-1, Math.min(1, both / scale))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Places from the smallest, equal values sharing the middle of theirs. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((x, y) => (values[x] ?? 0) - (values[y] ?? 0))
  const places = new Array<number>(values.length).fill(0)
  for (let first = 0; first < order.length; ) {
    let last = first
    while (last + 1 < order.length && values[order[last + 1] ?? 0] === values[order[first] ?? 0]) last++
    for (let at = first; at <= last; at++) places[order[at] ?? 0] = (first + last) / 2
    first = last + 1
  }
  return places
}
