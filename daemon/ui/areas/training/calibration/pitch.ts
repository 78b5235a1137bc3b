/** Spots of a football pitch that one can find in a picture, in metres from the near left corner. */
import type { CalibratedPoint, Calibration, Place } from './answers.ts'
import type { words } from './words.ts'

export interface Pitch {
  length: number
  width: number
}

type SpotWord = Extract<keyof typeof words, `spot.${string}`>

export interface Spot {
  /** Null: a place that none of the names fits. */
  word: SpotWord | null
  metres: Place
}

/** A spot that was tapped, with what the hub said about it when it was last saved. */
export interface Tapped extends Spot {
  /** Shares of the picture's width and height, because pictures of one camera come in several sizes. */
  share: Place
  told: Pick<CalibratedPoint, 'error_px' | 'error_m' | 'used'> | null
  /** Lies on one line with others. */
  isInLine: boolean
}

export const PITCHES = {
  full: { length: 105, width: 68 },
  nine: { length: 68, width: 50 },
  seven: { length: 55, width: 37 },
  futsal: { length: 40, width: 20 },
} as const satisfies Record<string, Pitch>

/** The boxes of the laws of the game, which smaller pitches draw as they like. */
const BOX = { deep: 16.5, wide: 40.32, spot: 11 } as const
/** On a shorter pitch the boxes of a full one do not lie where they would. */
const FULL_LENGTH = 90
const SAME_M = 0.05

export function hasBoxes({ length, width }: Pitch): boolean {
  return length >= FULL_LENGTH && width > BOX.wide
}

export function spotsOf(pitch: Pitch): Spot[] {
  const { length, width } = pitch
  const at = (word: SpotWord, x: number, y: number): Spot => ({ word, metres: { x, y } })
  const outer = [
    at('spot.nearLeft', 0, 0),
    at('spot.nearHalf', length / 2, 0),
    at('spot.nearRight', length, 0),
    at('spot.centre', length / 2, width / 2),
    at('spot.farLeft', 0, width),
    at('spot.farHalf', length / 2, width),
    at('spot.farRight', length, width),
  ]
  if (!hasBoxes(pitch)) return outer
  const [near, far] = [(width - BOX.wide) / 2, (width + BOX.wide) / 2]
  return [
    ...outer,
    at('spot.leftBoxNear', BOX.deep, near),
    at('spot.leftBoxFar', BOX.deep, far),
    at('spot.leftLineNear', 0, near),
    at('spot.leftLineFar', 0, far),
    at('spot.leftPenalty', BOX.spot, width / 2),
    at('spot.rightBoxNear', length - BOX.deep, near),
    at('spot.rightBoxFar', length - BOX.deep, far),
    at('spot.rightLineNear', length, near),
    at('spot.rightLineFar', length, far),
    at('spot.rightPenalty', length - BOX.spot, width / 2),
  ]
}

/** Lines to draw: rectangles as x, y, width, height, with y growing away from the camera. */
export function boxesOf(pitch: Pitch): { x: number; y: number; width: number; height: number }[] {
  if (!hasBoxes(pitch)) return []
  const y = (pitch.width - BOX.wide) / 2
  return [0, pitch.length - BOX.deep].map((x) => ({ x, y, width: BOX.deep, height: BOX.wide }))
}

export function isSame(one: Place, other: Place): boolean {
  return Math.abs(one.x - other.x) < SAME_M && Math.abs(one.y - other.y) < SAME_M
}

/** What the hub keeps, as spots that can be tapped anew. */
export function tappedOf({ points, pitch, width, height }: Calibration): Tapped[] {
  const spots = spotsOf(pitch)
  return points.map(({ pixel, metres, ...told }) => {
    const known = spots.find((spot) => isSame(spot.metres, metres))
    const share = { x: pixel.x / width, y: pixel.y / height }
    return { word: known?.word ?? null, metres, share, told, isInLine: false }
  })
}

/** Puts a spot where it was tapped, in place of an older tap. */
export function placed(tapped: readonly Tapped[], spot: Spot, share: Place): Tapped[] {
  const others = tapped.filter(({ metres }) => !isSame(metres, spot.metres))
  return [...others, { word: spot.word, metres: spot.metres, share, told: null, isInLine: false }]
}

/** What the hub is sent: pixels of a picture of this size. */
export function pointsOf(
  tapped: readonly Tapped[],
  { width, height }: { width: number; height: number },
): { pixel: Place; metres: Place }[] {
  const tenths = (value: number) => Math.round(value * 10) / 10
  return tapped.map(({ share, metres }) => ({
    pixel: { x: tenths(share.x * width), y: tenths(share.y * height) },
    metres,
  }))
}

/** Numbers of the points that a refusal names, such as `points[2]`. */
export function namedPoints(details: readonly { path: string }[]): Set<number> {
  const found = details.map(({ path }) => /^points\[(\d+)\]/.exec(path)?.[1])
  return new Set(found.filter((index) => index !== undefined).map(Number))
}
