/** Finds the points of a calibration that agree on one map, so that one wrong click does not bend it. */
import { depthOf, directLinear, type Point, project } from './projective.ts'

/** Fewer points cannot say which of them is wrong. */
const FEWEST = 6
/** Sets of four tried; all of them up to twelve points, an even choice beyond. */
const MAX_TRIALS = 500
/** Of a normal error, 1.4826 × median is its standard deviation; 2.5 of those is where Rousseeuw & Leroy cut. */
const MEDIAN_TO_SD = 1.4826
const CUT = 2.5

/**
 * Least median of squares (Rousseeuw 1984) over maps through four points each. Points may be off by `sd` for free, all in the
 * image's frame. Returns the indices in use, all of them when there are too few to tell.
 */
export function pointsThatAgree(plane: readonly Point[], image: readonly Point[], sd: number): number[] {
  const all = [...plane.keys()]
  if (plane.length < FEWEST) return all
  let best: { median: number; errors: number[] } | null = null
  for (const four of trials(plane.length)) {
    const errors = errorsOf(four, plane, image)
    if (!errors) continue
    const median = medianOf(errors)
    if (!best || median < best.median) best = { median, errors }
  }
  if (!best) return all
  const rough = within(best.errors, Math.max(sd * Math.SQRT2, MEDIAN_TO_SD * best.median))
  // Four points carry their own noise; the map through all that agree judges every point once more.
  const errors = errorsOf(rough, plane, image)
  return errors ? within(errors, Math.max(sd * Math.SQRT2, MEDIAN_TO_SD * medianOf(errors))) : rough
}

function within(errors: readonly number[], sd: number): number[] {
  return [...errors.keys()].filter((index) => (errors[index] ?? 0) <= CUT * sd)
}

/** The middle of the errors that a map through four points leaves over. */
function medianOf(errors: readonly number[]): number {
  return [...errors].sort((a, b) => a - b)[Math.floor((errors.length + 4) / 2)] ?? 0
}

function errorsOf(
  through: readonly number[],
  plane: readonly Point[],
  image: readonly Point[],
): number[] | null {
  const chosen = (points: readonly Point[]) => points.filter((_, index) => through.includes(index))
  const map = directLinear(chosen(plane), chosen(image))
  if (!map) return null
  return plane.map((point, index) => {
    if (depthOf(map, point) <= 0) return Number.POSITIVE_INFINITY
    const { x, y } = project(map, point)
    return Math.hypot(x - (image[index]?.x ?? 0), y - (image[index]?.y ?? 0))
  })
}

function trials(count: number): number[][] {
  const sets: number[][] = []
  for (let a = 0; a < count; a++)
    for (let b = a + 1; b < count; b++)
      for (let c = b + 1; c < count; c++) for (let d = c + 1; d < count; d++) sets.push([a, b, c, d])
  const stride = Math.max(1, Math.floor(sets.length / MAX_TRIALS))
  return sets.filter((_, index) => index % stride === 0)
}
