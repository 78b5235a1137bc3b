/** Reads the graph of a TFLite file (schema version 3): tensors, constants and operators with the options that we convert. */
import { rootTable, type Table } from './flatbuffer.ts'
import { densePositions, readSparsity, type Sparsity } from './sparse.ts'

export type ElementType = 'float32' | 'float16' | 'int32'

export interface TfTensor {
  name: string
  type: ElementType
  /** Height, width, channels follow the batch: TFLite is NHWC. */
  shape: number[]
  /** Raw little-endian values as stored; empty for what is computed. */
  stored: Uint8Array
  sparsity: Sparsity | null
}

export interface TfOperator {
  kind: string
  inputs: number[]
  outputs: number[]
  /** Fields of the operator's options by their schema index. */
  options: Table | null
}

export interface TfGraph {
  tensors: TfTensor[]
  operators: TfOperator[]
  inputs: number[]
  outputs: number[]
}

const ELEMENT_TYPES: Readonly<Record<number, ElementType>> = { 0: 'float32', 1: 'float16', 2: 'int32' }
export const BYTES_PER_ELEMENT: Readonly<Record<ElementType, number>> = { float32: 4, float16: 2, int32: 4 }

/** Builtin operator codes of the schema that the converter knows. */
const OPERATORS: Readonly<Record<number, string>> = {
  0: 'ADD',
  2: 'CONCATENATION',
  3: 'CONV_2D',
  4: 'DEPTHWISE_CONV_2D',
  5: 'DEPTH_TO_SPACE',
  6: 'DEQUANTIZE',
  14: 'LOGISTIC',
  17: 'MAX_POOL_2D',
  22: 'RESHAPE',
  23: 'RESIZE_BILINEAR',
  34: 'PAD',
  124: 'DENSIFY',
}
const IDENTIFIER = 'TFL3'

/** Throws with what is wrong when the file is no TFLite model, or one with parts that we do not convert. */
export function readTflite(file: Uint8Array): TfGraph {
  if (new TextDecoder('latin1').decode(file.subarray(4, 8)) !== IDENTIFIER)
    throw new Error(`Not a TFLite file: bytes 4 to 8 should read ${IDENTIFIER}.`)
  const model = rootTable(file)
  const kinds = model.tables(1).map(operatorKind)
  const buffers = model.tables(4)
  const [subgraph, ...more] = model.tables(2)
  if (subgraph === undefined || more.length > 0)
    throw new Error('Only TFLite files with exactly one subgraph can be converted.')
  return {
    tensors: subgraph.tables(0).map((tensor) => readTensor(tensor, buffers)),
    operators: subgraph.tables(3).map((operator) => ({
      kind: kinds[operator.uint(0)] ?? 'unknown',
      inputs: operator.ints(1),
      outputs: operator.ints(2),
      options: operator.table(4),
    })),
    inputs: subgraph.ints(1),
    outputs: subgraph.ints(2),
  }
}

/** The code moved from a byte to an int when there were more than 127 operators; the larger of both holds. */
function operatorKind(table: Table): string {
  const code = Math.max(table.byte(0), table.int(3))
  const kind = OPERATORS[code]
  if (kind === undefined) throw new Error(`TFLite operator ${code} is not one that can be converted.`)
  return kind
}

function readTensor(table: Table, buffers: readonly Table[]): TfTensor {
  const name = table.text(3)
  const type = ELEMENT_TYPES[table.byte(1)]
  if (type === undefined) throw new Error(`Tensor ${name} has element type ${table.byte(1)}.`)
  const stored = buffers[table.uint(2)]?.bytes(0) ?? new Uint8Array()
  return { name, type, shape: table.ints(0), stored, sparsity: readSparsity(table.table(6)) }
}

/** The dense little-endian bytes of a constant: a sparse one's missing values are zero. */
export function denseBytes(tensor: TfTensor): Uint8Array {
  if (tensor.sparsity === null) return tensor.stored
  const width = BYTES_PER_ELEMENT[tensor.type]
  const count = tensor.shape.reduce((product, size) => product * size, 1)
  const dense = new Uint8Array(count * width)
  densePositions(tensor.shape, tensor.sparsity).forEach((position, index) => {
    dense.set(tensor.stored.subarray(index * width, (index + 1) * width), position * width)
  })
  return dense
}
