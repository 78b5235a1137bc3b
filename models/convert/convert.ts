/** Turns a TFLite graph into an ONNX one: channels first, weights kept as float16, constants folded, unused outputs left out. */

import { constantInts, isConstant, storedValue, type TensorValue, transposed } from './constants.ts'
import type { Table } from './flatbuffer.ts'
import { type Attribute, type OnnxGraph, type OnnxNode, type OnnxTensor, writeOnnx } from './onnx-writer.ts'
import { readTflite, type TfGraph, type TfOperator, type TfTensor } from './tflite.ts'

/** What becomes of the file: which outputs stay, by TFLite's names and under which new ones. */
export interface Conversion {
  name: string
  /** New name of the only input. */
  input: string
  /** New names by the TFLite file's names; outputs that are not named are left out with everything only they need. */
  outputs: Readonly<Record<string, string>>
}

const PRODUCER = 'homefield'
const SAME = 0
const ACTIVATIONS: Readonly<Record<number, 'none' | 'relu' | 'relu6'>> = { 0: 'none', 1: 'relu', 3: 'relu6' }

/**
 * The ONNX file (opset 13) of a TFLite file. A four-dimensional input or output N×H×W×C of the original is N×C×H×W in the result;
 * others keep their shape. The same file always converts to the same bytes. Throws when the graph holds what we do not convert.
 */
export function convertTflite(file: Uint8Array, conversion: Conversion): Uint8Array {
  return writeOnnx(convertGraph(readTflite(file), conversion), PRODUCER)
}

/** Everything an operator's conversion needs: names of its tensors, and where to put nodes and constants. */
interface Builder {
  graph: TfGraph
  tensor(index: number | undefined): TfTensor
  nameOf(index: number | undefined): string
  /** Adds a node that makes `output`; answers that name. */
  node(op: string, inputs: readonly string[], output: string, attributes?: Record<string, Attribute>): string
  /** Adds a constant of whole numbers. */
  whole(name: string, values: readonly number[]): string
  /** Adds constant weights, given as float16 or float32, that nodes see as float32. */
  weights(index: number | undefined, order?: readonly number[]): string
  scalar(value: number): string
  nodes: OnnxNode[]
  constants: OnnxTensor[]
}

function convertGraph(graph: TfGraph, { name, input, outputs }: Conversion): OnnxGraph {
  const [inputIndex, ...others] = graph.inputs
  if (inputIndex === undefined || others.length > 0) throw new Error('The model must have one input.')
  const kept = graph.outputs.filter((index) => outputs[graph.tensors[index]?.name ?? ''] !== undefined)
  if (kept.length !== Object.keys(outputs).length) throw new Error('An output that was asked for is missing.')
  const renamed = new Map(kept.map((index) => [index, outputs[graph.tensors[index]?.name ?? ''] ?? '']))
  renamed.set(inputIndex, input)
  const builder = createBuilder(graph, renamed)
  for (const operator of needed(graph, kept)) convertOperator(builder, operator)
  const described = (index: number) => ({
    name: builder.nameOf(index),
    shape: channelsFirst(builder.tensor(index).shape),
  })
  return {
    name,
    nodes: builder.nodes,
    constants: builder.constants,
    inputs: [described(inputIndex)],
    outputs: kept.map(described),
  }
}

/** The operators on the way to the wanted tensors, in their order; those that only unpack constants are folded elsewhere. */
function needed(graph: TfGraph, wanted: readonly number[]): TfOperator[] {
  const open = new Set(wanted)
  const found = graph.operators.toReversed().filter((operator) => {
    if (!operator.outputs.some((index) => open.has(index))) return false
    for (const index of operator.inputs) open.add(index)
    return !isConstant(graph, operator.outputs[0])
  })
  return found.toReversed()
}

