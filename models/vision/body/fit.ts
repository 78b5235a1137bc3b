/** Fits one body to a recording of its joints: shape shared by all frames, pose per frame. */
import { at } from '../numeric/dense.ts'
import { type BodyModel, boneLengths, restJoints } from './body-model.ts'
import { distanceTo, HUBER_M } from './equations.ts'
import { fitPose, type PoseFit } from './fit-pose.ts'
import { type FittedPose, shapeFromLengths, shapeStep } from './fit-shape.ts'
import { type Pose, uprightPose } from './pose.ts'
import { type SeenJoints, startPoses } from './start-pose.ts'

export interface BodyFit {
  /** Shape numbers of the model. */
  beta: Float64Array
  /** Distance of each joint from its parent at rest, metres; 0 for the root. */
  boneLengthsM: Float64Array
  frames: FittedFrame[]
  /** What the joints deviate per axis, estimated from what the fit leaves over, metres. */
  noiseM: number
}

export interface FittedFrame {
  pose: Pose
  /** x, y, z of each joint, metres; also of joints that were not seen. */
  joints: Float64Array
  /** Mean distance to the joints that were seen, metres. */
  errorM: number
  /** Indices of joints that were not seen, or seen where they cannot be: their places follow from the others and the model. */
  inferred: number[]
}

/** What a careful triangulation deviates; where the noise estimate begins. */
const FIRST_NOISE_M = 0.01
const LEAST_NOISE_M = 1e-4
const MAX_ROUNDS = 12
/** Shape has settled when no bone changes by more than this. */
const SETTLED_M = 2e-5
/** … and the noise by no more than this share. */
const SETTLED_NOISE = 0.05
/** Shape needs variety, not length: this many frames, evenly spread, are enough. */
const SHAPE_FRAMES = 40
/** A frame left worse than this, per joint, is tried again from scratch. */
const POOR_M = 0.04
/** A joint this far from where the rest of the body wants it was seen wrongly and is left out. */
const THROWN_M = 0.25
/** Fewer joints than these leave the body anywhere. */
const FEWEST_JOINTS = 3

/**
 * Fits poses (Levenberg–Marquardt per frame), steps the shape they share (Gauss–Newton over all frames), and repeats. Both priors
 * are scaled by the noise that the fit finds, so exact joints are met exactly and noisy ones are smoothed. `up` is the room's
 * vertical axis (0, 1, 2 for x, y, z). A frame needs three joints; the joints of one with fewer are NaN.
 */
export function fitBody(model: BodyModel, frames: readonly SeenJoints[], up = 1): BodyFit {
  const usable = frames.filter((seen) => countSeen(seen) >= FEWEST_JOINTS)
  const stride = Math.ceil(usable.length / SHAPE_FRAMES)
  const { beta, noiseM } = fitShape(
    model,
    usable.filter((_, index) => index % stride === 0),
    up,
  )
  const rest = restJoints(model, beta)
  const fitted: FittedFrame[] = []
  let before: Pose | null = null
  for (const seen of frames) {
    if (countSeen(seen) < FEWEST_JOINTS) {
      fitted.push(unfitted(model, seen))
      continue
    }
    const first = poseFrom(model, rest, seen, before, noiseM, up)
    const credible = withoutThrown(seen, first)
    const fit = credible === seen ? first : fitPose(model, rest, credible, first.pose, noiseM)
    before = fit.pose
    fitted.push(fittedFrame(fit, credible))
  }
  return { beta, boneLengthsM: boneLengths(model, rest), frames: fitted, noiseM }
}

