/** Reads the output of BlazePose's detector: its anchors and options are those of MediaPipe's pose_detection graph (Apache-2.0). */
import { type Region, toFrame } from './frame.ts'

/** Where the detector believes a person to be. Points are in frame pixels. */
export interface BodyCircle {
  score: number
  /** Middle of the hips. */
  hips: { x: number; y: number }
  /** A point on the circle around the whole body, in the direction of the head. */
  top: { x: number; y: number }
}

export const DETECTOR_SIDE = 224
/** RGB from -1 to 1; black outside. */
export const DETECTOR_ENCODING = { order: 'rgb', scale: 2 / 255, offset: -1, outside: 0 } as const

const VALUES_PER_ANCHOR = 12
/** Cell size in pixels and anchors a cell, in the order of the output. */
const LAYERS = [
  { stride: 8, anchors: 2 },
  { stride: 16, anchors: 2 },
  { stride: 32, anchors: 6 },
] as const

/** Centres of the anchors, both axes 0 to 1: x at even places, y at odd ones. All anchors have size 1. */
export function anchorCentres(): Float32Array {
  const centres: number[] = []
  for (const { stride, anchors } of LAYERS) {
    const cells = DETECTOR_SIDE / stride
    for (let cell = 0; cell < cells * cells; cell++)
      for (let anchor = 0; anchor < anchors; anchor++)
        centres.push(((cell % cells) + 0.5) / cells, (Math.floor(cell / cells) + 0.5) / cells)
  }
  return Float32Array.from(centres)
}

/** Every anchor whose score reaches `minScore`, placed in the frame that `region` was cut from; unsorted, duplicates included. */
export function decodeCircles(
  boxes: Float32Array,
  scores: Float32Array,
  centres: Float32Array,
  region: Region,
  minScore: number,
): BodyCircle[] {
  const minLogit = Math.log(minScore / (1 - minScore))
  const found: BodyCircle[] = []
  scores.forEach((logit, anchor) => {
    if (logit < minLogit) return
    const point = (at: number) => {
      const place = anchor * VALUES_PER_ANCHOR + at
      const u = (boxes[place] ?? 0) / DETECTOR_SIDE + (centres[anchor * 2] ?? 0)
      const v = (boxes[place + 1] ?? 0) / DETECTOR_SIDE + (centres[anchor * 2 + 1] ?? 0)
      return toFrame(region, u, v)
    }
    found.push({ score: 1 / (1 + Math.exp(-logit)), hips: point(4), top: point(6) })
  })
  return found
}
