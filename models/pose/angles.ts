/** Joint angles as one camera sees them. They are projections: an arm towards the camera looks straight whatever its elbow does. */
import type { CocoJoint, Keypoint } from './skeleton.ts'
import { COCO_17 } from './skeleton.ts'

export type AngleName =
  | 'left_elbow'
  | 'right_elbow'
  | 'left_shoulder'
  | 'right_shoulder'
  | 'left_hip'
  | 'right_hip'
  | 'left_knee'
  | 'right_knee'

export interface JointAngle {
  name: AngleName
  /** Between the two bones at the joint, 0 to 180; 180 is straight. Null when a joint is not seen well enough. */
  degrees: number | null
  /** The least score of the three joints. */
  score: number
  kind: '2d-projection'
}

/** The joint and its two neighbours. */
const ANGLES: Readonly<Record<AngleName, readonly [CocoJoint, CocoJoint, CocoJoint]>> = {
  left_elbow: ['left_shoulder', 'left_elbow', 'left_wrist'],
  right_elbow: ['right_shoulder', 'right_elbow', 'right_wrist'],
  left_shoulder: ['left_hip', 'left_shoulder', 'left_elbow'],
  right_shoulder: ['right_hip', 'right_shoulder', 'right_elbow'],
  left_hip: ['left_shoulder', 'left_hip', 'left_knee'],
  right_hip: ['right_shoulder', 'right_hip', 'right_knee'],
  left_knee: ['left_hip', 'left_knee', 'left_ankle'],
  right_knee: ['right_hip', 'right_knee', 'right_ankle'],
}
/** Below this an angle is null rather than a guess. */
const MIN_JOINT_SCORE = 0.5

export function jointAngles(keypoints: readonly Keypoint[]): JointAngle[] {
  const of = (joint: CocoJoint) => keypoints[COCO_17.indexOf(joint)] ?? { x: 0, y: 0, score: 0 }
  return (Object.keys(ANGLES) as AngleName[]).map((name) => {
    const [a, joint, b] = ANGLES[name].map(of) as [Keypoint, Keypoint, Keypoint]
    const score = Math.min(a.score, joint.score, b.score)
    return {
      name,
      degrees: score < MIN_JOINT_SCORE ? null : between(a, joint, b),
      score,
      kind: '2d-projection',
    }
  })
}

/** Null when two of the points coincide and no angle exists. */
function between(a: Keypoint, joint: Keypoint, b: Keypoint): number | null {
  const ax = a.x - joint.x
  const ay = a.y - joint.y
  const bx = b.x - joint.x
  const by = b.y - joint.y
  if ((ax === 0 && ay === 0) || (bx === 0 && by === 0)) return null
  return Math.abs((Math.atan2(ax * by - ay * bx, ax * bx + ay * by) * 180) / Math.PI)
}
