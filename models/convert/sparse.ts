import type { Table } from './flatbuffer.ts'

/** How a sparse tensor's values lie in its dense shape: TFLite's SparsityParameters. */
export interface Sparsity {
  /** Order in which the dimensions, then the dimensions of the blocks, are walked. */
  traversalOrder: number[]
  /** Which dimension each block dimension cuts. */
  blockMap: number[]
  levels: SparseLevel[]
}

export type SparseLevel =
  | { kind: 'dense'; size: number }
  | { kind: 'sparse'; segments: number[]; indices: number[] }

/** Reads the sparsity of a tensor's table; null when the tensor is dense. */
export function readSparsity(table: Table | null): Sparsity | null {
  if (table === null) return null
  return { traversalOrder: table.ints(0), blockMap: table.ints(1), levels: table.tables(2).map(readLevel) }
}

function readLevel(table: Table): SparseLevel {
  if (table.byte(0) === 0) return { kind: 'dense', size: table.int(1) }
  return { kind: 'sparse', segments: indexVector(table, 2), indices: indexVector(table, 4) }
}

/** A union of int32, uint16 and uint8 vectors: its kind lies in one field and its table in the next. */
function indexVector(table: Table, field: number): number[] {
  const values = table.table(field + 1)
  if (values === null) return []
  const kind = table.byte(field)
  if (kind === 1) return values.ints(0)
  return kind === 2 ? values.uint16s(0) : [...values.bytes(0)]
}

/** Where each stored value of a sparse tensor belongs in the dense one, in storage order. */
export function densePositions(shape: readonly number[], sparsity: Sparsity): number[] {
  const { traversalOrder, blockMap, levels } = sparsity
  const rank = shape.length
  const blockSizes = levels.slice(rank).map((level) => {
    if (level.kind === 'sparse') throw new Error('A block dimension of a sparse tensor must be dense.')
    return level.size
  })
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
  const walked: number[] = []
  const positions: number[] = []
  const position = (): number => {
    const index = new Array<number>(rank).fill(0)
    walked.forEach((at, level) => {
      const axis = traversalOrder[level] ?? 0
      const block = axis - rank
      const target = block < 0 ? axis : (blockMap[block] ?? 0)
      index[target] = block < 0 ? at : (index[target] ?? 0) * (blockSizes[block] ?? 1) + at
    })
    return index.reduce((sum, at, axis) => sum + at * (strides[axis] ?? 0), 0)
  }
  const walk = (depth: number, parent: number): void => {
    const level = levels[depth]
    if (level === undefined) {
      positions.push(position())
    } else if (level.kind === 'dense') {
      for (let at = 0; at < level.size; at++) step(depth, at, parent * level.size + at)
    } else {
      const end = level.segments[parent + 1] ?? 0
      for (let slot = level.segments[parent] ?? 0; slot < end; slot++)
        step(depth, level.indices[slot] ?? 0, slot)
    }
  }
  const step = (depth: number, at: number, next: number): void => {
    walked[depth] = at
    walk(depth + 1, next)
    walked.length = depth
  }
  walk(0, 0)
  return positions
}
