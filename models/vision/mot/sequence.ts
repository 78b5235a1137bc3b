/** A result beside its ground truth, with dense ids and the overlaps that every metric needs, computed once. */
import { iou } from '../boxes.ts'
import { UnreadableInput } from '../unreadable.ts'
import type { MotBox, MotFrames } from './text.ts'

/** One frame: dense ids of the boxes present, and their overlaps, one row per true box. */
export interface ComparedFrame {
  truthIds: Int32Array
  trackIds: Int32Array
  overlaps: Float64Array
}

/** Beyond these a comparison would need more memory or time than any real sequence. */
const MAX_BOXES_PER_FRAME = 2_000
const MAX_IDENTITY_PAIRS = 50_000_000

export interface Comparison {
  frames: ComparedFrame[]
  truthCount: number
  trackCount: number
  /** Boxes per dense id. */
  truthBoxes: Float64Array
  trackBoxes: Float64Array
}

/**
 * Ground-truth rows with confidence 0 are ignored, as TrackEval does without preprocessing; nothing else is filtered.
 * Throws UnreadableInput when an id appears twice in a frame or the sizes leave what a real sequence can have.
 */
export function compare(truth: MotFrames, result: MotFrames): Comparison {
  const truthIds = createDenseIds('The ground truth')
  const trackIds = createDenseIds('The result')
  const frames = Array.from({ length: Math.max(truth.length, result.length) }, (_, index) => {
    const truthBoxes = (truth[index] ?? []).filter(({ confidence }) => Math.trunc(confidence) !== 0)
    const trackBoxes = result[index] ?? []
    const ids = {
      truthIds: truthIds.ofFrame(truthBoxes, index + 1),
      trackIds: trackIds.ofFrame(trackBoxes, index + 1),
    }
    return {
      ...ids,
      overlaps: Float64Array.from(truthBoxes.flatMap((box) => trackBoxes.map((track) => iou(box, track)))),
    }
  })
  const truthCounts = truthIds.counts()
  const trackCounts = trackIds.counts()
  if (truthCounts.length * trackCounts.length > MAX_IDENTITY_PAIRS)
    throw new UnreadableInput(`${truthCounts.length} persons and ${trackCounts.length} tracks are too many.`)
  return {
    frames,
    truthCount: truthCounts.length,
    trackCount: trackCounts.length,
    truthBoxes: truthCounts,
    trackBoxes: trackCounts,
  }
}

function createDenseIds(whose: string) {
  const denseIds = new Map<number, number>()
  const counts: number[] = []
  return {
    ofFrame(boxes: readonly MotBox[], frame: number): Int32Array {
      if (boxes.length > MAX_BOXES_PER_FRAME)
        throw new UnreadableInput(`${whose} has more than ${MAX_BOXES_PER_FRAME} boxes in frame ${frame}.`)
      const seen = new Set<number>()
      return Int32Array.from(boxes, ({ id }) => {
        if (seen.has(id)) throw new UnreadableInput(`${whose} has id ${id} twice in frame ${frame}.`)
        seen.add(id)
        const dense = denseIds.get(id) ?? denseIds.size
        denseIds.set(id, dense)
        counts[dense] = (counts[dense] ?? 0) + 1
        return dense
      })
    },
    counts: () => Float64Array.from(counts),
  }
}

export function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}
