/** A mixture of normal distributions with one common covariance, fitted by expectation-maximisation. */
import { invertedCholesky } from './cluster-days-cholesky.ts'
import { seedGroups } from './cluster-days-start.ts'

const STARTS = 20
const FIRST_ROUNDS = 10
const FINALISTS = 3
const MAX_ROUNDS = 200
/** Rounds end once the log-likelihood per point grows by less. */
const ENOUGH = 1e-6
/** Share of the covariance that is spread evenly over all directions, so that few points cannot make one vanish. */
const SHRINKAGE = 0.1
/** Weight of a group that nothing belongs to any more, so that its middle stays a number. */
const LEAST_WEIGHT = 1e-300

export interface Mixture {
  /** Most likely group of each point. */
  labels: Int32Array
  /** Squared Mahalanobis distance of each point to the middle of its group. */
  offsets: Float64Array
  logLikelihood: number
  /** Bayesian information criterion, lower is better. */
  bic: number
}

/** Points by rows of `dimensions` numbers, already centred as a whole. */
interface Points {
  at: Float64Array
  count: number
  dimensions: number
}

/**
 * The likeliest of twenty fits (Dempster, Laird & Rubin 1977, J. R. Stat. Soc. B 39:1) with k groups; the covariance is
 * shrunk towards a multiple of the identity (after Ledoit & Wolf 2004). All starts climb a few rounds and only the best
 * few to the top (Biernacki, Celeux & Govaert 2003).
 */
export function fitMixture(at: Float64Array, dimensions: number, k: number, random: () => number): Mixture {
  const points = { at, count: at.length / dimensions, dimensions }
  const total = scatter(points)
  // Every second start looks at all directions alike: groups often differ in one that varies little.
  const views = [at, evenedOut(at, total, dimensions)]
  const finalists = Array.from({ length: k === 1 ? 1 : STARTS }, (_, start) => {
    const groups = seedGroups(views[start % 2] ?? at, dimensions, k, random)
    return climb(points, total, k, wholeShares(groups, k), FIRST_ROUNDS)
  })
    .sort((a, b) => b.logLikelihood - a.logLikelihood)
    .slice(0, FINALISTS)
    .map(({ shares }) => climb(points, total, k, shares, MAX_ROUNDS))
  const { labels, offsets, logLikelihood } = finalists.reduce((a, b) =>
    b.logLikelihood > a.logLikelihood ? b : a,
  )
  const parameters = k - 1 + k * dimensions + (dimensions * (dimensions + 1)) / 2
  const bic = parameters * Math.log(points.count) - 2 * logLikelihood
  return { labels, offsets, logLikelihood, bic }
}

/** The points with the same variance in every direction; they come with their directions uncorrelated. */
function evenedOut(at: Float64Array, total: Float64Array, d: number): Float64Array {
  return at.map((value, index) => {
    const variance = total[(index % d) * (d + 1)] ?? 0
    return variance > 0 ? value / Math.sqrt(variance) : value
  })
}

/** Shares of points that each belong to one group only. */
function wholeShares(labels: Int32Array, k: number): Float64Array {
  const shares = new Float64Array(labels.length * k)
  for (const [point, group] of labels.entries()) shares[point * k + group] = 1
  return shares
}

/** How the points are shared out among the groups: `shares[point * k + group]`. */
interface Shared {
  shares: Float64Array
  labels: Int32Array
  offsets: Float64Array
  logLikelihood: number
}

/** Alternates between moving the groups and sharing the points out until the likelihood stands still, or the rounds are over. */
function climb(points: Points, total: Float64Array, k: number, from: Float64Array, rounds: number): Shared {
  let shared = shareOut(points, moveGroups(points, total, k, from))
  for (let round = 1; round < rounds; round += 1) {
    const next = shareOut(points, moveGroups(points, total, k, shared.shares))
    const grown = next.logLikelihood - shared.logLikelihood
    shared = next
    if (grown < ENOUGH * points.count) break
  }
  return shared
}

interface Groups {
  k: number
  /** Weight of each group as a logarithm. */
  logWeights: Float64Array
  middles: Float64Array
  /** Rows that turn a difference into one with unit covariance. */
  whitening: Float64Array
  logDeterminant: number
}

