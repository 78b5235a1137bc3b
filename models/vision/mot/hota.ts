/** HOTA: detection and association in balance, averaged over how strictly boxes must overlap. */
import { assign } from '../numeric/assignment.ts'
import { at } from '../numeric/dense.ts'
import { type Comparison, sum } from './sequence.ts'

/** 0.05, 0.10 … 0.95 (Luiten et al. 2021, section 4). */
const ALPHAS: readonly number[] = Array.from({ length: 19 }, (_, index) => 0.05 + index * 0.05)

/** All percent, means over the alphas. */
export interface HotaMetrics {
  HOTA: number
  DetA: number
  AssA: number
  LocA: number
}

/** Luiten et al. 2021, IJCV 129: matching maximises the product of a global alignment of identities and the overlap. */
export function hotaMetrics(comparison: Comparison): HotaMetrics {
  const matches = matchAll(comparison)
  const truths = sum(comparison.truthBoxes)
  const tracks = sum(comparison.trackBoxes)
  const perAlpha = ALPHAS.map((alpha) => atAlpha(comparison, matches, alpha, truths, tracks))
  const mean = (name: keyof HotaMetrics) => (100 * sum(perAlpha.map((one) => one[name]))) / ALPHAS.length
  return { HOTA: mean('HOTA'), DetA: mean('DetA'), AssA: mean('AssA'), LocA: mean('LocA') }
}

interface Match {
  /** truth id × track count + track id */
  pair: number
  overlap: number
}

function matchAll(comparison: Comparison): Match[] {
  const { frames, trackCount } = comparison
  const alignment = globalAlignment(comparison)
  return frames.flatMap(({ truthIds, trackIds, overlaps }) => {
    const cols = trackIds.length
    const pairOf = (index: number) =>
      at(truthIds, Math.floor(index / cols)) * trackCount + at(trackIds, index % cols)
    const cost = overlaps.map((overlap, index) => -at(alignment, pairOf(index)) * overlap)
    const partner = assign(cost, truthIds.length, cols)
    return [...partner].flatMap((column, row) => {
      if (column < 0) return []
      const index = row * cols + column
      return [{ pair: pairOf(index), overlap: at(overlaps, index) }]
    })
  })
}

/** How well each person and each track fit over the whole sequence: a soft Jaccard index. */
function globalAlignment({
  frames,
  truthCount,
  trackCount,
  truthBoxes,
  trackBoxes,
}: Comparison): Float64Array {
  const shared = new Float64Array(truthCount * trackCount)
  for (const { truthIds, trackIds, overlaps } of frames) {
    const cols = trackIds.length
    const rowSums = new Float64Array(truthIds.length)
    const colSums = new Float64Array(cols)
    overlaps.forEach((overlap, index) => {
      const row = Math.floor(index / cols)
      rowSums[row] = at(rowSums, row) + overlap
      colSums[index % cols] = at(colSums, index % cols) + overlap
    })
    overlaps.forEach((overlap, index) => {
      const row = Math.floor(index / cols)
      const union = at(rowSums, row) + at(colSums, index % cols) - overlap
      if (union <= Number.EPSILON) return
      const cell = at(truthIds, row) * trackCount + at(trackIds, index % cols)
      shared[cell] = at(shared, cell) + overlap / union
    })
  }
  return shared.map((value, cell) => {
    const boxes = at(truthBoxes, Math.floor(cell / trackCount)) + at(trackBoxes, cell % trackCount)
    return value / (boxes - value)
  })
}

function atAlpha(
  { trackCount, truthBoxes, trackBoxes }: Comparison,
  matches: readonly Match[],
  alpha: number,
  truths: number,
  tracks: number,
): HotaMetrics {
  const perPair = new Map<number, number>()
  let count = 0
  let overlapSum = 0
  for (const { pair, overlap } of matches) {
    if (overlap < alpha - Number.EPSILON) continue
    count += 1
    overlapSum += overlap
    perPair.set(pair, (perPair.get(pair) ?? 0) + 1)
  }
  let association = 0
  for (const [pair, together] of perPair) {
    const boxes = at(truthBoxes, Math.floor(pair / trackCount)) + at(trackBoxes, pair % trackCount)
    association += (together * together) / (boxes - together)
  }
  const DetA = count / Math.max(1, truths + tracks - count)
  const AssA = association / Math.max(1, count)
  // Nothing matched says nothing about localisation; the benchmark's convention is 1.
  const LocA = count === 0 ? 1 : overlapSum / count
  return { HOTA: Math.sqrt(DetA * AssA), DetA, AssA, LocA }
}
