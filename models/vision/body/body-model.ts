/** A body as a tree of joints whose places at rest depend linearly on shape numbers: all that fitting to joints needs. */
import { at } from '../numeric/dense.ts'
import { UnreadableInput } from '../unreadable.ts'
import { type NumberArray, readNpz } from './npz.ts'

/** SMPL's joints in SMPL's order; models with more joints (hands, face) begin with the same ones. */
export const JOINT_NAMES = [
  'pelvis',
  'l_hip',
  'r_hip',
  'spine1',
  'l_knee',
  'r_knee',
  'spine2',
  'l_ankle',
  'r_ankle',
  'spine3',
  'l_foot',
  'r_foot',
  'neck',
  'l_collar',
  'r_collar',
  'head',
  'l_shoulder',
  'r_shoulder',
  'l_elbow',
  'r_elbow',
  'l_wrist',
  'r_wrist',
  'l_hand',
  'r_hand',
] as const

export type JointName = (typeof JOINT_NAMES)[number]

export interface BodyModel {
  joints: number
  shapes: number
  /** -1 for the root; a parent stands before its children. */
  parents: Int32Array
  /** Joints at rest with all shape numbers zero: x, y, z each, metres. */
  rest: Float64Array
  /** How a rest coordinate moves per unit of each shape number: joints × 3 × shapes. */
  byShape: Float64Array
}

/** More shape numbers than these are not identifiable from joints (10 of SMPL-X's 400 carry nearly all). */
const MAX_SHAPES = 10
const MAX_JOINTS = 64
const NO_PARENT = 0xffffffff

/**
 * The joints of an SMPL-layout .npz (SMPL, SMPL-X, or an open model in the same layout): rest places are J_regressor ×
 * v_template, shape directions J_regressor × shapedirs. The user brings the licensed file; nothing of it is kept but this.
 * Throws UnreadableInput naming the array that is missing or has another shape.
 */
export function bodyModelFromNpz(bytes: Buffer): BodyModel {
  const arrays = readNpz(bytes, ['v_template', 'shapedirs', 'J_regressor', 'kintree_table'])
  const template = arrayOf(arrays, 'v_template')
  const [points = 0] = template.shape
  const tree = arrayOf(arrays, 'kintree_table')
  const [, joints = 0] = tree.shape
  const directions = arrayOf(arrays, 'shapedirs')
  const [, , allShapes = 0] = directions.shape
  const regressor = arrayOf(arrays, 'J_regressor')
  check('v_template', template, [points, 3])
  check('kintree_table', tree, [2, joints])
  check('shapedirs', directions, [points, 3, allShapes])
  check('J_regressor', regressor, [joints, points])
  if (joints < JOINT_NAMES.length || joints > MAX_JOINTS)
    throw new UnreadableInput(
      `The model has ${joints} joints; ${JOINT_NAMES.length} to ${MAX_JOINTS} are read.`,
    )
  const shapes = Math.min(allShapes, MAX_SHAPES)
  const rest = new Float64Array(joints * 3)
  const byShape = new Float64Array(joints * 3 * shapes)
  for (let joint = 0; joint < joints; joint++)
    for (let point = 0; point < points; point++) {
      const weight = at(regressor.values, joint * points + point)
      if (weight === 0) continue
      for (let axis = 0; axis < 3; axis++) {
        const to = joint * 3 + axis
        const from = point * 3 + axis
        rest[to] = at(rest, to) + weight * at(template.values, from)
        for (let shape = 0; shape < shapes; shape++)
          byShape[to * shapes + shape] =
            at(byShape, to * shapes + shape) + weight * at(directions.values, from * allShapes + shape)
      }
    }
  return { joints, shapes, parents: parentsOf(tree.values.subarray(0, joints)), rest, byShape }
}

function arrayOf(arrays: Map<string, NumberArray>, key: string): NumberArray {
  const array = arrays.get(key)
  if (!array) throw new UnreadableInput(`The body model has no array ${key}.`)
  if (!array.values.every(Number.isFinite))
    throw new UnreadableInput(`Array ${key} holds values that are not finite.`)
  return array
}

function check(key: string, { shape }: NumberArray, expected: readonly number[]): void {
  if (shape.length !== expected.length || shape.some((side, index) => side !== expected[index] || side === 0))
    throw new UnreadableInput(`Array ${key} has shape (${shape.join(', ')}), not (${expected.join(', ')}).`)
}

function parentsOf(row: Float64Array): Int32Array {
  return Int32Array.from(row, (parent, joint) => {
    const root = parent === NO_PARENT || parent === -1
    if (joint === 0 ? !root : !(Number.isInteger(parent) && parent >= 0 && parent < joint))
      throw new UnreadableInput('kintree_table must begin with the root and name parents before children.')
    return root ? -1 : parent
  })
}

/** Rest joints of a body with these shape numbers. */
export function restJoints({ rest, byShape, shapes }: BodyModel, beta: Float64Array): Float64Array {
  return rest.map((value, index) => {
    let sum = value
    for (let shape = 0; shape < shapes; shape++) sum += at(byShape, index * shapes + shape) * at(beta, shape)
    return sum
  })
}

/** Distance of each joint from its parent, metres; 0 for the root. */
export function boneLengths({ parents }: BodyModel, joints: ArrayLike<number>): Float64Array {
  return Float64Array.from(parents, (parent, joint) => (parent < 0 ? 0 : distance(joints, joint, parent)))
}

export function distance(joints: ArrayLike<number>, a: number, b: number): number {
  return Math.hypot(
    at(joints, a * 3) - at(joints, b * 3),
    at(joints, a * 3 + 1) - at(joints, b * 3 + 1),
    at(joints, a * 3 + 2) - at(joints, b * 3 + 2),
  )
}
