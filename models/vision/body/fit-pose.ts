/** Inverse kinematics of one frame: turns the joints so that the body meets the joints that were seen. */
import { at, solveCholesky } from '../numeric/dense.ts'
import { multiply, rotationOf, vectorOf } from '../numeric/rotation.ts'
import type { BodyModel } from './body-model.ts'
import { distanceTo, HUBER_M, movableJoints, poseEquations, turnCost } from './equations.ts'
import { copyPose, type Pose, type PosedBody, posed } from './pose.ts'
import type { SeenJoints } from './start-pose.ts'

const MAX_ROUNDS = 60
/** Stops when a step gains less than this share of the cost. */
const SETTLED = 1e-7
const MAX_DAMPING = 1e8
export interface PoseFit {
  pose: Pose
  body: PosedBody
  /** Sum of squared distances (Huber's beyond HUBER_M) plus the prior, m². */
  cost: number
}

/**
 * Levenberg–Marquardt with the analytic Jacobian of left-multiplied turns, dP_j/dθ_k = −[P_j − P_k]× · G_parent(k). Joints are
 * held near their rest turn as strongly as `noiseM` makes the seen ones doubtful, which decides what those leave open, such as
 * the twist of a bone.
 */
export function fitPose(
  model: BodyModel,
  rest: Float64Array,
  seen: SeenJoints,
  start: Pose,
  noiseM: number,
): PoseFit {
  const movable = movableJoints(model)
  let pose = start
  let body = posed(model, rest, pose)
  let cost = costOf(body, pose, seen, movable, noiseM)
  let damping = 1e-3
  for (let round = 0; round < MAX_ROUNDS && damping < MAX_DAMPING; round++) {
    const step = stepOf(model, body, pose, seen, movable, noiseM, damping)
    const tried = moved(pose, movable, step)
    const triedBody = posed(model, rest, tried)
    const triedCost = costOf(triedBody, tried, seen, movable, noiseM)
    if (triedCost >= cost) {
      damping *= 10
      continue
    }
    const gain = cost - triedCost
    pose = tried
    body = triedBody
    cost = triedCost
    damping = Math.max(1e-9, damping / 10)
    if (gain < SETTLED * cost) break
  }
  return { pose, body, cost }
}

function costOf(
  { places }: PosedBody,
  { turns }: Pose,
  seen: SeenJoints,
  movable: readonly number[],
  noiseM: number,
): number {
  let cost = 0
  for (let joint = 0; joint * 3 < seen.length; joint++) {
    const off = distanceTo(places, seen, joint)
    if (Number.isNaN(off)) continue
    cost += off <= HUBER_M ? off * off : 2 * HUBER_M * off - HUBER_M * HUBER_M
  }
  for (const joint of movable) {
    const [x, y, z] = vectorOf(turns, joint * 9)
    cost += turnCost(joint, noiseM) * (x * x + y * y + z * z)
  }
  return cost
}

function moved(pose: Pose, movable: readonly number[], step: Float64Array): Pose {
  const next = copyPose(pose)
  for (let axis = 0; axis < 3; axis++) next.root[axis] = at(pose.root, axis) + at(step, axis)
  movable.forEach((joint, index) => {
    const from = 3 + index * 3
    const turn = rotationOf(at(step, from), at(step, from + 1), at(step, from + 2))
    multiply(next.turns, joint * 9, turn, 0, pose.turns, joint * 9)
  })
  return next
}

function stepOf(
  model: BodyModel,
  body: PosedBody,
  pose: Pose,
  seen: SeenJoints,
  movable: readonly number[],
  noiseM: number,
  damping: number,
): Float64Array {
  const { normal, right, size } = poseEquations(model, body, pose, seen, movable, noiseM, null)
  for (let i = 0; i < size; i++) normal[i * (size + 1)] = at(normal, i * (size + 1)) * (1 + damping)
  return solveCholesky(normal, right, size) ? right : new Float64Array(size)
}
