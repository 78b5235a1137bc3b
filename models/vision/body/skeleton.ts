/**
 * The hub's own body: a stick figure with the joints of SMPL's layout, lengths that vary among people, and no licence to ask
 * for. Segment lengths are shares of stature by Drillis & Contini (1966), as printed in Winter (2009), figure 4.1: thigh .245,
 * shank .246, upper arm .186, forearm .146, half shoulder breadth .129, shoulder height .818, hip height .530; what the figure
 * does not give (the spine's parts, collars, hip centres) is divided in proportion.
 */
import { at } from '../numeric/dense.ts'
import { type BodyModel, JOINT_NAMES, type JointName } from './body-model.ts'

/** Standing in a T, metres; people from child to adult are this times the first length. */
const STATURE_M = 1.7

/**
 * Lengths that vary, with their spread relative to the length itself, left and right alike. Limbs vary little beside stature; where
 * hips, spine joints and collars are put differs between pose models, so these are nearly free.
 */
const LENGTHS = {
  stature: 0.15,
  thigh: 0.06,
  shank: 0.06,
  foot: 0.2,
  hips: 0.4,
  lowerSpine: 0.5,
  middleSpine: 0.5,
  upperSpine: 1.5,
  neck: 0.5,
  head: 0.5,
  collars: 0.5,
  shoulders: 0.3,
  upperArm: 0.08,
  forearm: 0.08,
  hand: 0.3,
} as const

type Length = keyof typeof LENGTHS

interface Bone {
  parent: JointName
  length: Length
  /** From the parent, shares of stature: to the body's left, up, forwards. */
  offset: readonly [number, number, number]
}

const LEFT_BONES: Partial<Record<JointName, Bone>> = {
  l_hip: { parent: 'pelvis', length: 'hips', offset: [0.05, -0.035, 0] },
  l_knee: { parent: 'l_hip', length: 'thigh', offset: [0, -0.245, 0] },
  l_ankle: { parent: 'l_knee', length: 'shank', offset: [0, -0.246, 0] },
  l_foot: { parent: 'l_ankle', length: 'foot', offset: [0, -0.032, 0.08] },
  l_collar: { parent: 'spine3', length: 'collars', offset: [0.04, 0.07, 0] },
  l_shoulder: { parent: 'l_collar', length: 'shoulders', offset: [0.089, 0.018, 0] },
  l_elbow: { parent: 'l_shoulder', length: 'upperArm', offset: [0.186, 0, 0] },
  l_wrist: { parent: 'l_elbow', length: 'forearm', offset: [0.146, 0, 0] },
  l_hand: { parent: 'l_wrist', length: 'hand', offset: [0.05, 0, 0] },
}

const BONES: Partial<Record<JointName, Bone>> = {
  ...LEFT_BONES,
  ...Object.fromEntries(Object.entries(LEFT_BONES).map(([joint, bone]) => [right(joint), mirrored(bone)])),
  spine1: { parent: 'pelvis', length: 'lowerSpine', offset: [0, 0.06, 0] },
  spine2: { parent: 'spine1', length: 'middleSpine', offset: [0, 0.075, 0] },
  spine3: { parent: 'spine2', length: 'upperSpine', offset: [0, 0.03, 0] },
  neck: { parent: 'spine3', length: 'neck', offset: [0, 0.105, 0] },
  head: { parent: 'neck', length: 'head', offset: [0, 0.055, 0.01] },
}

function right(joint: string): string {
  return joint.replace(/^l_/, 'r_')
}

function mirrored({ parent, length, offset: [left, up, forwards] }: Bone): Bone {
  const other = JOINT_NAMES.find((name) => name === right(parent)) ?? parent
  return { parent: other, length, offset: [-left, up, forwards] }
}

/** Shape number k is how many spreads the k-th of LENGTHS is from its mean, the first scaling the whole body. */
export function kinematicSkeleton(): BodyModel {
  const lengths = Object.keys(LENGTHS)
  const shapes = lengths.length
  const joints = JOINT_NAMES.length
  const parents = new Int32Array(joints).fill(-1)
  const rest = new Float64Array(joints * 3)
  const byShape = new Float64Array(joints * 3 * shapes)
  JOINT_NAMES.forEach((name, joint) => {
    const bone = BONES[name]
    if (!bone) return
    const parent = JOINT_NAMES.indexOf(bone.parent)
    parents[joint] = parent
    for (let axis = 0; axis < 3; axis++) {
      const [to, from] = [joint * 3 + axis, parent * 3 + axis]
      const metres = at(bone.offset, axis) * STATURE_M
      rest[to] = at(rest, from) + metres
      for (let shape = 0; shape < shapes; shape++)
        byShape[to * shapes + shape] = at(byShape, from * shapes + shape)
      for (const varying of ['stature', bone.length] as const) {
        const cell = to * shapes + lengths.indexOf(varying)
        byShape[cell] = at(byShape, cell) + metres * LENGTHS[varying]
      }
    }
  })
  return { joints, shapes, parents, rest, byShape }
}

/** Names of the shape numbers of `kinematicSkeleton`, in order. */
export const SKELETON_LENGTHS: readonly string[] = Object.keys(LENGTHS)