function createBuilder(graph: TfGraph, renamed: ReadonlyMap<number, string>): Builder {
  const nodes: OnnxNode[] = []
  const constants: OnnxTensor[] = []
  const known = new Set<string>()
  const constant = (tensor: OnnxTensor): string => {
    if (!known.has(tensor.name)) constants.push(tensor)
    known.add(tensor.name)
    return tensor.name
  }
  const tensor = (index: number | undefined): TfTensor => {
    const found = index === undefined ? undefined : graph.tensors[index]
    if (found === undefined) throw new Error(`There is no tensor ${index}.`)
    return found
  }
  const node: Builder['node'] = (op, inputs, output, attributes) => {
    nodes.push({ op, inputs, outputs: [output], ...(attributes && { attributes }) })
    return output
  }
  return {
    graph,
    tensor,
    nodes,
    constants,
    node,
    nameOf: (index) => renamed.get(index ?? -1) ?? `t${index}`,
    whole: (name, values) =>
      constant({
        name,
        type: 'int64',
        shape: [values.length],
        raw: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
      }),
    scalar: (value) =>
      constant({
        name: `scalar_${value}`,
        type: 'float32',
        shape: [],
        raw: new Uint8Array(Float32Array.of(value).buffer),
      }),
    weights(index, order) {
      const value: TensorValue = transposed(storedValue(graph, index), order)
      const name = `w${index}`
      if (known.has(name)) return `${name}_f32`
      constant({ name, ...value })
      return value.type === 'float32' ? name : node('Cast', [name], `${name}_f32`, { to: 1 })
    },
  }
}

type Convert = (builder: Builder, operator: TfOperator, options: Table) => void

const CONVERSIONS: Readonly<Record<string, Convert>> = {
  CONV_2D(builder, { inputs, outputs }, options) {
    const weights = builder.weights(inputs[1], [0, 3, 1, 2])
    const [, kernelH, kernelW] = builder.tensor(inputs[1]).shape
    const window = {
      kernel: [kernelH ?? 1, kernelW ?? 1],
      strides: [options.int(2), options.int(1)],
      dilations: [options.int(5, 1), options.int(4, 1)],
    }
    convolve(
      builder,
      { inputs, outputs },
      { ...window, weights, group: 1, padding: options.byte(0) },
      options.byte(3),
    )
  },
  DEPTHWISE_CONV_2D(builder, { inputs, outputs }, options) {
    const weights = builder.weights(inputs[1], [3, 0, 1, 2])
    const [, kernelH, kernelW] = builder.tensor(inputs[1]).shape
    const window = {
      kernel: [kernelH ?? 1, kernelW ?? 1],
      strides: [options.int(2), options.int(1)],
      dilations: [options.int(6, 1), options.int(5, 1)],
    }
    const group = builder.tensor(inputs[0]).shape[3] ?? 1
    convolve(
      builder,
      { inputs, outputs },
      { ...window, weights, group, padding: options.byte(0) },
      options.byte(4),
    )
  },
  ADD(builder, { inputs, outputs }, options) {
    const names = inputs.map((index) => builder.nameOf(index))
    activated(builder, outputs[0], options.byte(0), (out) => builder.node('Add', names, out))
  },
  PAD(builder, { inputs, outputs }) {
    // Pairs before/after for each of N, H, W, C become all befores, then all afters, of N, C, H, W.
    const pairs = constantInts(builder.tensor(inputs[1]))
    const pads = [0, 1].flatMap((side) => [0, 3, 1, 2].map((axis) => pairs[axis * 2 + side] ?? 0))
    const name = builder.nameOf(outputs[0])
    builder.node('Pad', [builder.nameOf(inputs[0]), builder.whole(`${name}_pads`, pads)], name)
  },
  MAX_POOL_2D(builder, { inputs, outputs }, options) {
    const window = {
      kernel: [options.int(4), options.int(3)],
      strides: [options.int(2), options.int(1)],
      dilations: [1, 1],
    }
    const pads = padsOf(builder.tensor(inputs[0]).shape, window, options.byte(0))
    const attributes = { kernel_shape: window.kernel, strides: window.strides, pads }
    activated(builder, outputs[0], options.byte(5), (out) =>
      builder.node('MaxPool', [builder.nameOf(inputs[0])], out, attributes),
    )
  },
  RESIZE_BILINEAR(builder, { inputs, outputs }, options) {
    const [height = 0, width = 0] = constantInts(builder.tensor(inputs[1]))
    const [batch = 1, , , channels = 1] = builder.tensor(inputs[0]).shape
    const name = builder.nameOf(outputs[0])
    const sizes = builder.whole(`${name}_size`, [batch, channels, height, width])
    const placement = options.byte(2) ? 'align_corners' : options.byte(3) ? 'half_pixel' : 'asymmetric'
    builder.node('Resize', [builder.nameOf(inputs[0]), '', '', sizes], name, {
      mode: 'linear',
      coordinate_transformation_mode: placement,
    })
  },
  DEPTH_TO_SPACE(builder, { inputs, outputs }, options) {
    builder.node('DepthToSpace', [builder.nameOf(inputs[0])], builder.nameOf(outputs[0]), {
      blocksize: options.int(0),
      mode: 'DCR',
    })
  },
  RESHAPE(builder, { inputs, outputs }) {
    const from = builder.tensor(inputs[0]).shape
    const to = builder.tensor(outputs[0]).shape
    if (to.length === 4) throw new Error('A reshape into four dimensions has no channels-first meaning.')
    const name = builder.nameOf(outputs[0])
    const shape = builder.whole(`${name}_shape`, to)
    builder.node('Reshape', [channelsLast(builder, inputs[0], from), shape], name)
  },
  CONCATENATION(builder, { inputs, outputs }, options) {
    const { shape } = builder.tensor(outputs[0])
    const axis = options.int(0) < 0 ? options.int(0) + shape.length : options.int(0)
    const names = inputs.map((index) => builder.nameOf(index))
    activated(builder, outputs[0], options.byte(1), (out) =>
      builder.node('Concat', names, out, { axis: shape.length === 4 ? ([0, 2, 3, 1][axis] ?? 0) : axis }),
    )
  },
  LOGISTIC(builder, { inputs, outputs }) {
    builder.node('Sigmoid', [builder.nameOf(inputs[0])], builder.nameOf(outputs[0]))
  },
}

