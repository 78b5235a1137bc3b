import type { Box } from '../vision/boxes.ts'
import type { Landmark } from './landmarks.ts'

/** BlazePose has no landmark on the crown: from the shoulders to the ears, and this much further, is where it lies. */
const CROWN = 0.6
/** Flesh and clothes around the landmarks, as parts of the body's longer side. */
const SIDE_MARGIN = 0.045
const END_MARGIN = 0.015
const EARS = [7, 8] as const
const SHOULDERS = [11, 12] as const

/** The upright box around a body with these landmarks, crown and soles included; it may reach beyond the frame. */
export function bodyBox(landmarks: readonly Landmark[]): Box {
  const ears = middle(landmarks, EARS)
  const shoulders = middle(landmarks, SHOULDERS)
  const crown = {
    x: ears.x + (ears.x - shoulders.x) * CROWN,
    y: ears.y + (ears.y - shoulders.y) * CROWN,
  }
  const points = [...landmarks, crown]
  const left = Math.min(...points.map(({ x }) => x))
  const right = Math.max(...points.map(({ x }) => x))
  const top = Math.min(...points.map(({ y }) => y))
  const bottom = Math.max(...points.map(({ y }) => y))
  const longer = Math.max(right - left, bottom - top)
  return {
    x: left - SIDE_MARGIN * longer,
    y: top,
    w: right - left + 2 * SIDE_MARGIN * longer,
    h: bottom - top + END_MARGIN * longer,
  }
}

function middle(landmarks: readonly Landmark[], [a, b]: readonly [number, number]): { x: number; y: number } {
  const first = landmarks[a] ?? { x: 0, y: 0 }
  const second = landmarks[b] ?? { x: 0, y: 0 }
  return { x: (first.x + second.x) / 2, y: (first.y + second.y) / 2 }
}
