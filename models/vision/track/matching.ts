/** Pairs tracks with boxes: the cheapest pairing in which no pair costs more than a limit. */
import { assign } from '../numeric/assignment.ts'
import { at } from '../numeric/dense.ts'

/** A track (row) and a box (column) that may belong together. */
export interface Candidate {
  row: number
  col: number
  cost: number
}

/**
 * Column of each row, -1 for none, so that the sum of (cost - limit) is least: what ByteTrack gets from LAPJV with a cost limit,
 * which pads the matrix with half the limit per unmatched side. Overlaps on a pitch are sparse, so the problem falls apart into
 * small groups that are solved exactly one by one.
 */
export function matchBelow(
  rows: number,
  cols: number,
  candidates: readonly Candidate[],
  limit: number,
): Int32Array {
  const colOfRow = new Int32Array(rows).fill(-1)
  const wanted = candidates.filter(({ cost }) => cost < limit)
  for (const group of connected(rows, cols, wanted)) {
    const [first] = group
    if (group.length === 1 && first) colOfRow[first.row] = first.col
    else matchGroup(group, limit, colOfRow)
  }
  return colOfRow
}

function connected(rows: number, cols: number, candidates: readonly Candidate[]): Iterable<Candidate[]> {
  const parent = new Int32Array(rows + cols)
  for (let node = 0; node < parent.length; node++) parent[node] = node
  const rootOf = (node: number): number => {
    let root = node
    while (at(parent, root) !== root) {
      parent[root] = at(parent, at(parent, root))
      root = at(parent, root)
    }
    return root
  }
  for (const { row, col } of candidates) parent[rootOf(row)] = rootOf(rows + col)
  const groups = new Map<number, Candidate[]>()
  for (const candidate of candidates) {
    const root = rootOf(candidate.row)
    const group = groups.get(root)
    if (group) group.push(candidate)
    else groups.set(root, [candidate])
  }
  return groups.values()
}

function matchGroup(group: readonly Candidate[], limit: number, colOfRow: Int32Array): void {
  const rows = [...new Set(group.map(({ row }) => row))]
  const cols = [...new Set(group.map(({ col }) => col))]
  const rowAt = new Map(rows.map((row, index) => [row, index]))
  const colAt = new Map(cols.map((col, index) => [col, index]))
  const cost = new Float64Array(rows.length * cols.length)
  for (const candidate of group)
    cost[(rowAt.get(candidate.row) ?? 0) * cols.length + (colAt.get(candidate.col) ?? 0)] =
      candidate.cost - limit
  assign(cost, rows.length, cols.length).forEach((col, row) => {
    if (col >= 0 && at(cost, row * cols.length + col) < 0) colOfRow[at(rows, row)] = at(cols, col)
  })
}
