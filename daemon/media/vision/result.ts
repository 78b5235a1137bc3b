/** What the models saw in one picture, and how a camera's vision stands. */
import type { Landmark } from '../../../models/pose/landmarks.ts'
import type { Keypoint } from '../../../models/pose/skeleton.ts'
import type { Box } from '../../../models/vision/boxes.ts'

export interface UsedModel {
  name: string
  /** As its authors call it, else the beginning of its hash. */
  version: string
}

export interface SeenPerson {
  /** Unique within the camera, restarts included. */
  trackId: number
  /** In frame pixels; may reach beyond the frame. */
  box: Box
  score: number
  /** COCO's 17 in frame pixels, smoothed; score 0 where the pose model did not find the body in this picture. */
  keypoints: Keypoint[]
  /** BlazePose's 33, smoothed; null when the body was not found in this picture. */
  landmarks: Landmark[] | null
}

export interface VisionResult {
  cameraId: string
  frameSeq: number
  capturedAtMs: number
  analysedAtMs: number
  width: number
  height: number
  people: SeenPerson[]
  ball: { trackId: number; box: Box; score: number } | null
  models: { detector: UsedModel; pose: UsedModel | null }
}

export interface VisionState {
  state: 'starting' | 'running' | 'failed'
  detector: UsedModel | null
  pose: UsedModel | null
  /** Results a second lately; null before the first one. */
  fps: number | null
  /** Age of a picture when its result was there. */
  ageMsP50: number | null
  ageMsP99: number | null
  people: number
  /** Which models look, how often and why; what is wrong when it failed; what would make it better. */
  note: string
  analysed: number
  /** Pictures passed over because newer ones came or the models were busy. */
  skipped: number
  failed: number
}