/** Maximisation: weights and middles from the shares, and with them the covariance within the groups. */
function moveGroups(points: Points, total: Float64Array, k: number, shares: Float64Array): Groups {
  const { at, count, dimensions: d } = points
  const weights = new Float64Array(k)
  const middles = new Float64Array(k * d)
  for (let n = 0; n < count; n += 1) {
    for (let g = 0; g < k; g += 1) {
      const share = shares[n * k + g] ?? 0
      weights[g] = (weights[g] ?? 0) + share
      for (let a = 0; a < d; a += 1)
        middles[g * d + a] = (middles[g * d + a] ?? 0) + share * (at[n * d + a] ?? 0)
    }
  }
  for (let at = 0; at < k * d; at += 1)
    middles[at] = (middles[at] ?? 0) / Math.max(weights[Math.floor(at / d)] ?? 0, LEAST_WEIGHT)
  const logWeights = weights.map((weight) => Math.log(weight / count))
  const within = shrunk(withinGroups(total, weights, middles, count, d), d)
  const { inverse, logDeterminant } = invertedCholesky(within, d)
  return { k, logWeights, middles, whitening: inverse, logDeterminant }
}

/** The total covariance less that of the middles. */
function withinGroups(
  total: Float64Array,
  weights: Float64Array,
  middles: Float64Array,
  count: number,
  d: number,
): Float64Array {
  const within = Float64Array.from(total)
  for (const [g, weight] of weights.entries()) {
    for (let a = 0; a < d; a += 1) {
      for (let b = 0; b < d; b += 1) {
        const between = (middles[g * d + a] ?? 0) * (middles[g * d + b] ?? 0)
        within[a * d + b] = (within[a * d + b] ?? 0) - (weight / count) * between
      }
    }
  }
  return within
}

/** Expectation: each point's share in each group. */
function shareOut({ at, count, dimensions: d }: Points, groups: Groups): Shared {
  const { k, logWeights, whitening, logDeterminant } = groups
  const points = whitened(at, d, whitening)
  const middles = whitened(groups.middles, d, whitening)
  const shared = {
    shares: new Float64Array(count * k),
    labels: new Int32Array(count),
    offsets: new Float64Array(count),
    logLikelihood: 0,
  }
  const logs = new Float64Array(k)
  const norm = -0.5 * (d * Math.log(2 * Math.PI) + logDeterminant)
  for (let n = 0; n < count; n += 1) {
    let top = Number.NEGATIVE_INFINITY
    for (let g = 0; g < k; g += 1) {
      const square = squaredDistance(points, n * d, middles, g * d, d)
      const log = norm + (logWeights[g] ?? 0) - 0.5 * square
      logs[g] = log
      if (log <= top) continue
      top = log
      shared.labels[n] = g
      shared.offsets[n] = square
    }
    const sum = logs.reduce((all, log) => all + Math.exp(log - top), 0)
    shared.logLikelihood += top + Math.log(sum)
    for (let g = 0; g < k; g += 1) shared.shares[n * k + g] = Math.exp((logs[g] ?? 0) - top) / sum
  }
  return shared
}

/** The rows of d numbers in coordinates in which the common covariance is the identity. */
function whitened(rows: Float64Array, d: number, whitening: Float64Array): Float64Array {
  const turned = new Float64Array(rows.length)
  for (let start = 0; start < rows.length; start += d) {
    for (let row = 0; row < d; row += 1) {
      let component = 0
      for (let a = 0; a <= row; a += 1) component += (whitening[row * d + a] ?? 0) * (rows[start + a] ?? 0)
      turned[start + row] = component
    }
  }
  return turned
}

function squaredDistance(a: Float64Array, i: number, b: Float64Array, j: number, d: number): number {
  let square = 0
  for (let k = 0; k < d; k += 1) square += ((a[i + k] ?? 0) - (b[j + k] ?? 0)) ** 2
  return square
}

function scatter({ at, count, dimensions: d }: Points): Float64Array {
  const total = new Float64Array(d * d)
  for (let n = 0; n < count; n += 1) {
    for (let a = 0; a < d; a += 1) {
      for (let b = 0; b < d; b += 1)
        total[a * d + b] = (total[a * d + b] ?? 0) + ((at[n * d + a] ?? 0) * (at[n * d + b] ?? 0)) / count
    }
  }
  return total
}

function shrunk(covariance: Float64Array, d: number): Float64Array {
  let trace = 0
  for (let a = 0; a < d; a += 1) trace += covariance[a * d + a] ?? 0
  // Days that are all the same have no spread at all; any positive one serves.
  const even = trace > 0 ? trace / d : 1
  return covariance.map((value, at) => (1 - SHRINKAGE) * value + (at % (d + 1) === 0 ? SHRINKAGE * even : 0))
}
