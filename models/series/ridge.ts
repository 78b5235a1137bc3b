/** Linear regression that shrinks its coefficients, from sums that can be taken over any rows. */

export interface RidgeSums {
  size: number
  rows: number
  /** Products of the columns with each other, and with the value; row-major. */
  products: Float64Array
  targets: Float64Array
}

export function emptySums(size: number): RidgeSums {
  return { size, rows: 0, products: new Float64Array(size * size), targets: new Float64Array(size) }
}

/** Takes one row in; `sign` -1 takes it out again. */
export function addRow(sums: RidgeSums, row: Float64Array, value: number, sign = 1): void {
  const { size, products, targets } = sums
  sums.rows += sign
  for (let i = 0; i < size; i += 1) {
    const left = sign * (row[i] ?? 0)
    targets[i] = (targets[i] ?? 0) + left * value
    const start = i * size
    for (let j = 0; j < size; j += 1) products[start + j] = (products[start + j] ?? 0) + left * (row[j] ?? 0)
  }
}

/**
 * Coefficients that minimise squared error + `penalty` × their squares; the first column is the constant and is not shrunk
 * (Hoerl & Kennard 1970). Solved by Gauss with pivots: the penalty keeps the matrix regular.
 */
export function solveRidge({ size, products, targets }: RidgeSums, penalty: number): Float64Array {
  const matrix = Float64Array.from(products)
  const values = Float64Array.from(targets)
  for (let i = 0; i < size; i += 1)
    matrix[i * size + i] = (matrix[i * size + i] ?? 0) + (i === 0 ? 1e-9 : penalty)
  const at = (row: number, column: number) => matrix[row * size + column] ?? 0
  for (let column = 0; column < size; column += 1) {
    let pivot = column
    for (let row = column + 1; row < size; row += 1)
      if (Math.abs(at(row, column)) > Math.abs(at(pivot, column))) pivot = row
    swapRows(matrix, values, size, column, pivot)
    for (let row = 0; row < size; row += 1) {
      const factor = row === column ? 0 : at(row, column) / at(column, column)
      if (factor === 0) continue
      for (let k = column; k < size; k += 1) matrix[row * size + k] = at(row, k) - factor * at(column, k)
      values[row] = (values[row] ?? 0) - factor * (values[column] ?? 0)
    }
  }
  return values.map((value, row) => value / at(row, row))
}

function swapRows(matrix: Float64Array, values: Float64Array, size: number, a: number, b: number): void {
  if (a === b) return
  const kept = matrix.slice(a * size, (a + 1) * size)
  matrix.copyWithin(a * size, b * size, (b + 1) * size)
  matrix.set(kept, b * size)
  const value = values[a] ?? 0
  values[a] = values[b] ?? 0
  values[b] = value
}

export function dot(coefficients: ArrayLike<number>, row: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < coefficients.length; i += 1) sum += (coefficients[i] ?? 0) * (row[i] ?? 0)
  return sum
}
