/** IDF1: how much of every person is told by one track, over the whole sequence. */
import { assign } from '../numeric/assignment.ts'
import { at } from '../numeric/dense.ts'
import { type Comparison, sum } from './sequence.ts'

const OVERLAP = 0.5

export interface IdentityMetrics {
  /** Percent. */
  IDF1: number
}

/**
 * Ristani et al. 2016: persons and tracks are paired once so that most boxes agree; the paper's padded cost matrix has the
 * same optimum as this rectangular one, because an unpaired identity costs the same on either side.
 */
export function identityMetrics({
  frames,
  truthCount,
  trackCount,
  truthBoxes,
  trackBoxes,
}: Comparison): IdentityMetrics {
  const shared = new Float64Array(truthCount * trackCount)
  for (const { truthIds, trackIds, overlaps } of frames) {
    overlaps.forEach((overlap, index) => {
      if (overlap < OVERLAP) return
      const truth = at(truthIds, Math.floor(index / trackIds.length))
      const cell = truth * trackCount + at(trackIds, index % trackIds.length)
      shared[cell] = at(shared, cell) - 1
    })
  }
  const pairs = assign(shared, truthCount, trackCount)
  let agreed = 0
  pairs.forEach((track, truth) => {
    if (track >= 0) agreed -= at(shared, truth * trackCount + track)
  })
  return { IDF1: (200 * agreed) / Math.max(1, sum(truthBoxes) + sum(trackBoxes)) }
}
