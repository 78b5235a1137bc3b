/** A posed body: where every joint is when each turns against its parent. */
import { at } from '../numeric/dense.ts'
import { multiply } from '../numeric/rotation.ts'
import type { BodyModel } from './body-model.ts'

export interface Pose {
  /** Where the root is, metres. */
  root: Float64Array
  /** Rotation of each joint against its parent, 3 × 3 each; the root's against the room. */
  turns: Float64Array
}

export interface PosedBody {
  /** Rotation of each joint against the room, 3 × 3 each. */
  frames: Float64Array
  /** x, y, z of each joint in the room, metres. */
  places: Float64Array
}

export function uprightPose({ joints }: BodyModel): Pose {
  const turns = new Float64Array(joints * 9)
  for (let joint = 0; joint < joints; joint++) for (let i = 0; i < 9; i += 4) turns[joint * 9 + i] = 1
  return { root: new Float64Array(3), turns }
}

export function copyPose({ root, turns }: Pose): Pose {
  return { root: root.slice(), turns: turns.slice() }
}

/** Forward kinematics: P_k = P_parent + G_parent · (J_k − J_parent), G_k = G_parent · R_k. */
export function posed({ joints, parents }: BodyModel, rest: Float64Array, { root, turns }: Pose): PosedBody {
  const frames = new Float64Array(joints * 9)
  const places = new Float64Array(joints * 3)
  for (let joint = 0; joint < joints; joint++) {
    const parent = at(parents, joint)
    if (parent < 0) {
      frames.set(turns.subarray(joint * 9, joint * 9 + 9), joint * 9)
      places.set(root, joint * 3)
      continue
    }
    multiply(frames, joint * 9, frames, parent * 9, turns, joint * 9)
    const bone = turned(frames, parent * 9, boneOf(rest, joint, parent))
    for (let axis = 0; axis < 3; axis++)
      places[joint * 3 + axis] = at(places, parent * 3 + axis) + at(bone, axis)
  }
  return { frames, places }
}

/** From the parent to the joint. */
export function boneOf(places: ArrayLike<number>, joint: number, parent: number): number[] {
  return [0, 1, 2].map((axis) => at(places, joint * 3 + axis) - at(places, parent * 3 + axis))
}

export function turned(
  frames: ArrayLike<number>,
  offset: number,
  [x = 0, y = 0, z = 0]: readonly number[],
): number[] {
  return [0, 3, 6].map(
    (row) =>
      at(frames, offset + row) * x + at(frames, offset + row + 1) * y + at(frames, offset + row + 2) * z,
  )
}
