/** CLEAR MOT: misses, false boxes and identity switches at one overlap. */
import { assign } from '../numeric/assignment.ts'
import { at } from '../numeric/dense.ts'
import { type ComparedFrame, type Comparison, sum } from './sequence.ts'

export interface ClearMetrics {
  /** Percent; negative when there are more errors than true boxes. */
  MOTA: number
  /** Mean overlap of matched boxes, percent. */
  MOTP: number
  IDSW: number
  FP: number
  FN: number
  Frag: number
  MT: number
  PT: number
  ML: number
}

const OVERLAP = 0.5
/** A match of the previous frame outweighs any overlap, so identities switch only when they must. */
const KEEP_IDENTITY = 1000
const MOSTLY_TRACKED = 0.8
const MOSTLY_LOST = 0.2
const NOBODY = -1

interface Tally {
  matches: number
  overlapSum: number
  falseBoxes: number
  misses: number
  switches: number
  /** Per true id: the track it was last matched to, ever and in the last compared frame. */
  lastTrack: Int32Array
  previousTrack: Int32Array
  matched: Float64Array
  beginnings: Float64Array
}

/** Bernardin & Stiefelhagen 2008, with the matching order and the counts of TrackEval. */
export function clearMetrics(comparison: Comparison): ClearMetrics {
  const { truthCount, truthBoxes } = comparison
  const tally: Tally = {
    matches: 0,
    overlapSum: 0,
    falseBoxes: 0,
    misses: 0,
    switches: 0,
    lastTrack: new Int32Array(truthCount).fill(NOBODY),
    previousTrack: new Int32Array(truthCount).fill(NOBODY),
    matched: new Float64Array(truthCount),
    beginnings: new Float64Array(truthCount),
  }
  for (const frame of comparison.frames) countFrame(tally, frame)
  const shares = [...truthBoxes].map((boxes, id) => at(tally.matched, id) / boxes)
  const mostlyTracked = shares.filter((share) => share > MOSTLY_TRACKED).length
  const partlyOrMore = shares.filter((share) => share >= MOSTLY_LOST).length
  const truths = Math.max(1, tally.matches + tally.misses)
  return {
    MOTA: (100 * (tally.matches - tally.falseBoxes - tally.switches)) / truths,
    MOTP: (100 * tally.overlapSum) / Math.max(1, tally.matches),
    IDSW: tally.switches,
    FP: tally.falseBoxes,
    FN: tally.misses,
    Frag: sum([...tally.beginnings].map((count) => Math.max(0, count - 1))),
    MT: mostlyTracked,
    PT: partlyOrMore - mostlyTracked,
    ML: truthCount - partlyOrMore,
  }
}

function countFrame(tally: Tally, frame: ComparedFrame): void {
  const { truthIds, trackIds } = frame
  const partner = matchFrame(tally, frame)
  const matches = sum(partner.map((column) => (column >= 0 ? 1 : 0)))
  tally.matches += matches
  tally.misses += truthIds.length - matches
  tally.falseBoxes += trackIds.length - matches
  if (truthIds.length === 0 || trackIds.length === 0) return
  const before = tally.previousTrack.slice()
  tally.previousTrack.fill(NOBODY)
  partner.forEach((column, row) => {
    if (column < 0) return
    const truth = at(truthIds, row)
    const track = at(trackIds, column)
    const last = at(tally.lastTrack, truth)
    if (last !== NOBODY && last !== track) tally.switches += 1
    if (at(before, truth) === NOBODY) tally.beginnings[truth] = at(tally.beginnings, truth) + 1
    tally.matched[truth] = at(tally.matched, truth) + 1
    tally.overlapSum += at(frame.overlaps, row * trackIds.length + column)
    tally.lastTrack[truth] = track
    tally.previousTrack[truth] = track
  })
}

/** Column of each true box, -1 when it has no match at OVERLAP. */
function matchFrame(tally: Tally, { truthIds, trackIds, overlaps }: ComparedFrame): Int32Array {
  const cols = trackIds.length
  const cost = overlaps.map((overlap, index) => {
    if (overlap < OVERLAP - Number.EPSILON) return 0
    const kept =
      at(tally.previousTrack, at(truthIds, Math.floor(index / cols))) === at(trackIds, index % cols)
    return -(overlap + (kept ? KEEP_IDENTITY : 0))
  })
  return assign(cost, truthIds.length, cols).map((column, row) =>
    column >= 0 && at(cost, row * cols + column) < -Number.EPSILON ? column : -1,
  )
}
