/** What joints tell of how somebody moves, by one camera: angles as projections, repetitions of the knees, steps a minute. */
import { type AngleName, jointAngles } from '../../pose/angles.ts'
import { COCO_17, type CocoJoint, type Keypoint } from '../../pose/skeleton.ts'
import { createCadence } from './cadence.ts'

/** Angles are 2D projections, in degrees. */
export interface AngleSummary {
  samples: number
  sum: number
  min: number
  max: number
}

/** Plain sums, so that summaries of several tracks add up and can be stored as JSON. */
export interface GaitSummary {
  poses: number
  angles: Partial<Record<AngleName | 'trunk_lean', AngleSummary>>
  /** Repetitions and the sum of their greatest flexion. */
  knees: { left: { repetitions: number; sum: number }; right: { repetitions: number; sum: number } }
  /** Steps a minute, one value a second while somebody walks or runs. */
  cadence: { samples: number; sum: number }
}

export interface Gait {
  add(atMs: number, keypoints: readonly Keypoint[], boxHeight: number): void
  summary(): GaitSummary
  /** Of the newest pose. */
  now(): { angles: { name: string; degrees: number | null }[]; cadence: number | null }
}

/** A knee has bent once when it opened and closed again by this much: three times what the joints of one camera are off by. */
const REPETITION_DEGREES = 15
/** Angles from one camera are off by about this much. */
export const ANGLE_NOISE_DEGREES = 5
/** Fewer repetitions say nothing about a difference between left and right. */
export const FEWEST_REPETITIONS = 5
const MIN_SCORE = 0.5

export function createGait(): Gait {
  const total = emptyGait()
  const knees = { left: createRepetitions(), right: createRepetitions() }
  const cadence = createCadence()
  let newest: { name: string; degrees: number | null }[] = []
  return {
    add(atMs, keypoints, boxHeight) {
      const angles = jointAngles(keypoints).map(({ name, degrees }) => ({ name, degrees }))
      const lean = trunkLean(keypoints)
      newest = [...angles, { name: 'trunk_lean', degrees: lean }]
      if (angles.every(({ degrees }) => degrees === null)) return
      total.poses += 1
      for (const { name, degrees } of angles) if (degrees !== null) take(total, name, degrees)
      if (lean !== null) take(total, 'trunk_lean', lean)
      for (const side of ['left', 'right'] as const) {
        const angle = angles.find(({ name }) => name === `${side}_knee`)?.degrees ?? null
        const peak = angle === null ? null : knees[side](180 - angle)
        if (peak === null) continue
        total.knees[side].repetitions += 1
        total.knees[side].sum += peak
      }
      const steps = cadence.add(atMs, keypoints, boxHeight)
      if (steps === null) return
      total.cadence.samples += 1
      total.cadence.sum += steps
    },
    summary: () => structuredClone(total),
    now: () => ({ angles: newest, cadence: cadence.now() }),
  }
}

export function emptyGait(): GaitSummary {
  return {
    poses: 0,
    angles: {},
    knees: { left: { repetitions: 0, sum: 0 }, right: { repetitions: 0, sum: 0 } },
    cadence: { samples: 0, sum: 0 },
  }
}

/** The summary of all tracks together. */
export function addGaits(gaits: readonly GaitSummary[]): GaitSummary {
  const total = emptyGait()
  for (const gait of gaits) {
    total.poses += gait.poses
    for (const [name, one] of Object.entries(gait.angles) as [AngleName, AngleSummary][]) {
      const known = total.angles[name]
      total.angles[name] = known
        ? {
            samples: known.samples + one.samples,
            sum: known.sum + one.sum,
            min: Math.min(known.min, one.min),
            max: Math.max(known.max, one.max),
          }
        : { ...one }
    }
    for (const side of ['left', 'right'] as const) {
      total.knees[side].repetitions += gait.knees[side].repetitions
      total.knees[side].sum += gait.knees[side].sum
    }
    total.cadence.samples += gait.cadence.samples
    total.cadence.sum += gait.cadence.sum
  }
  return total
}

/** 100 × |L − R| / max(L, R) of the knees' mean greatest flexion; null with the reason where it would only be noise. */
export function kneeAsymmetry({
  knees: { left, right },
}: GaitSummary):
  | { percent: number; reason: null }
  | { percent: null; reason: 'too_few_repetitions' | 'below_noise_floor' } {
  if (Math.min(left.repetitions, right.repetitions) < FEWEST_REPETITIONS)
    return { percent: null, reason: 'too_few_repetitions' }
  const ofLeft = left.sum / left.repetitions
  const ofRight = right.sum / right.repetitions
  const apart = Math.abs(ofLeft - ofRight)
  if (apart < ANGLE_NOISE_DEGREES) return { percent: null, reason: 'below_noise_floor' }
  return { percent: (100 * apart) / Math.max(ofLeft, ofRight), reason: null }
}

function take(total: GaitSummary, name: AngleName | 'trunk_lean', degrees: number): void {
  const known = total.angles[name]
  total.angles[name] = known
    ? {
        samples: known.samples + 1,
        sum: known.sum + degrees,
        min: Math.min(known.min, degrees),
        max: Math.max(known.max, degrees),
      }
    : { samples: 1, sum: degrees, min: degrees, max: degrees }
}

/** Answers the greatest flexion when a knee has opened again behind it. */
function createRepetitions(): (flexion: number) => number | null {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let bending = false
  return (flexion) => {
    low = Math.min(low, flexion)
    high = Math.max(high, flexion)
    if (!bending && flexion >= low + REPETITION_DEGREES) {
      bending = true
      high = flexion
    }
    if (!bending || flexion > high - REPETITION_DEGREES) return null
    const peak = high
    bending = false
    low = flexion
    high = flexion
    return peak
  }
}

/** Degrees between the trunk and straight up in the picture; null when shoulders or hips are not seen well enough. */
function trunkLean(keypoints: readonly Keypoint[]): number | null {
  const [a, b, c, d] = (
    ['left_shoulder', 'right_shoulder', 'left_hip', 'right_hip'] satisfies CocoJoint[]
  ).map((joint) => keypoints[COCO_17.indexOf(joint)])
  if (!a || !b || !c || !d || Math.min(a.score, b.score, c.score, d.score) < MIN_SCORE) return null
  const across = (a.x + b.x - c.x - d.x) / 2
  const up = (c.y + d.y - a.y - b.y) / 2
  return across === 0 && up === 0 ? null : Math.abs((Math.atan2(across, up) * 180) / Math.PI)
}
