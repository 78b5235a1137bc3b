/** Puts corners on the ground into a drawing and back; a zone is small, so the ground is taken as flat. */

/** Latitude and longitude in degrees. */
export type Corner = readonly [lat: number, lon: number]

export interface Ground {
  toDrawing(corner: Corner): { x: number; y: number }
  toCorner(x: number, y: number): Corner
  /** A round length for the scale bar, in metres, and how long it is drawn. */
  bar: { metres: number; length: number }
}

const METRES_PER_DEGREE = 111_195
/** Six digits are a tenth of a metre. */
const DIGITS = 1e6
const BAR_SHARE = 0.3
const MARGIN = 1.25
const LEAST_METRES = 200

/** A square drawing of `size` around a middle, `metres` wide. */
export function groundAround([lat, lon]: Corner, metres: number, size: number): Ground {
  const north = (size * METRES_PER_DEGREE) / metres
  const east = north * Math.cos((lat * Math.PI) / 180)
  const rounded = (degrees: number) => Math.round(degrees * DIGITS) / DIGITS
  const bar = roundLength(metres * BAR_SHARE)
  return {
    toDrawing: ([atLat, atLon]) => ({
      x: size / 2 + (atLon - lon) * east,
      y: size / 2 - (atLat - lat) * north,
    }),
    toCorner: (x, y) => [rounded(lat - (y - size / 2) / north), rounded(lon + (x - size / 2) / east)],
    bar: { metres: bar, length: (bar * size) / metres },
  }
}

/** The middle and width of a drawing that holds all corners; null without any. */
export function extentOf(corners: readonly Corner[]): { middle: Corner; metres: number } | null {
  if (corners.length === 0) return null
  const lats = corners.map(([lat]) => lat)
  const lons = corners.map(([, lon]) => lon)
  const [south, north] = [Math.min(...lats), Math.max(...lats)]
  const [west, east] = [Math.min(...lons), Math.max(...lons)]
  const middle: Corner = [(south + north) / 2, (west + east) / 2]
  const across = (east - west) * Math.cos((middle[0] * Math.PI) / 180)
  const metres = Math.max(north - south, across) * METRES_PER_DEGREE * MARGIN
  return { middle, metres: Math.max(LEAST_METRES, metres) }
}

/** Corners as they are typed: `52.50 13.40; 52.51 13.40; …`. Null where a number is missing or out of range. */
export function cornersIn(text: string): Corner[] | null {
  const parts = text.split(/[;\n]/).map((part) => part.trim())
  const corners: Corner[] = []
  for (const part of parts.filter((one) => one !== '')) {
    const [lat = Number.NaN, lon = Number.NaN, ...more] = part.split(/[\s,]+/).map(Number)
    if (more.length > 0 || !(Math.abs(lat) <= 90) || !(Math.abs(lon) <= 180)) return null
    corners.push([lat, lon])
  }
  return corners
}

export function cornersText(corners: readonly Corner[]): string {
  return corners.map(([lat, lon]) => `${lat} ${lon}`).join('; ')
}

function roundLength(metres: number): number {
  const power = 10 ** Math.floor(Math.log10(metres))
  return ([5, 2, 1].find((one) => one * power <= metres) ?? 1) * power
}

/** Cells as they are typed, separated by spaces, commas or semicolons. Null where one is none. */
export function cellsIn(text: string): string[] | null {
  const cells = text.split(/[\s,;]+/).filter((one) => one !== '')
  return cells.every((cell) => /^8[0-9a-f]{14}$/i.test(cell)) ? cells.map((cell) => cell.toLowerCase()) : null
}
