/** Which person of a picture a finger means. */
import { contain, placer, type Size } from './geometry.ts'
import type { Overlay } from './pose.ts'

/** Fingers are wide: half of a target that can be hit, in pixels of the frame. */
const FINGER_PX = 22

/** The track under a place of the frame; of several the one whose middle is nearest. Null: nobody is there. */
export function trackAt(overlay: Overlay, frame: Size, at: { x: number; y: number }): number | null {
  const place = placer(contain(frame, overlay), overlay)
  let best: { trackId: number; away: number } | null = null
  for (const { trackId, box } of overlay.people) {
    const [left, top] = place(box.x, box.y)
    const [right, bottom] = place(box.x + box.w, box.y + box.h)
    const isNear =
      at.x >= left - FINGER_PX &&
      at.x <= right + FINGER_PX &&
      at.y >= top - FINGER_PX &&
      at.y <= bottom + FINGER_PX
    const away = Math.hypot(at.x - (left + right) / 2, at.y - (top + bottom) / 2)
    if (isNear && (best === null || away < best.away)) best = { trackId, away }
  }
  return best?.trackId ?? null
}
