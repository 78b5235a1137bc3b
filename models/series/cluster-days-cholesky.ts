/** The inverse of the Cholesky factor of a positive definite matrix, which turns its distribution into a round one. */
export function invertedCholesky(
  matrix: Float64Array,
  size: number,
): { inverse: Float64Array; logDeterminant: number } {
  const factor = new Float64Array(size * size)
  let logDeterminant = 0
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      let rest = matrix[row * size + column] ?? 0
      for (let k = 0; k < column; k += 1)
        rest -= (factor[row * size + k] ?? 0) * (factor[column * size + k] ?? 0)
      if (row === column) {
        if (!(rest > 0)) throw new RangeError('the matrix is not positive definite')
        factor[row * size + row] = Math.sqrt(rest)
        logDeterminant += Math.log(rest)
      } else factor[row * size + column] = rest / (factor[column * size + column] ?? 1)
    }
  }
  return { inverse: invertedLower(factor, size), logDeterminant }
}

/** Forward substitution on the unit vectors. */
function invertedLower(factor: Float64Array, size: number): Float64Array {
  const inverse = new Float64Array(size * size)
  for (let column = 0; column < size; column += 1) {
    for (let row = column; row < size; row += 1) {
      let rest = row === column ? 1 : 0
      for (let k = column; k < row; k += 1)
        rest -= (factor[row * size + k] ?? 0) * (inverse[k * size + column] ?? 0)
      inverse[row * size + column] = rest / (factor[row * size + row] ?? 1)
    }
  }
  return inverse
}
