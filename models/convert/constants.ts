/** The constants of a TFLite graph, seen through the operators that unpack them. */
import { BYTES_PER_ELEMENT, denseBytes, type TfGraph, type TfTensor } from './tflite.ts'

/** A constant ready for the other format. */
export interface TensorValue {
  type: 'float32' | 'float16'
  shape: number[]
  raw: Uint8Array
}

/** Operators that only turn a stored constant into another form of itself. */
const UNPACKING = new Set(['DEQUANTIZE', 'DENSIFY'])

/** Whether a tensor is stored in the file or unpacked from one that is. */
export function isConstant(graph: TfGraph, index: number | undefined): boolean {
  return storedTensor(graph, index) !== null
}

/** The value of a constant as it is stored (float16 stays float16), sparse ones filled up. Throws for a computed tensor. */
export function storedValue(graph: TfGraph, index: number | undefined): TensorValue {
  const tensor = storedTensor(graph, index)
  if (tensor === null || tensor.type === 'int32')
    throw new Error(`Tensor ${index} should be constant weights.`)
  return { type: tensor.type, shape: [...tensor.shape], raw: denseBytes(tensor) }
}

/** The whole numbers of a constant such as a shape. */
export function constantInts(tensor: TfTensor): number[] {
  if (tensor.type !== 'int32') throw new Error(`${tensor.name} should hold whole numbers.`)
  const view = new DataView(tensor.stored.buffer, tensor.stored.byteOffset, tensor.stored.byteLength)
  return Array.from({ length: tensor.stored.byteLength / 4 }, (_, at) => view.getInt32(at * 4, true))
}

/** The constant with its dimensions in another order: dimension `i` of the answer is dimension `order[i]` of the argument. */
export function transposed(value: TensorValue, order?: readonly number[]): TensorValue {
  if (order === undefined) return value
  const width = BYTES_PER_ELEMENT[value.type]
  const strides = value.shape.map((_, axis) => value.shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  const shape = order.map((axis) => value.shape[axis] ?? 1)
  const steps = order.map((axis) => strides[axis] ?? 0)
  const raw = new Uint8Array(value.raw.length)
  const index = new Array<number>(shape.length).fill(0)
  for (let to = 0; to < raw.length; to += width) {
    const from = index.reduce((sum, at, axis) => sum + at * (steps[axis] ?? 0), 0) * width
    raw.set(value.raw.subarray(from, from + width), to)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1
      index[axis] = next === shape[axis] ? 0 : next
      if (index[axis] !== 0) break
    }
  }
  return { type: value.type, shape, raw }
}

function storedTensor(graph: TfGraph, index: number | undefined): TfTensor | null {
  if (index === undefined || index < 0) return null
  const tensor = graph.tensors[index]
  if (tensor === undefined) return null
  if (tensor.stored.length > 0) return tensor
  const unpacked = graph.operators.find(({ kind, outputs }) => UNPACKING.has(kind) && outputs.includes(index))
  return unpacked === undefined ? null : storedTensor(graph, unpacked.inputs[0])
}
