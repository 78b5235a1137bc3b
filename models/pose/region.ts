/** Which square of the picture the landmark model looks at: as large as the body, turned so that the body stands upright. */
import type { Region } from '../detect/frame.ts'
import type { Box } from '../vision/boxes.ts'

interface Point {
  x: number
  y: number
}

/** How much larger than the body's circle the square is (MediaPipe's pose_detection_to_roi). */
const MARGIN = 1.25

/** The square around a body whose hips and a point of the surrounding circle, towards the head, are known. */
export function regionOfCircle(hips: Point, top: Point): Region {
  const right = top.x - hips.x
  const down = top.y - hips.y
  return {
    cx: hips.x,
    cy: hips.y,
    size: 2 * Math.hypot(right, down) * MARGIN,
    rotation: Math.atan2(right, -down),
  }
}

/** The upright square around a person's box. */
export function regionOfBox({ x, y, w, h }: Box): Region {
  return { cx: x + w / 2, cy: y + h / 2, size: Math.max(w, h) * MARGIN, rotation: 0 }
}
