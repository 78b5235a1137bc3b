/** A first guess of a pose, joint by joint from the root, so that the fit begins near its goal. */
import { at } from '../numeric/dense.ts'
import { axesOf, multiply, rotationOf, swing, transposed } from '../numeric/rotation.ts'
import { type BodyModel, JOINT_NAMES, type JointName } from './body-model.ts'
import { boneOf, type Pose, turned, uprightPose } from './pose.ts'

/** Joints of one frame: x, y, z each, NaN where nothing was seen. */
export type SeenJoints = Float64Array

const indexOf = (name: JointName) => JOINT_NAMES.indexOf(name)
const LEFT_HIP = indexOf('l_hip')
const RIGHT_HIP = indexOf('r_hip')
const LEFT_SHOULDER = indexOf('l_shoulder')
const RIGHT_SHOULDER = indexOf('r_shoulder')

/** A body whose torso is not seen may face anywhere. */
const YAWS: readonly number[] = [0, Math.PI / 2, Math.PI, -Math.PI / 2]

/**
 * Guesses to try: one when hips and shoulders were seen, which give the root, else one for each of four directions. From the root
 * on, each joint is swung so that its bone points at the child that was seen. `up` is the room's vertical axis.
 */
export function startPoses(model: BodyModel, rest: Float64Array, seen: SeenJoints, up: number): Pose[] {
  const torso = turnBetween(torsoAxes(rest), torsoAxes(seen))
  if (torso) return [startPose(model, rest, seen, torso)]
  return YAWS.map((yaw) => {
    const [x = 0, y = 0, z = 0] = [0, 1, 2].map((axis) => (axis === up ? yaw : 0))
    return startPose(model, rest, seen, rotationOf(x, y, z))
  })
}

function startPose(model: BodyModel, rest: Float64Array, seen: SeenJoints, torso: Float64Array): Pose {
  const pose = uprightPose(model)
  const frames = new Float64Array(model.joints * 9)
  pose.turns.set(torso, 0)
  frames.set(torso, 0)
  for (let joint = 1; joint < model.joints; joint++) {
    pose.turns.set(swingToChild(model, rest, seen, frames, joint), joint * 9)
    multiply(frames, joint * 9, frames, at(model.parents, joint) * 9, pose.turns, joint * 9)
  }
  pose.root.set(rootPlace(model, rest, seen, frames))
  return pose
}

function turnBetween(from: Float64Array | null, to: Float64Array | null): Float64Array | null {
  if (!from || !to) return null
  const turn = new Float64Array(9)
  multiply(turn, 0, to, 0, transposed(from), 0)
  return turn
}

function torsoAxes(places: Float64Array): Float64Array | null {
  const middle = (a: number, b: number) =>
    [0, 1, 2].map((axis) => (at(places, a * 3 + axis) + at(places, b * 3 + axis)) / 2)
  const hips = middle(LEFT_HIP, RIGHT_HIP)
  const spine = middle(LEFT_SHOULDER, RIGHT_SHOULDER).map((value, axis) => value - at(hips, axis))
  const across = boneOf(places, LEFT_HIP, RIGHT_HIP)
  return [...spine, ...across].every(Number.isFinite) ? axesOf(spine, across) : null
}

/** Joints with several children (the chest) keep their rest turn here; the fit finds it. */
function swingToChild(
  { parents }: BodyModel,
  rest: Float64Array,
  seen: SeenJoints,
  frames: Float64Array,
  joint: number,
): Float64Array {
  const children = [...parents.keys()].filter((child) => at(parents, child) === joint)
  const [child] = children
  const parent = at(parents, joint)
  if (child === undefined || children.length > 1) return rotationOf(0, 0, 0)
  const wanted = boneOf(seen, child, joint)
  if (!wanted.every(Number.isFinite)) return rotationOf(0, 0, 0)
  const back = transposed(frames.slice(parent * 9, parent * 9 + 9))
  return swing(boneOf(rest, child, joint), turned(back, 0, wanted))
}

/** Puts the body where its joints are on average. */
function rootPlace(
  { joints, parents }: BodyModel,
  rest: Float64Array,
  seen: SeenJoints,
  frames: Float64Array,
): number[] {
  const reach = new Float64Array(joints * 3)
  const sum = [0, 0, 0]
  let count = 0
  for (let joint = 0; joint < joints; joint++) {
    const parent = at(parents, joint)
    if (parent >= 0) {
      const bone = turned(frames, parent * 9, boneOf(rest, joint, parent))
      for (let axis = 0; axis < 3; axis++)
        reach[joint * 3 + axis] = at(reach, parent * 3 + axis) + at(bone, axis)
    }
    if (Number.isNaN(at(seen, joint * 3))) continue
    count += 1
    for (let axis = 0; axis < 3; axis++)
      sum[axis] = at(sum, axis) + at(seen, joint * 3 + axis) - at(reach, joint * 3 + axis)
  }
  return sum.map((value) => value / Math.max(1, count))
}
