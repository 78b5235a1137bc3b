/** Which daily metric goes with which other one, so many days later. */
import { pearson, spearman, type Table } from './statistics.ts'
import { falseDiscoveryRates } from './statistics-discovery.ts'
import { correlationP } from './statistics-distribution.ts'
import { checkIn, type Watch } from './statistics-watch.ts'

/** NaN where nothing can be said: a constant side, or fewer than three pairs for a p. */
export interface LaggedCorrelation {
  x: string
  y: string
  /** x at t is paired with y at t + lag, so a positive lag means that x leads. */
  lag: number
  /** Pairs with both sides present. */
  n: number
  pearsonR: number
  pearsonP: number
  /** False discovery rate among all tests of the run. */
  pearsonQ: number
  spearmanRho: number
  spearmanP: number
  spearmanQ: number
}

/**
 * All ordered pairs of different columns at every lag from -maxLag to maxLag, by pair and then by lag. The p-values take
 * the rows as independent, which daily values of one person seldom are: read them as a ranking, and see PCMCI.
 * Throws Cancelled when the watch says so.
 */
export function laggedCorrelations(
  { names, columns }: Table,
  maxLag: number,
  watch: Watch = {},
): LaggedCorrelation[] {
  const found: LaggedCorrelation[] = []
  for (const [i, x] of columns.entries()) {
    for (const [j, y] of columns.entries()) {
      checkIn(watch, i * columns.length + j, columns.length ** 2)
      if (i === j) continue
      for (let lag = -maxLag; lag <= maxLag; lag += 1) {
        found.push({ x: names[i] ?? '', y: names[j] ?? '', lag, ...correlate(...pairs(x, y, lag)) })
      }
    }
  }
  return withDiscoveryRates(found)
}

function correlate(x: Float64Array, y: Float64Array) {
  const pearsonR = pearson(x, y)
  const spearmanRho = spearman(x, y)
  const df = x.length - 2
  return {
    n: x.length,
    pearsonR,
    pearsonP: correlationP(pearsonR, df),
    pearsonQ: Number.NaN,
    spearmanRho,
    spearmanP: correlationP(spearmanRho, df),
    spearmanQ: Number.NaN,
  }
}

function pairs(x: Float64Array, y: Float64Array, lag: number): [Float64Array, Float64Array] {
  const left: number[] = []
  const right: number[] = []
  for (let t = Math.max(0, -lag); t < x.length && t + lag < y.length; t += 1) {
    const a = x[t] ?? Number.NaN
    const b = y[t + lag] ?? Number.NaN
    if (!Number.isFinite(a) || !Number.isFinite(b)) continue
    left.push(a)
    right.push(b)
  }
  return [Float64Array.from(left), Float64Array.from(right)]
}

function withDiscoveryRates(found: readonly LaggedCorrelation[]): LaggedCorrelation[] {
  const pearsonQ = falseDiscoveryRates(found.map((row) => row.pearsonP))
  const spearmanQ = falseDiscoveryRates(found.map((row) => row.spearmanP))
  return found.map((row, k) => ({
    ...row,
    pearsonQ: pearsonQ[k] ?? Number.NaN,
    spearmanQ: spearmanQ[k] ?? Number.NaN,
  }))
}
