/** Optimal assignment: which row takes which column so that the sum of costs is least. */
import { at } from './dense.ts'

/**
 * Solves the rectangular linear assignment problem in O(n³) by shortest augmenting paths (Jonker & Volgenant 1987 in the
 * rectangular form of Crouse 2016). `cost` is row-major and finite. Returns the column of each row, -1 for a row that got none
 * (only when there are more rows than columns). Ties are broken by order, so equal input gives equal output.
 */
export function assign(cost: Float64Array, rows: number, cols: number): Int32Array {
  if (rows > cols) return invert(assign(transpose(cost, rows, cols), cols, rows), rows)
  const search = createSearch(rows, cols)
  for (let row = 0; row < rows; row++) augment(search, cost, row)
  return search.colOfRow
}

interface Search {
  rows: number
  cols: number
  rowPrice: Float64Array
  colPrice: Float64Array
  /** Length of the shortest path found to each column. */
  reach: Float64Array
  /** The row a column was reached from. */
  from: Int32Array
  colOfRow: Int32Array
  rowOfCol: Int32Array
  rowSeen: Uint8Array
  colSeen: Uint8Array
}

function createSearch(rows: number, cols: number): Search {
  return {
    rows,
    cols,
    rowPrice: new Float64Array(rows),
    colPrice: new Float64Array(cols),
    reach: new Float64Array(cols),
    from: new Int32Array(cols),
    colOfRow: new Int32Array(rows).fill(-1),
    rowOfCol: new Int32Array(cols).fill(-1),
    rowSeen: new Uint8Array(rows),
    colSeen: new Uint8Array(cols),
  }
}

function augment(search: Search, cost: Float64Array, start: number): void {
  const { sink, length } = shortestPath(search, cost, start)
  raisePrices(search, start, length)
  let col = sink
  for (;;) {
    const row = at(search.from, col)
    const previous = at(search.colOfRow, row)
    search.rowOfCol[col] = row
    search.colOfRow[row] = col
    if (row === start) return
    col = previous
  }
}

/** Dijkstra over reduced costs from a free row to the nearest free column. */
function shortestPath(search: Search, cost: Float64Array, start: number): { sink: number; length: number } {
  const { cols, rowPrice, colPrice, reach, from, rowOfCol, rowSeen, colSeen } = search
  reach.fill(Number.POSITIVE_INFINITY)
  rowSeen.fill(0)
  colSeen.fill(0)
  let row = start
  let length = 0
  for (;;) {
    rowSeen[row] = 1
    let nearest = -1
    let lowest = Number.POSITIVE_INFINITY
    for (let col = 0; col < cols; col++) {
      if (at(colSeen, col) === 1) continue
      const through = length + at(cost, row * cols + col) - at(rowPrice, row) - at(colPrice, col)
      if (through < at(reach, col)) {
        reach[col] = through
        from[col] = row
      }
      const reached = at(reach, col)
      if (reached < lowest || nearest < 0 || (reached === lowest && at(rowOfCol, col) < 0)) {
        lowest = reached
        nearest = col
      }
    }
    length = lowest
    colSeen[nearest] = 1
    row = at(rowOfCol, nearest)
    if (row < 0) return { sink: nearest, length }
  }
}

function raisePrices(search: Search, start: number, length: number): void {
  const { rows, cols, rowPrice, colPrice, reach, colOfRow, rowSeen, colSeen } = search
  rowPrice[start] = at(rowPrice, start) + length
  for (let row = 0; row < rows; row++) {
    if (row === start || at(rowSeen, row) === 0) continue
    rowPrice[row] = at(rowPrice, row) + length - at(reach, at(colOfRow, row))
  }
  for (let col = 0; col < cols; col++)
    if (at(colSeen, col) === 1) colPrice[col] = at(colPrice, col) - (length - at(reach, col))
}

function transpose(cost: Float64Array, rows: number, cols: number): Float64Array {
  const turned = new Float64Array(cost.length)
  for (let row = 0; row < rows; row++)
    for (let col = 0; col < cols; col++) turned[col * rows + row] = at(cost, row * cols + col)
  return turned
}

function invert(rowOfCol: Int32Array, rows: number): Int32Array {
  const colOfRow = new Int32Array(rows).fill(-1)
  rowOfCol.forEach((row, col) => {
    if (row >= 0) colOfRow[row] = col
  })
  return colOfRow
}
