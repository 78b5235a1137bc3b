/** The conditional independence tests of PCMCI on the lagged columns of one table. */
import { type PartialCorrelation, partialCorrelation, unexplainedShare } from './partial-correlation.ts'

/** A series (its column) so many steps before the present. */
export interface Node {
  variable: number
  lag: number
}

export interface LaggedTests {
  /** Partial correlation over all times at which x, y and every condition are known; NaN when too few are. */
  test(x: Node, y: Node, conditions: readonly Node[]): PartialCorrelation
  /** Akaike's criterion (Akaike 1974) of the regression of y on the conditions, up to a constant. */
  akaike(y: Node, conditions: readonly Node[]): number
}

/**
 * Every test starts at 2·tauMax: that is how far back the conditions of a source reach, so all tests see the same times.
 * A value that is not finite is missing. Throws RangeError when the table is shorter than that.
 */
export function createLaggedTests(columns: readonly Float64Array[], tauMax: number): LaggedTests {
  const length = columns[0]?.length ?? 0
  const first = 2 * tauMax
  if (length - first < 3) throw new RangeError(`lags up to ${tauMax} need at least ${first + 3} rows`)
  const isKnown = columns.map((column) =>
    Uint8Array.from(column, (value) => (Number.isFinite(value) ? 1 : 0)),
  )
  const isComplete = isKnown.every((known) => known.every((flag) => flag === 1))

  const timesKnown = (nodes: readonly Node[]): number[] => {
    const times: number[] = []
    for (let t = first; t < length; t += 1) {
      if (nodes.every(({ variable, lag }) => isKnown[variable]?.[t - lag] === 1)) times.push(t)
    }
    return times
  }
  const sample = (nodes: readonly Node[]): Float64Array[] => {
    const column = (variable: number) => columns[variable] ?? new Float64Array(length)
    if (isComplete)
      return nodes.map(({ variable, lag }) => column(variable).subarray(first - lag, length - lag))
    const times = timesKnown(nodes)
    return nodes.map(({ variable, lag }) =>
      Float64Array.from(times, (t) => column(variable)[t - lag] ?? Number.NaN),
    )
  }

  return {
    test(x, y, conditions) {
      const [left, right, ...given] = sample([x, y, ...conditions])
      if (!left || !right || left.length - 2 - given.length < 1) return { r: Number.NaN, p: Number.NaN }
      return partialCorrelation(left, right, given)
    },
    akaike(y, conditions) {
      const [target, ...given] = sample([y, ...conditions])
      if (!target || target.length === 0) return Number.POSITIVE_INFINITY
      const n = target.length
      return n * Math.log(n * unexplainedShare(target, given)) + 2 * conditions.length
    },
  }
}
