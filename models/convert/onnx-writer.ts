/** Writes an ONNX model file. Only what the converter needs of protobuf and of onnx.proto; the output depends on the input alone. */

export type OnnxElement = 'float32' | 'float16' | 'int64'
const ELEMENT: Readonly<Record<OnnxElement, number>> = { float32: 1, int64: 7, float16: 10 }
const IR_VERSION = 8
export const OPSET = 13

export interface OnnxTensor {
  name: string
  type: OnnxElement
  shape: readonly number[]
  /** Little-endian values. */
  raw: Uint8Array
}

export type Attribute = number | string | readonly number[]

export interface OnnxNode {
  op: string
  inputs: readonly string[]
  outputs: readonly string[]
  attributes?: Readonly<Record<string, Attribute>>
}

export interface OnnxValue {
  name: string
  /** A size of null is left open. */
  shape: readonly (number | null)[]
}

export interface OnnxGraph {
  name: string
  nodes: readonly OnnxNode[]
  constants: readonly OnnxTensor[]
  inputs: readonly OnnxValue[]
  outputs: readonly OnnxValue[]
}

/** The bytes of a model file; `producer` names who made it. */
export function writeOnnx(graph: OnnxGraph, producer: string): Uint8Array {
  return message([
    varintField(1, IR_VERSION),
    textField(2, producer),
    bytesField(7, graphBytes(graph)),
    bytesField(8, message([varintField(2, OPSET)])),
  ])
}

function graphBytes({ nodes, name, constants, inputs, outputs }: OnnxGraph): Uint8Array {
  return message([
    ...nodes.map((node) => bytesField(1, nodeBytes(node))),
    textField(2, name),
    ...constants.map((tensor) => bytesField(5, tensorBytes(tensor))),
    ...inputs.map((value) => bytesField(11, valueBytes(value))),
    ...outputs.map((value) => bytesField(12, valueBytes(value))),
  ])
}

function nodeBytes({ op, inputs, outputs, attributes = {} }: OnnxNode): Uint8Array {
  return message([
    ...inputs.map((name) => textField(1, name)),
    ...outputs.map((name) => textField(2, name)),
    textField(4, op),
    ...Object.entries(attributes).map(([name, value]) => bytesField(5, attributeBytes(name, value))),
  ])
}

function attributeBytes(name: string, value: Attribute): Uint8Array {
  if (typeof value === 'number')
    return message([textField(1, name), varintField(3, value), varintField(20, 2)])
  if (typeof value === 'string') return message([textField(1, name), textField(4, value), varintField(20, 3)])
  return message([textField(1, name), ...value.map((item) => varintField(8, item)), varintField(20, 7)])
}

function tensorBytes({ name, type, shape, raw }: OnnxTensor): Uint8Array {
  return message([
    ...shape.map((size) => varintField(1, size)),
    varintField(2, ELEMENT[type]),
    textField(8, name),
    bytesField(9, raw),
  ])
}

function valueBytes({ name, shape }: OnnxValue): Uint8Array {
  const dimensions = message(
    shape.map((size) => bytesField(1, size === null ? textField(2, 'open') : varintField(1, size))),
  )
  const tensor = message([varintField(1, ELEMENT.float32), bytesField(2, dimensions)])
  return message([textField(1, name), bytesField(2, message([bytesField(1, tensor)]))])
}

function message(fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields)
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return bytes
}

function varintField(field: number, value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0) throw new Error(`${value} has no place in an ONNX file.`)
  return Uint8Array.from([...varint(field * 8), ...varint(value)])
}

function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from([...varint(field * 8 + 2), ...varint(bytes.length)]), bytes])
}

function textField(field: number, text: string): Uint8Array {
  return bytesField(field, new TextEncoder().encode(text))
}
