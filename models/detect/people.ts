/**
 * Finds several people with BlazePose's detector, which was made for one: it looks at the whole frame and at overlapping squares of
 * it, and a candidate counts once the landmark model, looking where the detector points and then where it points itself, agrees.
 */

import { estimateLandmarks } from '../pose/estimator.ts'
import { bodyBox } from '../pose/extent.ts'
import { regionOfCircle } from '../pose/region.ts'
import { output, type Run } from '../run.ts'
import type { ModelFile } from '../session.ts'
import { type Box, iou } from '../vision/boxes.ts'
import {
  anchorCentres,
  type BodyCircle,
  DETECTOR_ENCODING,
  DETECTOR_SIDE,
  decodeCircles,
} from './blazepose.ts'
import type { Detection, Detector } from './detector.ts'
import { type Frame, type Region, sampleRegion, wholeFrame } from './frame.ts'
import { suppress } from './suppress.ts'

/**
 * How people are searched for. Chosen on frames of the Sports2D, Pose2Sim and Intel clips, two pictures of COCO, and crowds put together
 * from the Intel clip; never on TUD-Campus, which figures are reported on. The least score is the lowest that kept four of five
 * findings right on all of those.
 */
export const PEOPLE_SEARCH = {
  /** Sides of the squares as parts of the frame's shorter side; the whole frame is looked at besides. */
  tileParts: [1, 1 / 2],
  /** How much of a square the next one covers again. */
  tileOverlap: 0.35,
  /** Least detector score of a candidate. */
  minCandidate: 0.5,
  /** Least product of the detector's score and the landmark model's presence. */
  minScore: 0.5,
  /** Smallest body region, in pixels, that is worth looking at. */
  minRegionPx: 40,
  /** Candidates are one when their hips are nearer than this part of the larger radius, and their radii not further apart. */
  sameHips: 0.3,
  sameRadius: 1.6,
  /** Boxes are one person above this IoU, … */
  maxOverlap: 0.5,
  /** … or when one holds this part of the other and the other is this much smaller: an arm taken for a person. */
  insidePart: 0.7,
  insideArea: 0.35,
  mostCandidates: 40,
  mostPeople: 30,
} as const

interface Deps {
  detector: ModelFile
  landmarks: ModelFile
  run: Run
}

/** What of a search is done in one frame of a video. */
export interface SearchTurn {
  /** Every `of`-th square, beginning with this one; the whole frame belongs to the first turn. */
  turn: number
  of: number
  /** Bodies that are followed already: they are not looked at again. */
  known: readonly Region[]
}

export interface SearchFound {
  /** Who is not among the known. */
  detections: Detection[]
  /** Places in the list of those known whom the detector saw as well. */
  again: number[]
}

export interface PeopleDetector extends Detector {
  search(frame: Frame, turn: SearchTurn): Promise<SearchFound>
}

export function createPeopleDetector({ detector, landmarks, run }: Deps): PeopleDetector {
  const centres = anchorCentres()
  const circlesIn = async (frame: Frame, region: Region, input: Float32Array): Promise<BodyCircle[]> => {
    sampleRegion(frame, region, DETECTOR_SIDE, DETECTOR_ENCODING, input)
    const outputs = await run(detector, input)
    const boxes = output(outputs, detector, 0)
    const scores = output(outputs, detector, 1)
    return decodeCircles(boxes, scores, centres, region, PEOPLE_SEARCH.minCandidate)
  }
  const confirmed = async (frame: Frame, circle: BodyCircle): Promise<Detection | null> => {
    const region = regionOfCircle(circle.hips, circle.top)
    if (region.size < PEOPLE_SEARCH.minRegionPx) return null
    const found = await estimateLandmarks({ file: landmarks, run }, frame, region, 2)
    const score = circle.score * found.presence
    const box = insideFrame(bodyBox(found.landmarks), frame)
    if (score < PEOPLE_SEARCH.minScore || box === null) return null
    return { ...box, score, kind: 'person', region: found.next }
  }
  async function search(frame: Frame, { turn, of, known }: SearchTurn): Promise<SearchFound> {
    const input = new Float32Array(3 * DETECTOR_SIDE * DETECTOR_SIDE)
    const circles: BodyCircle[] = []
    const again = new Set<number>()
    const regions = [wholeFrame(frame), ...tiles(frame)].filter((_, at) => at % of === turn % of)
    for (const region of regions)
      for (const circle of await circlesIn(frame, region, input)) {
        const at = known.findIndex((body) => isKnown(circle, body))
        if (at === -1) circles.push(circle)
        else again.add(at)
      }
    const people: Detection[] = []
    for (const circle of suppress(circles, isSameCircle, PEOPLE_SEARCH.mostCandidates)) {
      const person = await confirmed(frame, circle)
      if (person !== null) people.push(person)
    }
    return { detections: suppress(people, isSamePerson, PEOPLE_SEARCH.mostPeople), again: [...again] }
  }
  return {
    name: detector.name,
    kinds: ['person'],
    search,
    detect: async (frame) => (await search(frame, { turn: 0, of: 1, known: [] })).detections,
  }
}

