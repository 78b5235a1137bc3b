/** Eigenvalues and eigenvectors of a small symmetric matrix. */

const MAX_SWEEPS = 60

export interface Eigen {
  /** The largest first. */
  values: Float64Array
  /** `vectors[k]` has unit length and belongs to `values[k]`. */
  vectors: Float64Array[]
}

/** Cyclic Jacobi rotations (Golub & Van Loan, Matrix Computations, 8.5): slow and very accurate, for a few dozen rows. */
export function eigenvectors(matrix: Float64Array, size: number): Eigen {
  const a = Float64Array.from(matrix)
  const v = new Float64Array(size * size)
  for (let k = 0; k < size; k += 1) v[k * size + k] = 1
  for (let sweep = 0; sweep < MAX_SWEEPS && offDiagonal(a, size) > 0; sweep += 1) {
    for (let p = 0; p < size; p += 1) {
      for (let q = p + 1; q < size; q += 1) rotate(a, v, size, p, q)
    }
  }
  const diagonal = Float64Array.from({ length: size }, (_, k) => a[k * size + k] ?? 0)
  const order = Array.from(diagonal.keys()).sort((x, y) => (diagonal[y] ?? 0) - (diagonal[x] ?? 0))
  return {
    values: Float64Array.from(order, (k) => diagonal[k] ?? 0),
    vectors: order.map((k) => Float64Array.from({ length: size }, (_, row) => v[row * size + k] ?? 0)),
  }
}

/** Turns rows and columns p and q so that their common element becomes 0. */
function rotate(a: Float64Array, v: Float64Array, size: number, p: number, q: number): void {
  const get = (row: number, column: number) => a[row * size + column] ?? 0
  const common = get(p, q)
  if (common === 0) return
  const theta = (get(q, q) - get(p, p)) / (2 * common)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const cos = 1 / Math.sqrt(t * t + 1)
  const sin = t * cos
  const mix = (m: Float64Array, from: number, to: number) => {
    const x = m[from] ?? 0
    const y = m[to] ?? 0
    m[from] = cos * x - sin * y
    m[to] = sin * x + cos * y
  }
  for (let k = 0; k < size; k += 1) mix(a, k * size + p, k * size + q)
  for (let k = 0; k < size; k += 1) mix(a, p * size + k, q * size + k)
  for (let k = 0; k < size; k += 1) mix(v, k * size + p, k * size + q)
}

/** Sum of squares off the diagonal, 0 once it is rounding of the diagonal. */
function offDiagonal(a: Float64Array, size: number): number {
  let off = 0
  let all = 0
  for (const [at, value] of a.entries()) {
    all += value * value
    if (Math.floor(at / size) !== at % size) off += value * value
  }
  return off > all * Number.EPSILON ** 2 ? off : 0
}