function fitShape(
  model: BodyModel,
  frames: readonly SeenJoints[],
  up: number,
): { beta: Float64Array; noiseM: number } {
  let noiseM = FIRST_NOISE_M
  let beta = shapeFromLengths(model, frames, noiseM ** 2)
  let fitted: FittedPose[] = []
  for (let round = 0; round < MAX_ROUNDS && frames.length > 0; round++) {
    const rest = restJoints(model, beta)
    const before = fitted
    fitted = frames.map((all, index) => {
      const last = before[index]?.fit ?? null
      const seen = last ? withoutThrown(all, last) : all
      return { seen, fit: poseFrom(model, rest, seen, last?.pose ?? null, noiseM, up) }
    })
    const next = shapeStep(model, fitted, beta, noiseM)
    const change = largestChange(boneLengths(model, rest), boneLengths(model, restJoints(model, next)))
    const quieter = noiseOf(fitted, model.shapes)
    const settled = change < SETTLED_M && Math.abs(quieter - noiseM) < SETTLED_NOISE * noiseM
    beta = next
    noiseM = quieter
    if (settled) break
  }
  return { beta, noiseM }
}

/** From the pose before when that leads anywhere, else from scratch. */
function poseFrom(
  model: BodyModel,
  rest: Float64Array,
  seen: SeenJoints,
  before: Pose | null,
  noiseM: number,
  up: number,
): PoseFit {
  const warm = before && fitPose(model, rest, seen, before, noiseM)
  if (warm && warm.cost < countSeen(seen) * POOR_M ** 2) return warm
  const cold = startPoses(model, rest, seen, up).map((start) => fitPose(model, rest, seen, start, noiseM))
  const [first, ...others] = warm ? [warm, ...cold] : cold
  if (!first) throw new Error('there is always a pose to start from')
  return others.reduce((best, fit) => (fit.cost < best.cost ? fit : best), first)
}

/**
 * Standard deviation per axis. Of three numbers per seen joint a pose can follow all but the length of its bone, so about one per
 * bone is left to show the noise.
 */
function noiseOf(fits: readonly FittedPose[], shapes: number): number {
  let squares = 0
  let bones = 0
  for (const { seen, fit } of fits) {
    bones += countSeen(seen) - 1
    for (const off of distances(fit.body.places, seen)) squares += Math.min(off, HUBER_M) ** 2
  }
  return Math.max(LEAST_NOISE_M, Math.sqrt(squares / Math.max(1, bones - shapes)))
}

function fittedFrame({ pose, body }: PoseFit, seen: SeenJoints): FittedFrame {
  const off = distances(body.places, seen)
  return {
    pose,
    joints: body.places,
    errorM: off.reduce((sum, value) => sum + value, 0) / off.length,
    inferred: unseen(seen),
  }
}

function unfitted(model: BodyModel, seen: SeenJoints): FittedFrame {
  return {
    pose: uprightPose(model),
    joints: new Float64Array(model.joints * 3).fill(Number.NaN),
    errorM: Number.NaN,
    inferred: unseen(seen),
  }
}

/** The same joints when none is thrown off, or when too few would be left to say so. */
function withoutThrown(seen: SeenJoints, { body }: PoseFit): SeenJoints {
  const thrown = unseen(
    seen.map((value, index) => {
      const off = distanceTo(body.places, seen, Math.floor(index / 3))
      return off > THROWN_M ? Number.NaN : value
    }),
  )
  const credible = seen.slice()
  for (const joint of thrown) credible.fill(Number.NaN, joint * 3, joint * 3 + 3)
  const left = countSeen(credible)
  return left === countSeen(seen) || left < countSeen(seen) / 2 || left < FEWEST_JOINTS ? seen : credible
}

function countSeen(seen: SeenJoints): number {
  return seen.length / 3 - unseen(seen).length
}

function unseen(seen: SeenJoints): number[] {
  return Array.from({ length: seen.length / 3 }, (_, joint) => joint).filter((joint) =>
    Number.isNaN(at(seen, joint * 3)),
  )
}

/** Of the joints that were seen, metres. */
function distances(places: Float64Array, seen: SeenJoints): number[] {
  return Array.from({ length: seen.length / 3 }, (_, joint) => distanceTo(places, seen, joint)).filter(
    (off) => !Number.isNaN(off),
  )
}

function largestChange(before: Float64Array, after: Float64Array): number {
  return after.reduce((worst, length, joint) => Math.max(worst, Math.abs(length - at(before, joint))), 0)
}
