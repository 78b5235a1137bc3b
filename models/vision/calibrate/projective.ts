/** The projective map of a plane in eight parameters, between coordinates centred and scaled so that its equations are well conditioned. */
import { at, singularVectors } from '../numeric/dense.ts'

export interface Point {
  x: number
  y: number
}

/** Centre and scale that bring points to mean distance √2 of the origin (Hartley 1997). */
export interface Frame {
  x: number
  y: number
  scale: number
}

export function frameOf(points: readonly Point[]): Frame {
  const n = points.length
  const x = points.reduce((sum, point) => sum + point.x, 0) / n
  const y = points.reduce((sum, point) => sum + point.y, 0) / n
  const distance = points.reduce((sum, point) => sum + Math.hypot(point.x - x, point.y - y), 0) / n
  return { x, y, scale: distance > 0 ? Math.SQRT2 / distance : 0 }
}

export function into(frame: Frame, point: Point): Point {
  return { x: (point.x - frame.x) * frame.scale, y: (point.y - frame.y) * frame.scale }
}

export function outOf(frame: Frame, point: Point): Point {
  return { x: point.x / frame.scale + frame.x, y: point.y / frame.scale + frame.y }
}

/** Below this share of the largest singular value the points leave the map open. */
const DEGENERATE = 1e-3

/**
 * Direct linear transform of plane points to image points, both in their frames: eight parameters, the ninth being 1 because
 * the middle of the points lies before the camera. Null when the points do not fix the map.
 */
export function directLinear(plane: readonly Point[], image: readonly Point[]): Float64Array | null {
  const rows = new Float64Array(plane.length * 18)
  plane.forEach(({ x, y }, index) => {
    const { x: u, y: v } = image[index] ?? { x: 0, y: 0 }
    rows.set([x, y, 1, 0, 0, 0, -u * x, -u * y, -u, 0, 0, 0, x, y, 1, -v * x, -v * y, -v], index * 18)
  })
  const { values, right } = singularVectors(rows, plane.length * 2, 9)
  const order = [...values.keys()].sort((a, b) => at(values, a) - at(values, b))
  const [least = 0, next = 0] = order
  if (at(values, next) < DEGENERATE * Math.max(...values)) return null
  const last = at(right, 8 * 9 + least)
  if (Math.abs(last) < DEGENERATE) return null
  const map = Float64Array.from({ length: 8 }, (_, row) => at(right, row * 9 + least) / last)
  return Math.abs(determinant(map)) < DEGENERATE ** 2 ? null : map
}

/** Positive in front of the camera, zero on the horizon. */
export function depthOf(map: Float64Array, { x, y }: Point): number {
  return at(map, 6) * x + at(map, 7) * y + 1
}

export function project(map: Float64Array, point: Point): Point {
  const depth = depthOf(map, point)
  const { x, y } = point
  return {
    x: (at(map, 0) * x + at(map, 1) * y + at(map, 2)) / depth,
    y: (at(map, 3) * x + at(map, 4) * y + at(map, 5)) / depth,
  }
}

/** The plane point that projects here; not finite on the horizon itself. */
export function unproject(map: Float64Array, { x: u, y: v }: Point): Point {
  const a = at(map, 0) - u * at(map, 6)
  const b = at(map, 1) - u * at(map, 7)
  const c = at(map, 3) - v * at(map, 6)
  const d = at(map, 4) - v * at(map, 7)
  const p = u - at(map, 2)
  const q = v - at(map, 5)
  const area = a * d - b * c
  return { x: (d * p - b * q) / area, y: (a * q - c * p) / area }
}

/** Rows of u and v: derivatives of the projection by the eight parameters. */
export function byParameters(map: Float64Array, point: Point): [number[], number[]] {
  const depth = depthOf(map, point)
  const { x: u, y: v } = project(map, point)
  const [x, y, one] = [point.x / depth, point.y / depth, 1 / depth]
  return [
    [x, y, one, 0, 0, 0, -u * x, -u * y],
    [0, 0, 0, x, y, one, -v * x, -v * y],
  ]
}

/** ∂u/∂x, ∂u/∂y, ∂v/∂x, ∂v/∂y. */
export function byPlace(map: Float64Array, point: Point): [number, number, number, number] {
  const depth = depthOf(map, point)
  const { x: u, y: v } = project(map, point)
  return [
    (at(map, 0) - u * at(map, 6)) / depth,
    (at(map, 1) - u * at(map, 7)) / depth,
    (at(map, 3) - v * at(map, 6)) / depth,
    (at(map, 4) - v * at(map, 7)) / depth,
  ]
}

function determinant(map: Float64Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = map
  return a * (e - f * h) - b * (d - f * g) + c * (d * h - e * g)
}
