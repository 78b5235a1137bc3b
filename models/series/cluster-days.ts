/** Days that went alike: groups of daily curves, found without being told what to look for. */

import { fitMixture, type Mixture } from './cluster-days-mixture.ts'
import { describeDays } from './cluster-days-shape.ts'
import { checkIn, type Watch } from './statistics-watch.ts'

/** Largest number of groups that is tried when none is asked for. */
const MAX_GROUPS = 8

export interface ClusterOptions {
  /** Number of groups; null picks the one with the best Bayesian information criterion (Schwarz 1978), from 1 to 8. */
  k: number | null
  /** Uniform numbers from 0 to 1 for the starts; the same numbers give the same groups. */
  random: () => number
}

export interface DayGroups {
  /** Group of each day, 0 the largest group; null for a day of which less than half is known. */
  labels: (number | null)[]
  groups: DayGroup[]
}

export interface DayGroup {
  size: number
  /** The day (its row) that lies nearest to the middle of the group. */
  typicalDay: number
}

/**
 * Groups days by the shape and level of their curves (equally long rows over one day, NaN for missing). Curves become hourly
 * means, these their principal components, and those a mixture of normal distributions that share one covariance, fitted by
 * expectation-maximisation. The distance is thus Mahalanobis' within groups: what differs on all kinds of days, like the
 * hour of a meal, counts little, and the rest counts more. Throws RangeError when there are fewer usable days than groups.
 */
export function clusterDays(
  days: readonly Float64Array[],
  { k, random }: ClusterOptions,
  watch: Watch = {},
): DayGroups {
  const { usable, points, dimensions } = describeDays(days)
  if (usable.length < (k ?? 1))
    throw new RangeError(`${usable.length} days with data cannot make ${k ?? 1} groups`)
  const candidates = k === null ? upTo(Math.min(MAX_GROUPS, usable.length)) : [k]
  let best: Mixture | null = null
  for (const [done, groups] of candidates.entries()) {
    checkIn(watch, done, candidates.length)
    const mixture = fitMixture(points, dimensions, groups, random)
    if (!best || mixture.bic < best.bic) best = mixture
  }
  checkIn(watch, candidates.length, candidates.length)
  return named(days.length, usable, best)
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}

/** Numbers the groups by size and puts the labels back on the rows they came from. */
function named(rows: number, usable: readonly number[], mixture: Mixture | null): DayGroups {
  const labels = new Array<number | null>(rows).fill(null)
  if (!mixture) return { labels, groups: [] }
  const members = new Map<number, number[]>()
  for (const [point, group] of mixture.labels.entries())
    members.set(group, [...(members.get(group) ?? []), point])
  const groups = [...members.values()]
    .sort((a, b) => b.length - a.length)
    .map((points, label) => {
      for (const point of points) labels[usable[point] ?? 0] = label
      const nearest = points.reduce((a, b) => (offset(mixture, b) < offset(mixture, a) ? b : a))
      return { size: points.length, typicalDay: usable[nearest] ?? 0 }
    })
  return { labels, groups }
}

function offset(mixture: Mixture, point: number): number {
  return mixture.offsets[point] ?? Number.POSITIVE_INFINITY
}
