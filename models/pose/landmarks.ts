/** Reads the output of BlazePose's landmark model: 33 landmarks, and two points that say where to look in the next frame. */
import { type Region, toFrame } from '../detect/frame.ts'
import { regionOfCircle } from './region.ts'

/** A landmark in frame pixels; `z` is depth from the middle of the hips in the same scale, smaller is nearer. */
export interface Landmark {
  x: number
  y: number
  z: number
  /** How likely the landmark is in the picture and not hidden, 0 to 1. */
  score: number
}

/** A landmark in metres around the middle of the hips, as the model guesses from one view: x right, y down, z away. */
export interface WorldPoint {
  x: number
  y: number
  z: number
}

export interface Landmarks {
  /** How likely the region holds a person at all, 0 to 1. */
  presence: number
  landmarks: Landmark[]
  world: WorldPoint[]
  /** Where the model itself believes the body to be: the region of the next frame, or of a second look. */
  next: Region
}

export const LANDMARK_SIDE = 256
/** RGB from 0 to 1; black outside. */
export const LANDMARK_ENCODING = { order: 'rgb', scale: 1 / 255, offset: 0, outside: 0 } as const
export const LANDMARKS = 33
const VALUES = 5
const HIPS = 33
const CIRCLE = 34

export function decodeLandmarks(
  output: { landmarks: Float32Array; presence: Float32Array; world: Float32Array },
  region: Region,
): Landmarks {
  const value = (landmark: number, at: number) => output.landmarks[landmark * VALUES + at] ?? 0
  const place = (landmark: number) =>
    toFrame(region, value(landmark, 0) / LANDMARK_SIDE, value(landmark, 1) / LANDMARK_SIDE)
  const indices = Array.from({ length: LANDMARKS }, (_, landmark) => landmark)
  return {
    presence: output.presence[0] ?? 0,
    landmarks: indices.map((landmark) => ({
      ...place(landmark),
      z: (value(landmark, 2) / LANDMARK_SIDE) * region.size,
      score: Math.min(sigmoid(value(landmark, 3)), sigmoid(value(landmark, 4))),
    })),
    world: indices.map((landmark) => turned(output.world, landmark, region.rotation)),
    next: regionOfCircle(place(HIPS), place(CIRCLE)),
  }
}

/** The model sees an upright body; its metres are turned back with the picture. */
function turned(world: Float32Array, landmark: number, rotation: number): WorldPoint {
  const x = world[landmark * 3] ?? 0
  const y = world[landmark * 3 + 1] ?? 0
  const cos = Math.cos(rotation)
  const sin = Math.sin(rotation)
  return { x: x * cos - y * sin, y: x * sin + y * cos, z: world[landmark * 3 + 2] ?? 0 }
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}
