/** Axis-aligned boxes in pixels: left, top, width, height. */
export interface Box {
  x: number
  y: number
  w: number
  h: number
}

/**
 * Intersection over union of two boxes, 0 to 1; boxes without area overlap nothing. `edgePx` widens every side length: 1 counts
 * the pixels that a box covers when its right and bottom edges belong to it, as the reference trackers do.
 */
export function iou(a: Box, b: Box, edgePx = 0): number {
  const width = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x) + edgePx
  if (width <= 0) return 0
  const height = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y) + edgePx
  if (height <= 0) return 0
  const common = width * height
  return common / ((a.w + edgePx) * (a.h + edgePx) + (b.w + edgePx) * (b.h + edgePx) - common)
}
