/** One point in the room from where several cameras see it. */
import { at, singularVectors } from '../numeric/dense.ts'
import { type Camera, type Pixel, projectPoint } from './cameras.ts'

/** A sighting; its score weighs the equations. */
export interface Sighting extends Pixel {
  camera: Camera
  /** 0 to 1. */
  score: number
}

export interface RoomPoint {
  x: number
  y: number
  z: number
  /** Mean distance over the cameras in use between the sighting and the projected point. */
  errorPx: number
  /** Names of the cameras in use. */
  cameras: string[]
}

export interface TriangulationOptions {
  /** Sightings with a lower score are not used (Pose2Sim: likelihood_threshold 0.3). */
  minScore: number
  /** A point that misses its sightings by more on average is tried with fewer cameras (Pose2Sim: 15 px). */
  maxErrorPx: number
  /** Fewest cameras that fix a point. */
  minCameras: number
  /** Huber's threshold for reweighting sightings that are a little off; null for none, as in Pose2Sim. */
  reweightPx: number | null
}

export const TRIANGULATION: TriangulationOptions = {
  minScore: 0.3,
  maxErrorPx: 15,
  minCameras: 2,
  reweightPx: null,
}

const REWEIGHT_ROUNDS = 10

/**
 * Weighted direct linear transform (Hartley & Zisserman 2004, section 12.2). A limb that one camera mistakes for the other
 * pulls the point by metres, so while the error is too large every subset of one camera fewer is tried and the best one wins
 * (Pose2Sim, Pagnon et al. 2022). Null when no subset of `minCameras` agrees.
 */
export function triangulatePoint(
  sightings: readonly Sighting[],
  options: TriangulationOptions = TRIANGULATION,
): RoomPoint | null {
  const usable = sightings.filter(({ score, x, y }) => score >= options.minScore && Number.isFinite(x + y))
  for (let count = usable.length; count >= options.minCameras; count--) {
    let best: RoomPoint | null = null
    for (const subset of subsets(usable, count)) {
      const point = solve(subset, options.reweightPx)
      if (!best || point.errorPx < best.errorPx) best = point
    }
    if (best && best.errorPx <= options.maxErrorPx) return best
  }
  return null
}

function solve(sightings: readonly Sighting[], reweightPx: number | null): RoomPoint {
  let point = directLinear(sightings)
  if (reweightPx === null) return point
  for (let round = 0; round < REWEIGHT_ROUNDS; round++) {
    const { x, y, z } = point
    const reweighted = sightings.map((sighting) => {
      const miss = missPx(sighting, x, y, z)
      return { ...sighting, score: sighting.score * (miss > reweightPx ? Math.sqrt(reweightPx / miss) : 1) }
    })
    point = directLinear(reweighted)
  }
  return point
}

function directLinear(sightings: readonly Sighting[]): RoomPoint {
  const rows = new Float64Array(sightings.length * 8)
  sightings.forEach(({ camera, score, x, y }, index) => {
    const p = camera.projection
    for (let col = 0; col < 4; col++) {
      rows[index * 8 + col] = score * (at(p, col) - x * at(p, 8 + col))
      rows[index * 8 + 4 + col] = score * (at(p, 4 + col) - y * at(p, 8 + col))
    }
  })
  const { values, right } = singularVectors(rows, sightings.length * 2, 4)
  const least = values.indexOf(Math.min(...values))
  const depth = at(right, 12 + least)
  const x = at(right, least) / depth
  const y = at(right, 4 + least) / depth
  const z = at(right, 8 + least) / depth
  const misses = sightings.map((sighting) => missPx(sighting, x, y, z))
  return {
    x,
    y,
    z,
    errorPx: misses.reduce((sum, miss) => sum + miss, 0) / misses.length,
    cameras: sightings.map(({ camera }) => camera.name),
  }
}

function missPx(sighting: Sighting, x: number, y: number, z: number): number {
  const seen = projectPoint(sighting.camera, x, y, z)
  return Math.hypot(seen.x - sighting.x, seen.y - sighting.y)
}

function* subsets<T>(values: readonly T[], count: number): Generator<T[]> {
  if (count === 0) {
    yield []
    return
  }
  for (let first = 0; first <= values.length - count; first++)
    for (const rest of subsets(values.slice(first + 1), count - 1))
      yield [...values.slice(first, first + 1), ...rest]
}
