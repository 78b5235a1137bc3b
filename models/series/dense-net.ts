/**
 * Runs the small ONNX files that the hub trains itself: dense layers (Gemm) with tanh between them. A few thousand products take
 * microseconds here and need no thread, so a minute of a person never waits behind the pictures that ONNX Runtime is busy with.
 */
import { fieldsOf, inspectOnnx } from '../onnx-inspect.ts'
import { UnreadableInput } from '../vision/unreadable.ts'

export interface DenseNet {
  inputs: number
  outputs: number
  /** Values of the outputs for one row of inputs; they stay until the next call. */
  run(row: ArrayLike<number>): Float64Array
}

interface Layer {
  inputs: number
  outputs: number
  weights: Float32Array
  bias: Float32Array
  isBent: boolean
}

/** Throws UnreadableInput for a file with any other operator. */
export function readDenseNet(file: Uint8Array): DenseNet {
  inspectOnnx(file)
  const layers = layersOf(file)
  const values = layers.map(({ outputs }) => new Float64Array(outputs))
  const nothing = new Float64Array(0)
  return {
    inputs: layers[0]?.inputs ?? 0,
    outputs: layers.at(-1)?.outputs ?? 0,
    run(row) {
      let from: ArrayLike<number> = row
      layers.forEach((layer, at) => {
        const to = values[at] ?? nothing
        apply(layer, from, to)
        from = to
      })
      return values.at(-1) ?? nothing
    },
  }
}

function apply(
  { inputs, outputs, weights, bias, isBent }: Layer,
  from: ArrayLike<number>,
  to: Float64Array,
): void {
  to.set(bias)
  for (let i = 0; i < inputs; i += 1) {
    const value = from[i] ?? 0
    const start = i * outputs
    for (let o = 0; o < outputs; o += 1) to[o] = (to[o] ?? 0) + value * (weights[start + o] ?? 0)
  }
  if (isBent) for (let o = 0; o < outputs; o += 1) to[o] = Math.tanh(to[o] ?? 0)
}

function layersOf(file: Uint8Array): Layer[] {
  const graph = [...fieldsOf(file)].find(({ field }) => field === 7)?.bytes ?? new Uint8Array()
  const constants = new Map<string, Constant>()
  const nodes: Node[] = []
  for (const { field, bytes } of fieldsOf(graph)) {
    if (field === 1) nodes.push(readNode(bytes))
    if (field === 5) {
      const constant = readConstant(bytes)
      constants.set(constant.name, constant)
    }
  }
  return nodes.flatMap(({ op, inputs }, at) => {
    if (op === 'Tanh' && nodes[at - 1]?.op === 'Gemm') return []
    const weights = constants.get(inputs[1] ?? '')
    const bias = constants.get(inputs[2] ?? '')
    const [rows = 0, columns = 0] = weights?.shape ?? []
    if (op !== 'Gemm' || weights?.values.length !== rows * columns || bias?.values.length !== columns)
      throw new UnreadableInput('The model has other parts than dense layers and tanh.')
    const isBent = nodes[at + 1]?.op === 'Tanh'
    return [{ inputs: rows, outputs: columns, weights: weights.values, bias: bias.values, isBent }]
  })
}

interface Node {
  op: string
  inputs: string[]
}

function readNode(bytes: Uint8Array): Node {
  const node: Node = { op: '', inputs: [] }
  for (const part of fieldsOf(bytes)) {
    if (part.field === 1) node.inputs.push(words(part.bytes))
    if (part.field === 4) node.op = words(part.bytes)
    if (part.field === 5)
      throw new UnreadableInput('The model turns its layers in a way that is not read here.')
  }
  return node
}

interface Constant {
  name: string
  shape: number[]
  values: Float32Array
}

function readConstant(bytes: Uint8Array): Constant {
  const constant: Constant = { name: '', shape: [], values: new Float32Array() }
  for (const part of fieldsOf(bytes)) {
    if (part.field === 1) constant.shape.push(part.value)
    if (part.field === 8) constant.name = words(part.bytes)
    // A copy, because floats must lie at a multiple of four.
    if (part.field === 9) constant.values = new Float32Array(Uint8Array.from(part.bytes).buffer)
  }
  return constant
}

function words(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
