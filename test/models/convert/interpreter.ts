/**
 * Runs a TFLite graph slowly and plainly, as the reference that a converted model is compared with. It shares nothing with the
 * converter but the reader of the file: it stays in TFLite's order of dimensions, takes paddings from the shapes that the file
 * states for each result, unpacks weights by itself and adds up in double precision.
 */
import type { Table } from '../../../models/convert/flatbuffer.ts'
import { readTflite, type TfGraph, type TfOperator, type TfTensor } from '../../../models/convert/tflite.ts'

type Values = Float32Array | Int32Array

export function interpret(file: Uint8Array, input: Float32Array): Map<string, Float32Array> {
  const graph = readTflite(file)
  const values = new Map<number, Values>()
  graph.tensors.forEach((tensor, index) => {
    if (tensor.stored.length > 0) values.set(index, stored(tensor))
  })
  values.set(graph.inputs[0]!, input)
  for (const operator of graph.operators) {
    const made = run(graph, operator, (index) => values.get(index)!)
    const expected = graph.tensors[operator.outputs[0]!]!.shape.reduce((a, b) => a * b, 1)
    if (made.length !== expected) throw new Error(`${operator.kind} made ${made.length}, not ${expected}`)
    values.set(operator.outputs[0]!, made)
  }
  return new Map(
    graph.outputs.map((index) => [graph.tensors[index]!.name, values.get(index) as Float32Array]),
  )
}

function stored(tensor: TfTensor): Values {
  const view = new DataView(tensor.stored.buffer, tensor.stored.byteOffset, tensor.stored.byteLength)
  if (tensor.type === 'int32')
    return Int32Array.from({ length: view.byteLength / 4 }, (_, at) => view.getInt32(at * 4, true))
  if (tensor.type === 'float32')
    return Float32Array.from({ length: view.byteLength / 4 }, (_, at) => view.getFloat32(at * 4, true))
  return Float32Array.from({ length: view.byteLength / 2 }, (_, at) => half(view.getUint16(at * 2, true)))
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function run(graph: TfGraph, operator: TfOperator, value: (index: number) => Values): Values {
  const { inputs, outputs, options } = operator
  const [first] = inputs
  const from = graph.tensors[first!]!
  const to = graph.tensors[outputs[0]!]!
  const x = value(first!)
  switch (operator.kind) {
    case 'DEQUANTIZE':
    case 'RESHAPE':
      return x
    case 'DENSIFY':
      return densified(from, x)
    case 'LOGISTIC':
      return Float32Array.from(x, (at) => 1 / (1 + Math.exp(-at)))
    case 'ADD': {
      const y = value(inputs[1]!)
      return Float32Array.from(x, (at, index) => activated(at + y[index]!, options!.byte(0)))
    }
    case 'PAD':
      return padded(x, from.shape, to.shape, value(inputs[1]!))
    case 'CONCATENATION':
      return concatenated(
        inputs.map((index) => ({ values: value(index), shape: graph.tensors[index]!.shape })),
      )
    case 'DEPTH_TO_SPACE':
      return spaceFromDepth(x, from.shape, to.shape, options!.int(0))
    case 'RESIZE_BILINEAR':
      return resized(x, from.shape, to.shape, options!)
    case 'MAX_POOL_2D':
      return pooled(x, from.shape, to.shape, options!)
    case 'CONV_2D':
      return convolved(
        x,
        from.shape,
        to.shape,
        value(inputs[1]!),
        graph.tensors[inputs[1]!]!.shape,
        value(inputs[2]!),
        options!,
      )
    case 'DEPTHWISE_CONV_2D':
      return depthwise(
        x,
        from.shape,
        to.shape,
        value(inputs[1]!),
        graph.tensors[inputs[1]!]!.shape,
        value(inputs[2]!),
        options!,
      )
    default:
      throw new Error(`${operator.kind} is not interpreted`)
  }
}

function activated(value: number, code: number): number {
  if (code === 1) return Math.max(0, value)
  return code === 3 ? Math.min(6, Math.max(0, value)) : value
}

/** Rows of a matrix with its empty places left out: the only kind of sparseness in these files. */
function densified(tensor: TfTensor, values: Values): Float32Array {
  const [rows, a, b, columns] = tensor.shape as [number, number, number, number]
  const level = tensor.sparsity!.levels[3]!
  if (a !== 1 || b !== 1 || level.kind !== 'sparse') throw new Error('another kind of sparse tensor')
  const dense = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++)
    for (let slot = level.segments[row]!; slot < level.segments[row + 1]!; slot++)
      dense[row * columns + level.indices[slot]!] = values[slot]!
  return dense
}

function padded(x: Values, from: number[], to: number[], pairs: Values): Float32Array {
  const [, h = 0, w = 0, c = 0] = from
  const [, , wide = 0, deep = 0] = to
  const out = new Float32Array(to.reduce((a, b) => a * b, 1))
  for (let row = 0; row < h; row++)
    for (let column = 0; column < w; column++)
      for (let channel = 0; channel < c; channel++)
        out[((row + pairs[2]!) * wide + column + pairs[4]!) * deep + channel + pairs[6]!] =
          x[(row * w + column) * c + channel]!
  return out
}

/** Along dimension 1 of three, which is where these files join. */
function concatenated(parts: { values: Values; shape: number[] }[]): Float32Array {
  if (parts.some(({ shape }) => shape.length !== 3)) throw new Error('another kind of concatenation')
  return Float32Array.from(parts.flatMap(({ values }) => [...values]))
}

