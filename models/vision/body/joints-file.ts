/** Recorded 3D joints as a JSON document: `{"frames":[[[x,y,z] or null, …24], …], "up":"+y"}`, metres. */
import { UnreadableInput } from '../unreadable.ts'
import type { SeenJoints } from './start-pose.ts'

export interface JointRecording {
  frames: SeenJoints[]
  /** The room's vertical axis: 0, 1, 2 for x, y, z. */
  up: number
}

const MAX_FRAMES = 100_000
const AXES: readonly unknown[] = ['+x', '+y', '+z']

/** A joint that was not seen is null or has null coordinates. Throws UnreadableInput naming the frame and joint. */
export function parseJoints(input: unknown, joints: number): JointRecording {
  const { frames, up = '+y', unit = 'm' } = isObject(input) ? input : {}
  if (!Array.isArray(frames) || frames.length === 0 || frames.length > MAX_FRAMES)
    throw new UnreadableInput(`A joint recording has 1 to ${MAX_FRAMES} "frames" of ${joints} joints.`)
  const axis = AXES.indexOf(up)
  if (axis < 0) throw new UnreadableInput(`"up" is one of ${AXES.join(', ')}.`)
  if (unit !== 'm' && unit !== 'mm') throw new UnreadableInput('"unit" is m or mm.')
  const scale = unit === 'mm' ? 1e-3 : 1
  return {
    frames: frames.map((frame: unknown, index) => frameOf(frame, index, joints, scale)),
    up: axis,
  }
}

function frameOf(frame: unknown, index: number, joints: number, scale: number): SeenJoints {
  if (!Array.isArray(frame) || frame.length !== joints)
    throw new UnreadableInput(`Frame ${index} needs ${joints} joints in the model's order.`)
  const places = new Float64Array(joints * 3).fill(Number.NaN)
  frame.forEach((joint: unknown, number) => {
    if (joint === null) return
    if (!Array.isArray(joint) || joint.length !== 3 || !joint.every(isCoordinate))
      throw new UnreadableInput(
        `Frame ${index}, joint ${number} needs x, y, z in metres, or null when it was not seen.`,
      )
    const known = joint.filter((value) => value !== null)
    if (known.length === 3)
      places.set(
        known.map((value) => value * scale),
        number * 3,
      )
  })
  return places
}

function isCoordinate(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isFinite(value))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
