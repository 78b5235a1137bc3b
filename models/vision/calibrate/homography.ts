/** Calibrates a camera that looks at a pitch: from clicked points of known place to metres with their uncertainty. */
import { at, inverseOfPositive, solveCholesky } from '../numeric/dense.ts'
import { pointsThatAgree } from './agreement.ts'
import {
  byParameters,
  byPlace,
  depthOf,
  directLinear,
  type Frame,
  frameOf,
  into,
  outOf,
  type Point,
  project,
  unproject,
} from './projective.ts'

/** A spot on the ground and where it is seen. */
export interface PitchPoint {
  pixel: Point
  metres: Point
}

/** Plain numbers, so that a calibration can be stored as JSON. */
export interface Homography {
  /** Eight parameters from metres to pixels between `plane` and `image`. */
  map: number[]
  plane: Frame
  image: Frame
  /** 8 × 8 covariance of the parameters. */
  covariance: number[]
  /** Standard deviation of a clicked point: as assumed, or as the leftover error says when that is larger. */
  pixelSd: number
  /** Distance in pixels between each clicked point and where the map puts it; outliers included. */
  reprojectionPx: number[]
  /** Over the points in use. */
  rmsPx: number
  /** Points left out because they contradict the rest; indices into the points given. */
  outliers: number[]
}

export type HomographyFit = { ok: true; homography: Homography } | { ok: false; reason: string }

export interface HomographyOptions {
  /** How exactly a point is clicked; 2 px is a careful finger on a phone's picture of the pitch. */
  pixelSd?: number
  /** Finds and leaves out wrong points when there are at least six. */
  robust?: boolean
}

const CLICK_SD_PX = 2
const MAX_POINTS = 40
const MAX_ROUNDS = 50
const SETTLED = 1e-12
const DEGENERATE = 'The points lie (almost) on one line; click at least four with no three on a line.'
const CROSSED = 'The points do not match one flat pitch; check that each is at its own place on the plan.'

/**
 * Normalised direct linear transform (Hartley & Zisserman 2004, algorithm 4.2), refined by Levenberg–Marquardt on the pixel
 * error, because the pitch is exact and the clicks are not. Refuses, with what to do, points that do not fix the ground plane.
 */
export function fitHomography(points: readonly PitchPoint[], options: HomographyOptions = {}): HomographyFit {
  const { pixelSd = CLICK_SD_PX, robust = false } = options
  const wrong = unusable(points)
  if (wrong !== null) return { ok: false, reason: wrong }
  const image = frameOf(points.map(({ pixel }) => pixel))
  const plane = frameOf(points.map(({ metres }) => metres))
  const seen = points.map(({ pixel }) => into(image, pixel))
  const placed = points.map(({ metres }) => into(plane, metres))
  const inUse = robust ? pointsThatAgree(placed, seen, pixelSd * image.scale) : [...points.keys()]
  const used = { plane: pick(placed, inUse), image: pick(seen, inUse) }
  const start = directLinear(used.plane, used.image)
  if (!start) return { ok: false, reason: DEGENERATE }
  if (used.plane.some((point) => depthOf(start, point) <= 0)) return { ok: false, reason: CROSSED }
  const map = refine(start, used.plane, used.image)
  const spread = inverseOfPositive(normalMatrix(map, used.plane), 8)
  if (!spread) return { ok: false, reason: DEGENERATE }
  const reprojectionPx = placed.map((point, index) => missBy(map, point, seen[index]) / image.scale)
  const squares = pick(reprojectionPx, inUse).reduce((sum, miss) => sum + miss ** 2, 0)
  const freedom = 2 * inUse.length - 8
  const sd = Math.max(pixelSd, freedom > 0 ? Math.sqrt(squares / freedom) : 0)
  return {
    ok: true,
    homography: {
      map: [...map],
      plane,
      image,
      covariance: [...spread.map((value) => value * (sd * image.scale) ** 2)],
      pixelSd: sd,
      reprojectionPx,
      rmsPx: Math.sqrt(squares / inUse.length),
      outliers: [...points.keys()].filter((index) => !inUse.includes(index)),
    },
  }
}

/** A place on the ground in metres; `sdM` is the standard deviation along its least certain direction. */
export interface GroundPoint extends Point {
  sdM: number
  covarianceM2: { xx: number; xy: number; yy: number }
}

/**
 * Where on the ground a pixel is, null at or above the horizon. `pixelSd` is how well the pixel itself is known (a foot under a
 * box is not a clicked point); the calibration's own uncertainty is added.
 */
