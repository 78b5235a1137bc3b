/** OpenPose-style 2D poses of every camera and frame: `{"cam01":[{"people":[{"pose_keypoints_2d":[x,y,score,…]}]}]}`. */
import { UnreadableInput } from '../unreadable.ts'

/** One person in one frame of one camera: x, y, score per keypoint; null when this camera does not see the person. */
export type Keypoints = readonly number[] | null

export interface CameraPoses {
  camera: string
  frames: readonly (readonly Keypoints[])[]
}

const MAX_FRAMES = 200_000
const MAX_PEOPLE = 100
const MAX_KEYPOINTS = 200

/** Throws UnreadableInput saying where the shape is another one. */
export function parsePoses(input: unknown): CameraPoses[] {
  if (!isObject(input))
    throw new UnreadableInput('2D poses are an object with one list of frames per camera.')
  return Object.entries(input).map(([camera, frames]) => {
    if (!Array.isArray(frames) || frames.length > MAX_FRAMES)
      throw new UnreadableInput(`Camera ${camera} needs a list of at most ${MAX_FRAMES} frames.`)
    return {
      camera,
      frames: frames.map((frame: unknown, index) => peopleOf(frame, `${camera}, frame ${index}`)),
    }
  })
}

function peopleOf(frame: unknown, where: string): Keypoints[] {
  const people = isObject(frame) ? frame['people'] : undefined
  if (!Array.isArray(people) || people.length > MAX_PEOPLE)
    throw new UnreadableInput(`${where} needs a list "people" of at most ${MAX_PEOPLE}.`)
  return people.map((person: unknown) => keypointsOf(person, where))
}

/** An empty object stands for a camera that was left out for this person. */
function keypointsOf(person: unknown, where: string): Keypoints {
  const keypoints = isObject(person) ? (person['pose_keypoints_2d'] ?? []) : undefined
  if (!isNumbers(keypoints) || keypoints.length % 3 !== 0 || keypoints.length > MAX_KEYPOINTS * 3)
    throw new UnreadableInput(`${where} needs x, y and score per keypoint in "pose_keypoints_2d".`)
  return keypoints.length === 0 ? null : keypoints
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'number')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
