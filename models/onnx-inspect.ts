/** Reads what an ONNX file says about itself without running it, so that a file from outside is known before it is trusted. */
import { UnreadableInput } from './vision/unreadable.ts'

export interface OnnxValue {
  name: string
  /** Whether values are float32; other types are not for us. */
  isFloat: boolean
  /** Sizes; null where the file leaves one open. */
  shape: (number | null)[]
}

export interface OnnxSummary {
  producer: string
  inputs: OnnxValue[]
  outputs: OnnxValue[]
}

const MAX_VALUES = 64
const FLOAT = 1
const EXTERNAL = 1

/** Throws UnreadableInput when the file is no ONNX model, or one whose weights lie in other files. */
export function inspectOnnx(file: Uint8Array): OnnxSummary {
  try {
    return summary(file)
  } catch (cause) {
    if (cause instanceof UnreadableInput) throw cause
    throw new UnreadableInput('Not an ONNX model: its parts do not add up.', { cause })
  }
}

function summary(file: Uint8Array): OnnxSummary {
  let producer = ''
  let graph: Uint8Array | null = null
  let versions = 0
  for (const { field, bytes } of fieldsOf(file)) {
    if (field === 2) producer = text(bytes).slice(0, 80)
    if (field === 7) graph = bytes
    if (field === 8) versions++
  }
  if (graph === null || versions === 0)
    throw new UnreadableInput('Not an ONNX model: it holds no graph, or names no version of the operators.')
  const inputs: OnnxValue[] = []
  const outputs: OnnxValue[] = []
  const weights = new Set<string>()
  let nodes = 0
  for (const { field, bytes } of fieldsOf(graph)) {
    if (field === 1) nodes++
    if (field === 5) weights.add(nameOfWeights(bytes))
    if (field === 11) inputs.push(describe(bytes))
    if (field === 12) outputs.push(describe(bytes))
  }
  // Older files list their weights among the inputs.
  const real = inputs.filter(({ name }) => !weights.has(name))
  if (nodes === 0 || real.length === 0 || outputs.length === 0)
    throw new UnreadableInput('Not an ONNX model: it has no operators, inputs or outputs.')
  if (real.length > MAX_VALUES || outputs.length > MAX_VALUES)
    throw new UnreadableInput(`The model has more than ${MAX_VALUES} inputs or outputs.`)
  return { producer, inputs: real, outputs }
}

function nameOfWeights(tensor: Uint8Array): string {
  let name = ''
  for (const { field, bytes, value } of fieldsOf(tensor)) {
    if (field === 8) name = text(bytes)
    if (field === 14 && value === EXTERNAL)
      throw new UnreadableInput('The model keeps weights in other files; only whole files are read.')
  }
  return name
}

function describe(bytes: Uint8Array): OnnxValue {
  const value: OnnxValue = { name: '', isFloat: false, shape: [] }
  for (const { field, bytes: inner } of fieldsOf(bytes)) {
    if (field === 1) value.name = text(inner)
    if (field !== 2) continue
    for (const type of fieldsOf(inner)) {
      if (type.field !== 1) continue
      for (const part of fieldsOf(type.bytes)) {
        if (part.field === 1) value.isFloat = part.value === FLOAT
        if (part.field === 2) value.shape = shapeOf(part.bytes)
      }
    }
  }
  return value
}

function shapeOf(bytes: Uint8Array): (number | null)[] {
  const shape: (number | null)[] = []
  for (const { field, bytes: dimension } of fieldsOf(bytes)) {
    if (field !== 1) continue
    let size: number | null = null
    for (const part of fieldsOf(dimension)) if (part.field === 1) size = part.value
    shape.push(size)
  }
  return shape
}

/** One part of a protobuf message. */
export interface Field {
  field: number
  /** Of a length-delimited field; empty otherwise. */
  bytes: Uint8Array
  /** Of a whole-number field; 0 otherwise. */
  value: number
}

const NOTHING = new Uint8Array()

/** The fields of a protobuf message, one after the other. Throws RangeError when lengths do not fit. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
      const byte = message[at++]
      if (byte === undefined) throw new RangeError('a number is cut off')
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw new RangeError('a number is too long')
  }
  const skip = (count: number): number => {
    at += count
    if (at > message.length) throw new RangeError('a part is longer than the file')
    return at - count
  }
  while (at < message.length) {
    const key = varint()
    const field = Math.floor(key / 8)
    if (field === 0) throw new RangeError('a part has no number')
    const kind = key % 8
    if (kind === 0) yield { field, bytes: NOTHING, value: varint() }
    else if (kind === 2) {
      const length = varint()
      yield { field, bytes: message.subarray(skip(length), at), value: 0 }
    } else if (kind === 1 || kind === 5) {
      skip(kind === 1 ? 8 : 4)
      yield { field, bytes: NOTHING, value: 0 }
    } else throw new RangeError('a part is of no known kind')
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, 256))
}
