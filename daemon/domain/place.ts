/** Where a community zone lies: a polygon on the ground, or cells of the H3 grid. */
import { createRequire } from 'node:module'
import { type Static, Type } from 'typebox'
import { HubError } from '../kernel/errors.ts'

/** Fourteen megabytes that a hub without cells does without; the package's own types hold for what is loaded. */
const grid = () => createRequire(import.meta.url)('h3-js') as typeof import('h3-js')

const VERTICES_MAX = 200
const CELLS_MAX = 500
/** A ring that is wider lies across the antimeridian or is a mistake. */
const SPAN_MAX_DEG = 90

/** Latitude and longitude in degrees. */
const Vertex = Type.Array(Type.Number({ minimum: -180, maximum: 180 }), { minItems: 2, maxItems: 2 })
export const Shape = Type.Object(
  {
    /** The ring of corners, not closed: the last is joined to the first. */
    polygon: Type.Optional(Type.Array(Vertex, { minItems: 3, maxItems: VERTICES_MAX })),
    cells: Type.Optional(Type.Array(Type.String({ maxLength: 16 }), { minItems: 1, maxItems: CELLS_MAX })),
  },
  { additionalProperties: false },
)
export type Shape = Static<typeof Shape>

/** The shape as it is kept. Throws VALIDATION_ERROR where it is no place on the ground. */
export function checkedShape({ polygon, cells }: Shape): Shape {
  if (polygon && cells) throw wrong('polygon', 'a zone is a polygon or cells, not both')
  if (polygon) {
    if (polygon.some(([lat = 0]) => Math.abs(lat) > 90)) throw wrong('polygon', 'a latitude is −90 to 90')
    if (spanOf(polygon, 0) > SPAN_MAX_DEG || spanOf(polygon, 1) > SPAN_MAX_DEG)
      throw wrong('polygon', `a polygon is at most ${SPAN_MAX_DEG}° wide`)
    if (areaOf(polygon) === 0) throw wrong('polygon', 'a polygon has an inside')
    return { polygon }
  }
  if (cells) {
    const odd = cells.find((cell) => !grid().isValidCell(cell) || grid().cellArea(cell, 'km2') === 0)
    if (odd !== undefined) throw wrong('cells', 'is no cell of the H3 grid')
    return { cells: [...new Set(cells)] }
  }
  return {}
}

/** Whether the place lies in the shape; the border counts by the even-odd rule. */
export function isInside({ polygon, cells }: Shape, lat: number, lon: number): boolean {
  if (cells) return cells.some((cell) => grid().latLngToCell(lat, lon, grid().getResolution(cell)) === cell)
  if (!polygon) return false
  let inside = false
  for (const [at, [aLat = 0, aLon = 0]] of polygon.entries()) {
    const [bLat = 0, bLon = 0] = polygon[(at + 1) % polygon.length] ?? []
    const crosses = aLat > lat !== bLat > lat
    if (crosses && lon < aLon + ((lat - aLat) / (bLat - aLat)) * (bLon - aLon)) inside = !inside
  }
  return inside
}

/** What to draw: rings of corners that are not closed. */
export function outlinesOf({ polygon, cells }: Shape): number[][][] {
  if (polygon) return [polygon]
  return (cells ?? []).map((cell) => grid().cellToBoundary(cell))
}

function spanOf(polygon: readonly number[][], axis: 0 | 1): number {
  const along = polygon.map((vertex) => vertex[axis] ?? 0)
  return Math.max(...along) - Math.min(...along)
}

function areaOf(polygon: readonly number[][]): number {
  const [origin] = polygon
  const [lat0 = 0, lon0 = 0] = origin ?? []
  return polygon.reduce((sum, [lat = 0, lon = 0], at) => {
    const [nextLat = 0, nextLon = 0] = polygon[(at + 1) % polygon.length] ?? []
    return sum + (lon - lon0) * (nextLat - lat0) - (nextLon - lon0) * (lat - lat0)
  }, 0)
}

function wrong(path: string, message: string): HubError {
  return new HubError('VALIDATION_ERROR', `The zone cannot be kept: ${message}.`, {
    details: [{ path, message }],
  })
}
