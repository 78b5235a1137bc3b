/** Which keypoint of a 2D pose model is which marker of a 3D recording, in the order Pose2Sim writes them. */
export interface Marker {
  name: string
  keypoint: number
}

const BODY_25B: readonly Marker[] = [
  { name: 'RHip', keypoint: 12 },
  { name: 'RKnee', keypoint: 14 },
  { name: 'RAnkle', keypoint: 16 },
  { name: 'RBigToe', keypoint: 22 },
  { name: 'RSmallToe', keypoint: 23 },
  { name: 'RHeel', keypoint: 24 },
  { name: 'LHip', keypoint: 11 },
  { name: 'LKnee', keypoint: 13 },
  { name: 'LAnkle', keypoint: 15 },
  { name: 'LBigToe', keypoint: 19 },
  { name: 'LSmallToe', keypoint: 20 },
  { name: 'LHeel', keypoint: 21 },
  { name: 'Neck', keypoint: 17 },
  { name: 'Head', keypoint: 18 },
  { name: 'Nose', keypoint: 0 },
  { name: 'RShoulder', keypoint: 6 },
  { name: 'RElbow', keypoint: 8 },
  { name: 'RWrist', keypoint: 10 },
  { name: 'LShoulder', keypoint: 5 },
  { name: 'LElbow', keypoint: 7 },
  { name: 'LWrist', keypoint: 9 },
]

/** BODY_25B begins with COCO's seventeen keypoints, so the markers that COCO has keep their numbers. */
const COCO_17: readonly Marker[] = BODY_25B.filter(({ keypoint }) => keypoint < 17)

/** Markers by how many keypoints the pose model has; null for a model that is not known. */
export function markersFor(keypoints: number): readonly Marker[] | null {
  if (keypoints === 25) return BODY_25B
  return keypoints === 17 ? COCO_17 : null
}
