/** Names and order of the joints that we speak of: BlazePose's 33, COCO's 17 of them, and the bones between. */
import type { Landmark } from './landmarks.ts'

export const BLAZEPOSE_33 = [
  'nose',
  'left_eye_inner',
  'left_eye',
  'left_eye_outer',
  'right_eye_inner',
  'right_eye',
  'right_eye_outer',
  'left_ear',
  'right_ear',
  'mouth_left',
  'mouth_right',
  'left_shoulder',
  'right_shoulder',
  'left_elbow',
  'right_elbow',
  'left_wrist',
  'right_wrist',
  'left_pinky',
  'right_pinky',
  'left_index',
  'right_index',
  'left_thumb',
  'right_thumb',
  'left_hip',
  'right_hip',
  'left_knee',
  'right_knee',
  'left_ankle',
  'right_ankle',
  'left_heel',
  'right_heel',
  'left_foot_index',
  'right_foot_index',
] as const
export type BlazePoseJoint = (typeof BLAZEPOSE_33)[number]

export const COCO_17 = [
  'nose',
  'left_eye',
  'right_eye',
  'left_ear',
  'right_ear',
  'left_shoulder',
  'right_shoulder',
  'left_elbow',
  'right_elbow',
  'left_wrist',
  'right_wrist',
  'left_hip',
  'right_hip',
  'left_knee',
  'right_knee',
  'left_ankle',
  'right_ankle',
] as const satisfies readonly BlazePoseJoint[]
export type CocoJoint = (typeof COCO_17)[number]

/** Pairs of COCO joints that a drawn skeleton connects. */
export const COCO_BONES: readonly (readonly [CocoJoint, CocoJoint])[] = [
  ['left_shoulder', 'right_shoulder'],
  ['left_shoulder', 'left_elbow'],
  ['left_elbow', 'left_wrist'],
  ['right_shoulder', 'right_elbow'],
  ['right_elbow', 'right_wrist'],
  ['left_shoulder', 'left_hip'],
  ['right_shoulder', 'right_hip'],
  ['left_hip', 'right_hip'],
  ['left_hip', 'left_knee'],
  ['left_knee', 'left_ankle'],
  ['right_hip', 'right_knee'],
  ['right_knee', 'right_ankle'],
  ['nose', 'left_eye'],
  ['nose', 'right_eye'],
  ['left_eye', 'left_ear'],
  ['right_eye', 'right_ear'],
]

export interface Keypoint {
  x: number
  y: number
  score: number
}

const PLACES = COCO_17.map((joint) => BLAZEPOSE_33.indexOf(joint))

/** COCO's 17 keypoints out of BlazePose's 33; both name left and right from the person's own view. */
export function cocoOf(landmarks: readonly Landmark[]): Keypoint[] {
  return PLACES.map((place) => {
    const { x, y, score } = landmarks[place] ?? { x: 0, y: 0, score: 0 }
    return { x, y, score }
  })
}
