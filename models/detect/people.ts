/**
 * Finds several people with BlazePose's detector, which was made for one: it looks at the whole frame and at overlapping squares of
 * it, and a candidate counts once the landmark model, looking where the detector points and then where it points itself, agrees.
 */

import { estimateLandmarks } from '../pose/estimator.ts'
import { bodyBox } from '../pose/extent.ts'
import type { Landmarks } from '../pose/landmarks.ts'
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
import { type Background, brightness, motionOf, movingIn } from './motion.ts'
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
  minCandidate: 0.3,
  /** Least product of the detector's score and the landmark model's presence, … */
  minScore: 0.5,
  /** … and of somebody who is followed already. */
  lowScore: 0.2,
  /** Moving cells (of 64 × 36) that make a square worth a look. */
  movingCells: 2,
  /** A square in which nothing moves is searched every so many looks. */
  stillTurns: 4,
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

/** What of a picture is searched in one look of a video. */
export interface SearchTurn {
  /** Number of the look: squares in which nothing moves are searched in turns. */
  look: number
  /** What the camera usually sees, from the look before; null searches everything. */
  background: Background
  /** Who is followed already: squares that hold somebody are searched whether they move or not. */
  known: readonly Box[]
}

/** Somebody found, with the landmarks that confirmed it. */
export interface FoundPerson extends Detection {
  pose: Landmarks
}

export interface SearchFound {
  /** Unsure ones included: a tracker knows what to do with them. */
  people: FoundPerson[]
  background: Float32Array
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
  const confirmed = async (frame: Frame, circle: BodyCircle): Promise<FoundPerson | null> => {
    const region = regionOfCircle(circle.hips, circle.top)
    if (region.size < PEOPLE_SEARCH.minRegionPx) return null
    const pose = await estimateLandmarks({ file: landmarks, run }, frame, region, 2)
    const score = circle.score * pose.presence
    const box = insideFrame(bodyBox(pose.landmarks), frame)
    if (box === null) return null
    return { ...box, score, kind: 'person', region: pose.next, pose }
  }
  async function searchIn(frame: Frame, squares: readonly Region[], least: number): Promise<FoundPerson[]> {
    const input = new Float32Array(3 * DETECTOR_SIDE * DETECTOR_SIDE)
    const circles: BodyCircle[] = []
    for (const square of squares) circles.push(...(await circlesIn(frame, square, input)))
    const people: FoundPerson[] = []
    // A person's score is never above its circle's.
    const likely = circles.filter(({ score }) => score >= least)
    for (const circle of suppress(likely, isSameCircle, PEOPLE_SEARCH.mostCandidates)) {
      const person = await confirmed(frame, circle)
      if (person !== null && person.score >= least) people.push(person)
    }
    return suppress(people, isSamePerson, PEOPLE_SEARCH.mostPeople)
  }
  return {
    name: detector.name,
    kinds: ['person'],
    async search(frame, turn) {
      const { moving, background } = motionOf(turn.background, brightness(frame))
      const squares = squaresOf(frame, turn, moving)
      return { people: await searchIn(frame, squares, PEOPLE_SEARCH.lowScore), background }
    },
    async detect(frame) {
      const squares = [wholeFrame(frame), ...tiles(frame)]
      const people = await searchIn(frame, squares, PEOPLE_SEARCH.minScore)
      return people.map(({ pose: _, ...person }) => person)
    },
  }
}

/** The whole frame, the squares in which something moves or somebody is, and a share of the others. */
export function squaresOf(frame: Frame, { look, known }: SearchTurn, moving: Uint8Array): Region[] {
  const squares = tiles(frame).filter(
    (square, at) =>
      at % PEOPLE_SEARCH.stillTurns === look % PEOPLE_SEARCH.stillTurns ||
      movingIn(moving, square, frame) >= PEOPLE_SEARCH.movingCells ||
      known.some((box) => overlaps(square, box)),
  )
  return [wholeFrame(frame), ...squares]
}

function overlaps({ cx, cy, size }: Region, { x, y, w, h }: Box): boolean {
  return Math.abs(x + w / 2 - cx) < (w + size) / 2 && Math.abs(y + h / 2 - cy) < (h + size) / 2
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
