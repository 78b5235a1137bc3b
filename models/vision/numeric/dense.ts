/** Small dense linear algebra on row-major Float64Arrays, for systems of up to about a hundred unknowns. */

/** Reads inside the array; the zero is never seen and only tells the compiler that nothing is missing. */
export function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? 0
}

/**
 * Solves `a · x = b` for a symmetric positive definite n × n matrix by Cholesky's factorisation.
 * Both arrays are overwritten, `b` with the solution. False when the matrix is not positive definite.
 */
export function solveCholesky(a: Float64Array, b: Float64Array, n: number): boolean {
  if (!factorCholesky(a, n)) return false
  for (let i = 0; i < n; i++) {
    let sum = at(b, i)
    for (let k = 0; k < i; k++) sum -= at(a, i * n + k) * at(b, k)
    b[i] = sum / at(a, i * n + i)
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = at(b, i)
    for (let k = i + 1; k < n; k++) sum -= at(a, k * n + i) * at(b, k)
    b[i] = sum / at(a, i * n + i)
  }
  return true
}

/** Inverse of a symmetric positive definite n × n matrix, or null when it is singular. */
export function inverseOfPositive(a: Float64Array, n: number): Float64Array | null {
  const inverse = new Float64Array(n * n)
  for (let column = 0; column < n; column++) {
    const unit = new Float64Array(n)
    unit[column] = 1
    if (!solveCholesky(a.slice(), unit, n)) return null
    for (let row = 0; row < n; row++) inverse[row * n + column] = at(unit, row)
  }
  return inverse
}

function factorCholesky(a: Float64Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(a, i * n + j)
      for (let k = 0; k < j; k++) sum -= at(a, i * n + k) * at(a, j * n + k)
      if (i !== j) a[i * n + j] = sum / at(a, j * n + j)
      else if (sum > 0) a[i * n + i] = Math.sqrt(sum)
      else return false
    }
  }
  return true
}

export interface SingularVectors {
  /** Unordered. */
  values: Float64Array
  /** Right singular vectors, one per column, cols × cols. */
  right: Float64Array
}

const MAX_SWEEPS = 60
const ORTHOGONAL = 1e-15

/**
 * Singular values and right vectors of a rows × cols matrix by one-sided Jacobi rotations (Hestenes 1958), which keeps small
 * singular values accurate where the normal equations would square the condition. `a` is overwritten.
 */
export function singularVectors(a: Float64Array, rows: number, cols: number): SingularVectors {
  const right = new Float64Array(cols * cols)
  for (let i = 0; i < cols; i++) right[i * cols + i] = 1
  for (let sweep = 0, turned = true; turned && sweep < MAX_SWEEPS; sweep++) {
    turned = false
    for (let p = 0; p < cols - 1; p++)
      for (let q = p + 1; q < cols; q++) if (orthogonalise(a, right, rows, cols, p, q)) turned = true
  }
  const values = new Float64Array(cols)
  for (let c = 0; c < cols; c++) {
    let sum = 0
    for (let r = 0; r < rows; r++) sum += at(a, r * cols + c) ** 2
    values[c] = Math.sqrt(sum)
  }
  return { values, right }
}

function orthogonalise(
  a: Float64Array,
  right: Float64Array,
  rows: number,
  cols: number,
  p: number,
  q: number,
): boolean {
  let alpha = 0
  let beta = 0
  let gamma = 0
  for (let r = 0; r < rows; r++) {
    const ap = at(a, r * cols + p)
    const aq = at(a, r * cols + q)
    alpha += ap * ap
    beta += aq * aq
    gamma += ap * aq
  }
  if (gamma === 0 || Math.abs(gamma) <= ORTHOGONAL * Math.sqrt(alpha * beta)) return false
  const zeta = (beta - alpha) / (2 * gamma)
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta))
  const cosine = 1 / Math.sqrt(1 + tangent * tangent)
  rotateColumns(a, rows, cols, p, q, cosine, cosine * tangent)
  rotateColumns(right, cols, cols, p, q, cosine, cosine * tangent)
  return true
}

function rotateColumns(
  m: Float64Array,
  rows: number,
  cols: number,
  p: number,
  q: number,
  cosine: number,
  sine: number,
): void {
  for (let r = 0; r < rows; r++) {
    const mp = at(m, r * cols + p)
    const mq = at(m, r * cols + q)
    m[r * cols + p] = cosine * mp - sine * mq
    m[r * cols + q] = sine * mp + cosine * mq
  }
}