function spaceFromDepth(x: Values, from: number[], to: number[], block: number): Float32Array {
  const [, , w = 0, c = 0] = from
  const [, high = 0, wide = 0, deep = 0] = to
  const out = new Float32Array(high * wide * deep)
  for (let row = 0; row < high; row++)
    for (let column = 0; column < wide; column++)
      for (let channel = 0; channel < deep; channel++) {
        const cell = Math.floor(row / block) * w + Math.floor(column / block)
        const inside = ((row % block) * block + (column % block)) * deep + channel
        out[(row * wide + column) * deep + channel] = x[cell * c + inside]!
      }
  return out
}

function resized(x: Values, from: number[], to: number[], options: Table): Float32Array {
  const [, h = 0, w = 0, c = 0] = from
  const [, high = 0, wide = 0] = to
  if (options.byte(2) !== 0 || options.byte(3) !== 1) throw new Error('another placement of pixels')
  const out = new Float32Array(high * wide * c)
  const around = (at: number, scale: number, size: number) => {
    const place = Math.max(0, (at + 0.5) * scale - 0.5)
    const low = Math.min(Math.floor(place), size - 1)
    return { low, up: Math.min(low + 1, size - 1), part: place - low }
  }
  for (let row = 0; row < high; row++)
    for (let column = 0; column < wide; column++) {
      const y = around(row, h / high, h)
      const z = around(column, w / wide, w)
      for (let channel = 0; channel < c; channel++) {
        const at = (line: number, place: number) => x[(line * w + place) * c + channel]!
        const upper = at(y.low, z.low) * (1 - z.part) + at(y.low, z.up) * z.part
        const lower = at(y.up, z.low) * (1 - z.part) + at(y.up, z.up) * z.part
        out[(row * wide + column) * c + channel] = upper * (1 - y.part) + lower * y.part
      }
    }
  return out
}

/** How far a window that gives `to` results from `from` values must begin before the first. */
function lead(from: number, to: number, stride: number, kernel: number): number {
  return Math.floor(Math.max(0, (to - 1) * stride + kernel - from) / 2)
}

function pooled(x: Values, from: number[], to: number[], options: Table): Float32Array {
  const [, h = 0, w = 0, c = 0] = from
  const [, high = 0, wide = 0] = to
  const out = new Float32Array(high * wide * c).fill(Number.NEGATIVE_INFINITY)
  const stride = options.int(1)
  const kernel = options.int(3)
  if (options.byte(5) !== 0) throw new Error('an activation after pooling')
  for (let row = 0; row < high; row++)
    for (let column = 0; column < wide; column++)
      for (let y = row * stride; y < Math.min(h, row * stride + kernel); y++)
        for (let z = column * stride; z < Math.min(w, column * stride + kernel); z++)
          for (let channel = 0; channel < c; channel++) {
            const place = (row * wide + column) * c + channel
            out[place] = Math.max(out[place]!, x[(y * w + z) * c + channel]!)
          }
  return out
}

function convolved(
  x: Values,
  from: number[],
  to: number[],
  weights: Values,
  kernel: number[],
  bias: Values,
  options: Table,
): Float32Array {
  const [, h = 0, w = 0, c = 0] = from
  const [, high = 0, wide = 0, deep = 0] = to
  const [, kh = 0, kw = 0] = kernel
  const stride = options.int(1)
  const top = options.byte(0) === 0 ? lead(h, high, stride, kh) : 0
  const left = options.byte(0) === 0 ? lead(w, wide, stride, kw) : 0
  const out = new Float32Array(high * wide * deep)
  for (let row = 0; row < high; row++)
    for (let column = 0; column < wide; column++)
      for (let channel = 0; channel < deep; channel++) {
        let sum = bias[channel]!
        for (let ky = 0; ky < kh; ky++) {
          const y = row * stride - top + ky
          if (y < 0 || y >= h) continue
          for (let kx = 0; kx < kw; kx++) {
            const z = column * stride - left + kx
            if (z < 0 || z >= w) continue
            const source = (y * w + z) * c
            const weight = ((channel * kh + ky) * kw + kx) * c
            for (let depth = 0; depth < c; depth++) sum += x[source + depth]! * weights[weight + depth]!
          }
        }
        out[(row * wide + column) * deep + channel] = activated(sum, options.byte(3))
      }
  return out
}

function depthwise(
  x: Values,
  from: number[],
  to: number[],
  weights: Values,
  kernel: number[],
  bias: Values,
  options: Table,
): Float32Array {
  const [, h = 0, w = 0, c = 0] = from
  const [, high = 0, wide = 0] = to
  const [, kh = 0, kw = 0] = kernel
  const stride = options.int(1)
  const top = options.byte(0) === 0 ? lead(h, high, stride, kh) : 0
  const left = options.byte(0) === 0 ? lead(w, wide, stride, kw) : 0
  if (options.int(3) !== 1) throw new Error('more than one result a channel')
  const out = new Float32Array(high * wide * c)
  const sums = new Float64Array(c)
  for (let row = 0; row < high; row++)
    for (let column = 0; column < wide; column++) {
      sums.set(bias)
      for (let ky = 0; ky < kh; ky++) {
        const y = row * stride - top + ky
        if (y < 0 || y >= h) continue
        for (let kx = 0; kx < kw; kx++) {
          const z = column * stride - left + kx
          if (z < 0 || z >= w) continue
          const source = (y * w + z) * c
          const weight = (ky * kw + kx) * c
          for (let channel = 0; channel < c; channel++)
            sums[channel]! += x[source + channel]! * weights[weight + channel]!
        }
      }
      const place = (row * wide + column) * c
      for (let channel = 0; channel < c; channel++)
        out[place + channel] = activated(sums[channel]!, options.byte(4))
    }
  return out
}
