/** The correlation that is left between two series once what others explain linearly is taken out of both. */
import { centred, dot } from './statistics.ts'
import { correlationP } from './statistics-distribution.ts'

/** Below this share of its own length a vector counts as explained completely: the rest is rounding. */
const RELATIVE_ZERO = 1e-10

export interface PartialCorrelation {
  /** NaN when a side is constant or wholly explained by the conditions. */
  r: number
  /** Two-sided, t-distributed with n - 2 - |conditions| degrees of freedom (Fisher 1924, Metron 3:329). */
  p: number
}

/**
 * Partial correlation of x and y given the conditions: Pearson's correlation of the residuals of two linear regressions.
 * All vectors are equally long and without holes.
 */
export function partialCorrelation(
  x: Float64Array,
  y: Float64Array,
  conditions: readonly Float64Array[],
): PartialCorrelation {
  const basis = orthonormalBasis(conditions)
  const left = residual(x, basis)
  const right = residual(y, basis)
  if (!left || !right) return { r: Number.NaN, p: Number.NaN }
  const r = Math.min(1, Math.max(-1, dot(left, right)))
  return { r, p: correlationP(r, x.length - 2 - conditions.length) }
}

/** Share of the variance of y that the conditions leave unexplained; NaN when y is constant. */
export function unexplainedShare(y: Float64Array, conditions: readonly Float64Array[]): number {
  const unit = unitVector(centred(y))
  if (!unit) return Number.NaN
  const rest = withoutProjection(unit, orthonormalBasis(conditions))
  return dot(rest, rest)
}

/** Gram-Schmidt; a condition that the others already explain adds no direction. */
function orthonormalBasis(conditions: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = []
  for (const condition of conditions) {
    const direction = residual(condition, basis)
    if (direction) basis.push(direction)
  }
  return basis
}

/** Unit vector of what the basis does not explain; null when that is nothing. */
function residual(values: Float64Array, basis: readonly Float64Array[]): Float64Array | null {
  const unit = unitVector(centred(values))
  if (!unit) return null
  const rest = withoutProjection(unit, basis)
  return Math.sqrt(dot(rest, rest)) > RELATIVE_ZERO ? unitVector(rest) : null
}

/** Projects twice, because once loses orthogonality when the conditions are nearly collinear (Giraud et al. 2005). */
function withoutProjection(values: Float64Array, basis: readonly Float64Array[]): Float64Array {
  const rest = Float64Array.from(values)
  for (let pass = 0; pass < 2; pass += 1) {
    for (const direction of basis) subtract(rest, direction, dot(rest, direction))
  }
  return rest
}

function subtract(from: Float64Array, direction: Float64Array, times: number): void {
  for (let k = 0; k < from.length; k += 1) from[k] = (from[k] ?? 0) - times * (direction[k] ?? 0)
}

function unitVector(values: Float64Array): Float64Array | null {
  const length = Math.sqrt(dot(values, values))
  return length > 0 ? values.map((value) => value / length) : null
}
