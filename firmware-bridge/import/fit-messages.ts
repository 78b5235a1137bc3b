/** One data message of a FIT file: which kind, and its fields by number. Invalid values are not there. */
export interface FitMessage {
  global: number
  fields: ReadonlyMap<number, number | readonly number[]>
}

export interface FitMessagesDeps {
  onMessage(message: FitMessage): void
  /** Once, when nothing behind this place can be read. */
  onBroken(where: string, reason: string): void
}

export interface FitMessages {
  push(chunk: Uint8Array): void
  end(): void
}

interface Field {
  number: number
  size: number
  base: number
}

interface Definition {
  global: number
  little: boolean
  fields: readonly Field[]
  size: number
}

interface BaseType {
  bytes: number
  invalid: number
  read(view: DataView, at: number, little: boolean): number
}

const TIMESTAMP = 253
const BASES: Readonly<Record<number, BaseType>> = {
  0: { bytes: 1, invalid: 0xff, read: (view, at) => view.getUint8(at) },
  1: { bytes: 1, invalid: 0x7f, read: (view, at) => view.getInt8(at) },
  2: { bytes: 1, invalid: 0xff, read: (view, at) => view.getUint8(at) },
  3: { bytes: 2, invalid: 0x7fff, read: (view, at, little) => view.getInt16(at, little) },
  4: { bytes: 2, invalid: 0xffff, read: (view, at, little) => view.getUint16(at, little) },
  5: { bytes: 4, invalid: 0x7fffffff, read: (view, at, little) => view.getInt32(at, little) },
  6: { bytes: 4, invalid: 0xffffffff, read: (view, at, little) => view.getUint32(at, little) },
  8: { bytes: 4, invalid: Number.NaN, read: (view, at, little) => view.getFloat32(at, little) },
  9: { bytes: 8, invalid: Number.NaN, read: (view, at, little) => view.getFloat64(at, little) },
  10: { bytes: 1, invalid: 0, read: (view, at) => view.getUint8(at) },
  11: { bytes: 2, invalid: 0, read: (view, at, little) => view.getUint16(at, little) },
  12: { bytes: 4, invalid: 0, read: (view, at, little) => view.getUint32(at, little) },
}

/**
 * The messages of FIT files (FIT protocol 2.0: header, definitions, data, CRC-16) as they pass, in constant memory: a
 * message is 64 KB at most. Files that follow each other in one file are read in turn.
 */
