/** Joint angles that a coach reads, from a body's joints. */
import { lowPass } from '../numeric/butterworth.ts'
import { JOINT_NAMES, type JointName } from './body-model.ts'

const ANGLES = [
  'knee_flexion_l',
  'knee_flexion_r',
  'elbow_flexion_l',
  'elbow_flexion_r',
  'hip_flexion_l',
  'hip_flexion_r',
  'trunk_lean',
] as const

/** Degrees; a straight limb and an upright trunk are 0. Null when a joint is not known. */
export type PoseAngles = Record<(typeof ANGLES)[number], number | null>

/** `joints` are x, y, z each in the body model's order; `up` is the room's vertical axis. */
export function poseAngles(joints: Float64Array, up = 1): PoseAngles {
  const flexion = (from: JointName, middle: JointName, to: JointName) =>
    known(180 - angle(between(joints, middle, from), between(joints, middle, to)))
  const upwards = [0, 1, 2].map((axis) => (axis === up ? 1 : 0))
  return {
    knee_flexion_l: flexion('l_hip', 'l_knee', 'l_ankle'),
    knee_flexion_r: flexion('r_hip', 'r_knee', 'r_ankle'),
    elbow_flexion_l: flexion('l_shoulder', 'l_elbow', 'l_wrist'),
    elbow_flexion_r: flexion('r_shoulder', 'r_elbow', 'r_wrist'),
    hip_flexion_l: flexion('neck', 'l_hip', 'l_knee'),
    hip_flexion_r: flexion('neck', 'r_hip', 'r_knee'),
    trunk_lean: known(angle(between(joints, 'pelvis', 'neck'), upwards)),
  }
}

/** Every angle over time without its tremble, as motion laboratories report it; unknown stays unknown. */
export function smoothAngles(frames: readonly PoseAngles[], cutoffHz: number, rateHz: number): PoseAngles[] {
  const curve = (name: keyof PoseAngles) =>
    lowPass(
      Float64Array.from(frames, (frame) => frame[name] ?? Number.NaN),
      cutoffHz,
      rateHz,
    )
  const curves = new Map(ANGLES.map((name) => [name, curve(name)]))
  return frames.map((frame, index) => {
    const smooth = { ...frame }
    for (const name of ANGLES) smooth[name] = known(curves.get(name)?.[index] ?? Number.NaN)
    return smooth
  })
}

function between(joints: Float64Array, from: JointName, to: JointName): number[] {
  const a = JOINT_NAMES.indexOf(from) * 3
  const b = JOINT_NAMES.indexOf(to) * 3
  return [0, 1, 2].map((axis) => (joints[b + axis] ?? Number.NaN) - (joints[a + axis] ?? Number.NaN))
}

/** Degrees between two directions. */
function angle(
  [ax = 0, ay = 0, az = 0]: readonly number[],
  [bx = 0, by = 0, bz = 0]: readonly number[],
): number {
  const across = Math.hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)
  return (Math.atan2(across, ax * bx + ay * by + az * bz) * 180) / Math.PI
}

function known(degrees: number): number | null {
  return Number.isFinite(degrees) ? degrees : null
}
