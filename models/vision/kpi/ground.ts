/** Where on the pitch somebody stands, from the box and the joints that a calibrated camera saw. */
import type { Keypoint } from '../../pose/skeleton.ts'
import type { Box } from '../boxes.ts'
import { type GroundPoint, groundAt, type Homography } from '../calibrate/homography.ts'

export interface GroundPlan {
  homography: Homography
  /** Of the picture in which the points were tapped. */
  width: number
  height: number
  pitch: { length: number; width: number }
}

/** Why somebody has no place in metres. */
export type NoGround = 'uncalibrated' | 'feet_hidden' | 'too_far' | 'off_pitch'

/** A foot under a box is known to this many pixels of a picture 1280 wide. */
const FOOT_SD_PX = 3
const FOOT_SD_WIDTH = 1280
/** A place that is less certain than this is no place to take a speed from. */
const MOST_SD_M = 1.5
/** Touch lines are run over; spectators stand further away. */
const MARGIN_M = 8
const MIN_SCORE = 0.3
const LEFT_HIP = 11
const RIGHT_HIP = 12

/** The point on the ground below the hips, at the lower edge of the box; null where the feet are outside of the picture. */
export function footOf(
  box: Box,
  keypoints: readonly Keypoint[],
  pictureHeight: number,
): { x: number; y: number } | null {
  const bottom = box.y + box.h
  if (bottom >= pictureHeight - 1) return null
  const hips = [keypoints[LEFT_HIP], keypoints[RIGHT_HIP]]
  const [left, right] = hips.map((hip) => (hip && hip.score >= MIN_SCORE ? hip.x : null))
  const middle = left != null && right != null ? (left + right) / 2 : box.x + box.w / 2
  // Hips beside their own box belong to somebody else.
  return { x: Math.min(Math.max(middle, box.x), box.x + box.w), y: bottom }
}

/** Metres on the pitch, or why there are none. A picture of another size than the calibrated one is scaled when its shape is the same. */
export function placeOf(
  plan: GroundPlan | null,
  seen: { box: Box; keypoints: readonly Keypoint[]; width: number; height: number },
): { ground: GroundPoint } | { reason: NoGround } {
  if (plan === null) return { reason: 'uncalibrated' }
  const scale = plan.width / seen.width
  if (Math.abs(seen.height * scale - plan.height) > 2) return { reason: 'uncalibrated' }
  const foot = footOf(seen.box, seen.keypoints, seen.height)
  if (foot === null) return { reason: 'feet_hidden' }
  const sdPx = (FOOT_SD_PX * plan.width) / FOOT_SD_WIDTH
  const ground = groundAt(plan.homography, { x: foot.x * scale, y: foot.y * scale }, sdPx)
  if (ground === null || ground.sdM > MOST_SD_M) return { reason: 'too_far' }
  const { length, width } = plan.pitch
  const inside =
    ground.x > -MARGIN_M &&
    ground.x < length + MARGIN_M &&
    ground.y > -MARGIN_M &&
    ground.y < width + MARGIN_M
  return inside ? { ground } : { reason: 'off_pitch' }
}