/** Whether a circle is the body that a region holds. */
function isKnown({ hips, top }: BodyCircle, body: Region): boolean {
  const radius = Math.hypot(top.x - hips.x, top.y - hips.y)
  const ofBody = body.size / 2 / 1.25
  const larger = Math.max(radius, ofBody)
  const apart = Math.hypot(hips.x - body.cx, hips.y - body.cy)
  return (
    apart < PEOPLE_SEARCH.sameHips * larger && larger < PEOPLE_SEARCH.sameRadius * Math.min(radius, ofBody)
  )
}

/** Overlapping squares that cover the frame, coarse ones first. */
export function tiles({ width, height }: Pick<Frame, 'width' | 'height'>): Region[] {
  const shorter = Math.min(width, height)
  return PEOPLE_SEARCH.tileParts.flatMap((part) => {
    const size = shorter * part
    const across = centresAlong(width, size)
    return centresAlong(height, size).flatMap((cy) => across.map((cx) => ({ cx, cy, size, rotation: 0 })))
  })
}

function centresAlong(length: number, size: number): number[] {
  const step = size * (1 - PEOPLE_SEARCH.tileOverlap)
  const steps = Math.ceil((length - size) / step - 1e-6)
  if (steps <= 0) return [length / 2]
  return Array.from({ length: steps + 1 }, (_, at) => size / 2 + (at * (length - size)) / steps)
}

function isSameCircle(a: BodyCircle, b: BodyCircle): boolean {
  const radiusA = Math.hypot(a.top.x - a.hips.x, a.top.y - a.hips.y)
  const radiusB = Math.hypot(b.top.x - b.hips.x, b.top.y - b.hips.y)
  const larger = Math.max(radiusA, radiusB)
  const apart = Math.hypot(a.hips.x - b.hips.x, a.hips.y - b.hips.y)
  return (
    apart < PEOPLE_SEARCH.sameHips * larger && larger < PEOPLE_SEARCH.sameRadius * Math.min(radiusA, radiusB)
  )
}

/** Whether two boxes are one person. */
export function isSamePerson(a: Box, b: Box): boolean {
  if (iou(a, b) > PEOPLE_SEARCH.maxOverlap) return true
  const w = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x)
  const h = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y)
  const smaller = Math.min(a.w * a.h, b.w * b.h)
  const larger = Math.max(a.w * a.h, b.w * b.h)
  return (
    w > 0 &&
    h > 0 &&
    w * h > PEOPLE_SEARCH.insidePart * smaller &&
    smaller < PEOPLE_SEARCH.insideArea * larger
  )
}

/** The part of a box that lies in the frame; null when nothing does. */
function insideFrame(box: Box, { width, height }: Frame): Box | null {
  const x = Math.max(0, box.x)
  const y = Math.max(0, box.y)
  const w = Math.min(width, box.x + box.w) - x
  const h = Math.min(height, box.y + box.h) - y
  return w > 0 && h > 0 ? { x, y, w, h } : null
}
