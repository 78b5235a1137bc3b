/** Moves a person's box with the body inside it, between two looks of the detector. */
import type { Region } from '../detect/frame.ts'
import { type Box, iou } from '../vision/boxes.ts'

/** How much larger or smaller a body may become from one frame to the next; beyond it the landmarks jumped to something else. */
const MOST_GROWTH = 1.5

/** The box after the body inside it went from `before` to `now`; null when that is no movement of one body. */
export function carryBox(box: Box, before: Box, now: Box): Box | null {
  const growth = Math.max(now.w, now.h) / Math.max(before.w, before.h)
  if (!(growth < MOST_GROWTH && growth > 1 / MOST_GROWTH)) return null
  const cx = box.x + box.w / 2 + (now.x + now.w / 2 - before.x - before.w / 2)
  const cy = box.y + box.h / 2 + (now.y + now.h / 2 - before.y - before.h / 2)
  const w = box.w * Math.sqrt(growth)
  const h = box.h * Math.sqrt(growth)
  return { x: cx - w / 2, y: cy - h / 2, w, h }
}

/** Whether two body regions look at the same body. */
export function isSameRegion(a: Region, b: Region): boolean {
  const larger = Math.max(a.size, b.size)
  return Math.hypot(a.cx - b.cx, a.cy - b.cy) < 0.12 * larger && larger < 1.5 * Math.min(a.size, b.size)
}

/** Whether landmarks belong to the person in a box: the body's own box overlaps it. */
export function belongs(body: Box, box: Box): boolean {
  return iou(body, box) >= 0.3
}