export function createFitMessages({ onMessage, onBroken }: FitMessagesDeps): FitMessages {
  const definitions = new Map<number, Definition>()
  let waiting = Buffer.alloc(0)
  let consumed = 0
  /** Bytes of records left in this file; null before its header. */
  let left: number | null = null
  let crc = 0
  let timestamp: number | null = null
  let files = 0
  let broken = false

  const fail = (reason: string) => {
    broken = true
    onBroken(`byte ${consumed}`, reason)
  }
  const take = (bytes: number): Buffer => {
    const taken = waiting.subarray(0, bytes)
    waiting = waiting.subarray(bytes)
    consumed += bytes
    crc = crc16(taken, crc)
    return taken
  }
  const header = (): boolean => {
    const size = waiting[0] ?? 0
    if (waiting.length < 1 || waiting.length < size) return false
    if (size !== 12 && size !== 14) return broke('not a FIT file')
    crc = 0
    const bytes = take(size)
    if (bytes.toString('latin1', 8, 12) !== '.FIT') return broke('not a FIT file')
    left = bytes.readUInt32LE(4)
    definitions.clear()
    files++
    return true
  }
  const broke = (reason: string): false => {
    fail(reason)
    return false
  }
  const checksum = (): boolean => {
    if (waiting.length < 2) return false
    const computed = crc
    const told = take(2).readUInt16LE(0)
    left = null
    return told === computed || told === 0 || broke('the checksum is wrong: the file is damaged')
  }
  const record = (): boolean => {
    const head = waiting[0]
    if (head === undefined || left === null) return false
    const size = (head & 0x80) === 0 && (head & 0x40) !== 0 ? definitionSize(waiting) : dataSize(head)
    if (size === null) return false
    if (size < 0) return broke('a message without its definition')
    if (size > left) return broke('a message longer than the file says it is')
    if (waiting.length < size) return false
    left -= size
    const bytes = take(size)
    if ((head & 0xc0) === 0x40) define(bytes)
    else data(head, bytes)
    return true
  }
  const dataSize = (head: number): number => {
    const definition = definitions.get(localType(head))
    return definition ? definition.size + 1 : -1
  }
  const define = (bytes: Buffer) => {
    const little = bytes[2] === 0
    const fields: Field[] = []
    const count = bytes[5] ?? 0
    let size = 0
    for (let index = 0; index < count; index++) {
      const at = 6 + index * 3
      const field = { number: bytes[at] ?? 0, size: bytes[at + 1] ?? 0, base: (bytes[at + 2] ?? 0) & 0x1f }
      fields.push(field)
      size += field.size
    }
    for (let at = 6 + count * 3 + 1; at + 2 < bytes.length; at += 3) size += bytes[at + 1] ?? 0
    const global = little ? bytes.readUInt16LE(3) : bytes.readUInt16BE(3)
    definitions.set(localType(bytes[0] ?? 0), { global, little, fields, size })
  }
  const data = (head: number, bytes: Buffer) => {
    const definition = definitions.get(localType(head))
    if (!definition) return
    const fields = fieldsOf(definition, bytes)
    if (head & 0x80 && timestamp !== null) {
      // Five bits of the time; a smaller value than last time means that they ran over.
      timestamp += ((head & 0x1f) - (timestamp & 0x1f)) & 0x1f
      fields.set(TIMESTAMP, timestamp)
    }
    const told = fields.get(TIMESTAMP)
    if (typeof told === 'number') timestamp = told
    onMessage({ global: definition.global, fields })
  }
  const step = (): boolean => {
    if (broken) return false
    if (left === null) return header()
    return left === 0 ? checksum() : record()
  }
  return {
    push(chunk) {
      if (broken) return
      waiting = waiting.length === 0 ? Buffer.from(chunk) : Buffer.concat([waiting, chunk])
      while (step()) {
        // Each step takes a header, a message or a checksum.
      }
    },
    end() {
      if (broken) return
      if (files === 0) fail('not a FIT file')
      else if (left !== null || waiting.length > 0) fail('the file breaks off')
    },
  }
}

function localType(head: number): number {
  return head & 0x80 ? (head >> 5) & 0x03 : head & 0x0f
}

/** Null until enough of it is there to tell. */
function definitionSize(bytes: Buffer): number | null {
  const count = bytes[5]
  if (count === undefined) return null
  const size = 6 + count * 3
  if (((bytes[0] ?? 0) & 0x20) === 0) return size
  const developer = bytes[size]
  return developer === undefined ? null : size + 1 + developer * 3
}

function fieldsOf({ fields, little }: Definition, bytes: Buffer): Map<number, number | number[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = new Map<number, number | number[]>()
  let at = 1
  for (const { number, size, base } of fields) {
    const type = BASES[base]
    if (type && size >= type.bytes) {
      const values: number[] = []
      for (let offset = 0; offset + type.bytes <= size; offset += type.bytes) {
        const value = type.read(view, at + offset, little)
        if (value !== type.invalid && !Number.isNaN(value)) values.push(value)
      }
      const [only] = values
      if (size === type.bytes && only !== undefined) found.set(number, only)
      else if (size > type.bytes && values.length > 0) found.set(number, values)
    }
    at += size
  }
  return found
}

/** CRC-16 with the reflected polynomial A001, initial 0. */
function crc16(bytes: Uint8Array, start: number): number {
  let crc = start
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return crc
}
