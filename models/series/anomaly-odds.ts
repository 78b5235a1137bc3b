/**
 * How rare a score is: the share of ordinary hours that hold a minute with such a score or a higher one. Split conformal prediction
 * (Vovk et al. 2005; Angelopoulos & Bates 2023, section 1) over hours instead of minutes, because minutes beside each other are alike.
 */

/** Highest scores of ordinary hours of people whom the net was not trained on, ascending, with how rare each is. */
export interface Population {
  scores: readonly number[]
  /** Share of hours with that score or a higher one, descending. */
  shares: readonly number[]
}

/** A person's own hours: their highest scores, ascending. */
export type OwnHours = readonly number[]

/**
 * The rarer of the two would ring too often for a person who is often odd, so the more frequent one counts. Above everything that was
 * ever seen of the person their few hours cannot tell how rare it is; then the population can.
 */
export function rarity(score: number, population: Population, own: OwnHours): number {
  const everybody = shareAbove(score, population)
  const reached = own.length - firstAtLeast(own, score)
  return reached === 0 ? everybody : Math.max(everybody, (reached + 1) / (own.length + 1))
}

/** Between the known scores, and beyond the last one, the share falls by the same factor for the same difference. */
function shareAbove(score: number, { scores, shares }: Population): number {
  const last = scores.length - 1
  const at = Math.min(last, firstAtLeast(scores, score))
  if (at <= 0) return shares[0] ?? 1
  const [lowScore = 0, highScore = 1] = [scores[at - 1], scores[at]]
  const [lowShare = 1, highShare = 1] = [shares[at - 1], shares[at]]
  const slope = Math.log(highShare / lowShare) / Math.max(1e-9, highScore - lowScore)
  return Math.min(1, Math.max(1e-9, lowShare * Math.exp(slope * (score - lowScore))))
}

function firstAtLeast(sorted: readonly number[], score: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < score) low = middle + 1
    else high = middle
  }
  return low
}

/** Highest score of each hour that holds at least half of its minutes, ascending; NaN is a minute that was not judged. */
export function hourlyHighest(scores: Float64Array): number[] {
  const highest: number[] = []
  for (let from = 0; from + 60 <= scores.length; from += 60) {
    const judged = scores.subarray(from, from + 60).filter((score) => !Number.isNaN(score))
    if (judged.length >= 30) highest.push(judged.reduce((most, score) => Math.max(most, score)))
  }
  return highest.toSorted((a, b) => a - b)
}

const TABLE_SHARES = 48

/** A table of a population from the highest scores of its hours, finer towards the rare ones. */
export function populationOf(highest: readonly number[]): Population {
  const sorted = highest.toSorted((a, b) => a - b)
  const least = Math.log(2 / (sorted.length + 1))
  const table = new Map<number, number>()
  for (let k = 0; k < TABLE_SHARES; k += 1) {
    const share = Math.exp((least * k) / (TABLE_SHARES - 1))
    const reached = Math.max(1, Math.round(share * (sorted.length + 1)) - 1)
    const score = sorted[sorted.length - reached] ?? 0
    table.set(rounded(score), (reached + 1) / (sorted.length + 1))
  }
  const rows = [...table].toSorted((a, b) => a[0] - b[0])
  return {
    scores: rows.map(([score]) => score),
    shares: rows.map(([, share]) => Number(share.toPrecision(5))),
  }
}

function rounded(score: number): number {
  return Math.round(score * 1e4) / 1e4
}