function convertOperator(builder: Builder, operator: TfOperator): void {
  const convert = CONVERSIONS[operator.kind]
  if (convert === undefined) throw new Error(`${operator.kind} on computed values is not converted.`)
  convert(builder, operator, operator.options ?? NO_OPTIONS)
}

const NO_OPTIONS: Table = {
  int: (_, fallback = 0) => fallback,
  byte: (_, fallback = 0) => fallback,
  uint: (_, fallback = 0) => fallback,
  text: () => '',
  table: () => null,
  tables: () => [],
  ints: () => [],
  uint16s: () => [],
  bytes: () => new Uint8Array(),
  placeOf: () => null,
  placesOf: () => [],
}

interface Window {
  kernel: number[]
  strides: number[]
  dilations: number[]
}

function convolve(
  builder: Builder,
  { inputs, outputs }: Pick<TfOperator, 'inputs' | 'outputs'>,
  { weights, group, padding, ...window }: Window & { weights: string; group: number; padding: number },
  activation: number,
): void {
  const names = [builder.nameOf(inputs[0]), weights]
  if (inputs[2] !== undefined && inputs[2] >= 0) names.push(builder.weights(inputs[2]))
  activated(builder, outputs[0], activation, (out) =>
    builder.node('Conv', names, out, {
      kernel_shape: window.kernel,
      strides: window.strides,
      dilations: window.dilations,
      pads: padsOf(builder.tensor(inputs[0]).shape, window, padding),
      group,
    }),
  )
}

/** TFLite's SAME puts the odd pixel after, not before. */
function padsOf(shape: readonly number[], { kernel, strides, dilations }: Window, padding: number): number[] {
  if (padding !== SAME) return [0, 0, 0, 0]
  const totals = [0, 1].map((axis) => {
    const size = shape[axis + 1] ?? 1
    const stride = strides[axis] ?? 1
    const reach = ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) + 1
    return Math.max((Math.ceil(size / stride) - 1) * stride + reach - size, 0)
  })
  return [...totals.map((total) => Math.floor(total / 2)), ...totals.map((total) => Math.ceil(total / 2))]
}

/** Adds what makes a tensor, then the activation that TFLite fuses into its operator. */
function activated(
  builder: Builder,
  output: number | undefined,
  code: number,
  make: (name: string) => string,
): void {
  const activation = ACTIVATIONS[code]
  const name = builder.nameOf(output)
  if (activation === undefined) throw new Error(`Activation ${code} is not converted.`)
  if (activation === 'none') make(name)
  else if (activation === 'relu') builder.node('Relu', [make(`${name}_raw`)], name)
  else builder.node('Clip', [make(`${name}_raw`), builder.scalar(0), builder.scalar(6)], name)
}

/** The tensor in TFLite's order of dimensions; a single pixel is the same in both. */
function channelsLast(builder: Builder, index: number | undefined, shape: readonly number[]): string {
  const name = builder.nameOf(index)
  const [, height, width] = shape
  if (shape.length !== 4 || (height === 1 && width === 1)) return name
  return builder.node('Transpose', [name], `${name}_nhwc`, { perm: [0, 2, 3, 1] })
}

function channelsFirst(shape: readonly number[]): number[] {
  const [batch = 1, height = 1, width = 1, channels = 1] = shape
  return shape.length === 4 ? [batch, channels, height, width] : [...shape]
}
