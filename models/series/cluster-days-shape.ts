/** Turns the curves of days into few numbers each, so that groups can be told apart with a few dozen days. */
import { eigenvectors } from './cluster-days-eigen.ts'

const HOURS = 24
/** A day of which less is known is not described. */
const MIN_KNOWN_SHARE = 0.5
/** The directions that are kept explain this share of the variance; the rest is noise of sensors and meals. */
const EXPLAINED_SHARE = 0.95
/** A shared covariance needs this many days for each direction that it describes. */
const DAYS_PER_DIMENSION = 8

export interface DayShapes {
  /** Rows of the days that are described. */
  usable: number[]
  dimensions: number
  /** `dimensions` numbers per usable day. */
  points: Float64Array
}

/** Scores of the days on the principal components of their hourly means (Jolliffe 2002). */
export function describeDays(days: readonly Float64Array[]): DayShapes {
  const hourly = days.map(hourlyMeans)
  const usable = [...hourly.keys()].filter((row) => knownShare(hourly[row]) >= MIN_KNOWN_SHARE)
  const curves = centredByHour(usable.map((row) => hourly[row] ?? new Float64Array(0)))
  const hours = curves[0]?.length ?? 0
  const { values, vectors } = eigenvectors(covarianceOf(curves, hours), hours)
  const most = Math.max(1, Math.floor(usable.length / DAYS_PER_DIMENSION))
  const dimensions = Math.min(most, enough(values))
  const points = new Float64Array(usable.length * dimensions)
  for (const [row, curve] of curves.entries()) {
    for (let d = 0; d < dimensions; d += 1) {
      let score = 0
      for (let h = 0; h < hours; h += 1) score += (curve[h] ?? 0) * (vectors[d]?.[h] ?? 0)
      points[row * dimensions + d] = score
    }
  }
  return { usable, dimensions, points }
}

function hourlyMeans(day: Float64Array): Float64Array {
  const hours = Math.min(HOURS, day.length)
  const sums = new Float64Array(hours)
  const counts = new Float64Array(hours)
  for (const [step, value] of day.entries()) {
    if (!Number.isFinite(value)) continue
    const hour = Math.floor((step * hours) / day.length)
    sums[hour] = (sums[hour] ?? 0) + value
    counts[hour] = (counts[hour] ?? 0) + 1
  }
  return sums.map((sum, hour) => sum / (counts[hour] ?? 0))
}

function knownShare(hourly: Float64Array | undefined): number {
  if (!hourly || hourly.length === 0) return 0
  return hourly.filter((value) => !Number.isNaN(value)).length / hourly.length
}

/** Less the mean of each hour over all days. A missing hour takes the day's mean offset: it adds nothing of its own. */
function centredByHour(curves: readonly Float64Array[]): Float64Array[] {
  const hours = curves[0]?.length ?? 0
  const usual = Float64Array.from({ length: hours }, (_, hour) =>
    meanOfKnown(curves.map((curve) => curve[hour] ?? Number.NaN)),
  )
  return curves.map((curve) => {
    const offsets = curve.map((value, hour) => value - (usual[hour] ?? 0))
    const level = meanOfKnown([...offsets])
    return offsets.map((offset) => (Number.isNaN(offset) ? level : offset))
  })
}

function meanOfKnown(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value))
  return known.length === 0 ? 0 : known.reduce((sum, value) => sum + value, 0) / known.length
}

function covarianceOf(curves: readonly Float64Array[], hours: number): Float64Array {
  const covariance = new Float64Array(hours * hours)
  for (const curve of curves) {
    for (let a = 0; a < hours; a += 1) {
      for (let b = 0; b < hours; b += 1) {
        const at = a * hours + b
        covariance[at] = (covariance[at] ?? 0) + ((curve[a] ?? 0) * (curve[b] ?? 0)) / curves.length
      }
    }
  }
  return covariance
}

/** How many of the largest values make up the explained share; at least one. */
function enough(values: Float64Array): number {
  const total = values.reduce((sum, value) => sum + Math.max(0, value), 0)
  let sum = 0
  for (const [index, value] of values.entries()) {
    sum += value
    if (sum >= EXPLAINED_SHARE * total) return index + 1
  }
  return Math.max(1, values.length)
}
