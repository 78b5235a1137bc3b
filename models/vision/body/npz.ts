/** NumPy's .npz: a zip of arrays. Only plain little-endian numbers are read; pickled objects are refused, never unpickled. */
import { inflateRawSync } from 'node:zlib'
import { UnreadableInput } from '../unreadable.ts'

export interface NumberArray {
  shape: number[]
  values: Float64Array
}

const MAX_ENTRIES = 64
/** The largest body model in use has 10 475 points with 400 shape directions of three float64 each: 96 MB. */
const MAX_ARRAY_BYTES = 256 * 1024 * 1024

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const STORED = 0
const DEFLATED = 8
const END_BYTES = 22
const MAX_COMMENT = 65_535

/** Reads the named arrays; names that are not in the file are left out. Throws UnreadableInput for anything else that is odd. */
export function readNpz(bytes: Buffer, names: readonly string[]): Map<string, NumberArray> {
  const arrays = new Map<string, NumberArray>()
  try {
    for (const { name, method, from, size } of entriesOf(bytes)) {
      const key = name.replace(/\.npy$/, '')
      if (!names.includes(key)) continue
      const packed = bytes.subarray(from, from + size)
      arrays.set(key, parseNpy(key, unpack(key, method, packed)))
    }
  } catch (cause) {
    if (cause instanceof UnreadableInput) throw cause
    throw new UnreadableInput('This is not an .npz file, or it is cut short.')
  }
  return arrays
}

interface Entry {
  name: string
  method: number
  from: number
  size: number
}

function entriesOf(bytes: Buffer): Entry[] {
  let end = bytes.length - END_BYTES
  const last = Math.max(0, end - MAX_COMMENT)
  while (end >= last && bytes.readUInt32LE(end) !== END_OF_DIRECTORY) end--
  if (end < last) throw new UnreadableInput('This is not an .npz file (no zip directory).')
  const count = bytes.readUInt16LE(end + 10)
  if (count > MAX_ENTRIES) throw new UnreadableInput(`An .npz body model has at most ${MAX_ENTRIES} arrays.`)
  const entries: Entry[] = []
  for (let index = 0, at = bytes.readUInt32LE(end + 16); index < count; index++) {
    if (bytes.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new UnreadableInput('The zip directory is damaged.')
    const nameLength = bytes.readUInt16LE(at + 28)
    const local = bytes.readUInt32LE(at + 42)
    entries.push({
      name: bytes.toString('utf8', at + 46, at + 46 + nameLength),
      method: bytes.readUInt16LE(at + 10),
      size: bytes.readUInt32LE(at + 20),
      from: local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28),
    })
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  return entries
}

function unpack(key: string, method: number, packed: Buffer): Buffer {
  if (method === STORED) return packed
  if (method === DEFLATED) return inflateRawSync(packed, { maxOutputLength: MAX_ARRAY_BYTES })
  throw new UnreadableInput(`Array ${key} is packed in a way that NumPy does not use.`)
}

const READERS: Readonly<Record<string, { bytes: number; read: (from: Buffer, at: number) => number }>> = {
  '<f4': { bytes: 4, read: (from, at) => from.readFloatLE(at) },
  '<f8': { bytes: 8, read: (from, at) => from.readDoubleLE(at) },
  '<i4': { bytes: 4, read: (from, at) => from.readInt32LE(at) },
  '<u4': { bytes: 4, read: (from, at) => from.readUInt32LE(at) },
  '<i8': { bytes: 8, read: (from, at) => Number(from.readBigInt64LE(at)) },
  '<u8': { bytes: 8, read: (from, at) => Number(from.readBigUInt64LE(at)) },
}

/** Format of numpy.lib.format, versions 1 and 2. */
function parseNpy(key: string, npy: Buffer): NumberArray {
  if (npy.toString('latin1', 0, 6) !== '\x93NUMPY') throw new UnreadableInput(`${key} is not a NumPy array.`)
  const wide = npy.readUInt8(6) >= 2
  const start = wide ? 12 : 10
  const length = wide ? npy.readUInt32LE(8) : npy.readUInt16LE(8)
  const header = npy.toString('latin1', start, start + length)
  const kind = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? ''
  const reader = Object.hasOwn(READERS, kind) ? READERS[kind] : undefined
  if (!reader)
    throw new UnreadableInput(
      `Array ${key} holds ${kind || 'objects'}; only plain numbers are read. Convert the model to a plain .npz first.`,
    )
  if (/'fortran_order':\s*True/.test(header))
    throw new UnreadableInput(`Array ${key} is column-major; save it with order='C'.`)
  const shape = [...(/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? '').matchAll(/\d+/g)].map(Number)
  const size = shape.reduce((product, side) => product * side, 1)
  const first = start + length
  if (size * reader.bytes > npy.length - first) throw new UnreadableInput(`Array ${key} is cut short.`)
  const values = Float64Array.from({ length: size }, (_, index) =>
    reader.read(npy, first + index * reader.bytes),
  )
  return { shape, values }
}