export function groundAt(homography: Homography, pixel: Point, pixelSd = CLICK_SD_PX): GroundPoint | null {
  const map = Float64Array.from(homography.map)
  const place = unproject(map, into(homography.image, pixel))
  if (!Number.isFinite(place.x + place.y) || depthOf(map, place) <= 0) return null
  const [uu, uv, vv] = imageCovariance(map, homography, place, pixelSd)
  const [a, b, c, d] = byPlace(map, place)
  const scale = ((a * d - b * c) * homography.plane.scale) ** 2
  const xx = (d * d * uu - 2 * b * d * uv + b * b * vv) / scale
  const xy = (-c * d * uu + (a * d + b * c) * uv - a * b * vv) / scale
  const yy = (c * c * uu - 2 * a * c * uv + a * a * vv) / scale
  const largest = (xx + yy) / 2 + Math.hypot((xx - yy) / 2, xy)
  return { ...outOf(homography.plane, place), sdM: Math.sqrt(largest), covarianceM2: { xx, xy, yy } }
}

/** Where a place on the ground is seen, null when it lies behind the camera. */
export function pixelAt(homography: Homography, metres: Point): Point | null {
  const map = Float64Array.from(homography.map)
  const place = into(homography.plane, metres)
  return depthOf(map, place) > 0 ? outOf(homography.image, project(map, place)) : null
}

function missBy(map: Float64Array, point: Point, seen: Point | undefined): number {
  const { x, y } = project(map, point)
  return Math.hypot(x - (seen?.x ?? x), y - (seen?.y ?? y))
}

function unusable(points: readonly PitchPoint[]): string | null {
  if (points.length < 4) return `Four points are needed, there are ${points.length}.`
  if (points.length > MAX_POINTS) return `At most ${MAX_POINTS} points are used, there are ${points.length}.`
  const numbers = points.flatMap(({ pixel, metres }) => [pixel.x, pixel.y, metres.x, metres.y])
  if (!numbers.every(Number.isFinite)) return 'A point has no finite place.'
  const places = new Set(points.map(({ metres }) => `${metres.x} ${metres.y}`))
  const pixels = new Set(points.map(({ pixel }) => `${pixel.x} ${pixel.y}`))
  return places.size < 4 || pixels.size < 4 ? 'Four different points are needed; some are the same.' : null
}

function pick<T>(values: readonly T[], indices: readonly number[]): T[] {
  return values.filter((_, index) => indices.includes(index))
}

function refine(start: Float64Array, plane: readonly Point[], image: readonly Point[]): Float64Array {
  let map = start
  let error = squaredError(map, plane, image)
  let damping = 1e-3
  for (let round = 0; round < MAX_ROUNDS && error > SETTLED; round++) {
    const step = dampedStep(map, plane, image, damping)
    const moved = map.map((value, index) => value + at(step, index))
    const movedError = squaredError(moved, plane, image)
    const gain = error - movedError
    if (gain > 0) {
      map = moved
      error = movedError
    }
    damping = gain > 0 ? damping / 10 : damping * 10
    if (gain >= 0 && gain <= SETTLED * error) break
  }
  return map
}

function squaredError(map: Float64Array, plane: readonly Point[], image: readonly Point[]): number {
  return plane.reduce((sum, point, index) => {
    if (depthOf(map, point) <= 0) return Number.POSITIVE_INFINITY
    const { x, y } = project(map, point)
    return sum + (x - (image[index]?.x ?? 0)) ** 2 + (y - (image[index]?.y ?? 0)) ** 2
  }, 0)
}

function dampedStep(
  map: Float64Array,
  plane: readonly Point[],
  image: readonly Point[],
  damping: number,
): Float64Array {
  const normal = normalMatrix(map, plane)
  const step = new Float64Array(8)
  plane.forEach((point, index) => {
    const { x, y } = project(map, point)
    const missing = [(image[index]?.x ?? 0) - x, (image[index]?.y ?? 0) - y]
    byParameters(map, point).forEach((row, axis) => {
      for (let i = 0; i < 8; i++) step[i] = at(step, i) + at(row, i) * at(missing, axis)
    })
  })
  for (let i = 0; i < 8; i++) normal[i * 9] = at(normal, i * 9) * (1 + damping)
  return solveCholesky(normal, step, 8) ? step : new Float64Array(8)
}

function normalMatrix(map: Float64Array, plane: readonly Point[]): Float64Array {
  const normal = new Float64Array(64)
  for (const point of plane)
    for (const row of byParameters(map, point))
      for (let i = 0; i < 8; i++)
        for (let j = 0; j < 8; j++) normal[i * 8 + j] = at(normal, i * 8 + j) + at(row, i) * at(row, j)
  return normal
}

/** Covariance of where a place should be seen: the pixel's own error and that of the parameters. */
function imageCovariance(
  map: Float64Array,
  homography: Homography,
  place: Point,
  pixelSd: number,
): [number, number, number] {
  const [du, dv] = byParameters(map, place)
  const between = (a: readonly number[], b: readonly number[]) => {
    let sum = 0
    for (let i = 0; i < 8; i++)
      for (let j = 0; j < 8; j++) sum += at(a, i) * at(homography.covariance, i * 8 + j) * at(b, j)
    return sum
  }
  const own = (pixelSd * homography.image.scale) ** 2
  return [between(du, du) + own, between(du, dv), between(dv, dv) + own]
}
