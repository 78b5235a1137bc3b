/** Takes one file out of a ZIP archive: some authors publish their models in one. */
import { inflateRawSync } from 'node:zlib'
import { UnreadableInput } from './vision/unreadable.ts'

const END = 0x06054b50
const ENTRY = 0x02014b50
const END_BYTES = 22
const LONGEST_COMMENT = 65_535
const MOST_ENTRIES = 1000
const STORED = 0
const DEFLATED = 8

/** The first file whose name ends so, at most `mostBytes` large. Throws UnreadableInput for anything that is no such archive. */
export function fileInZip(zip: Uint8Array, ending: string, mostBytes: number): Uint8Array {
  const bytes = Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength)
  try {
    let at = bytes.readUInt32LE(endOf(bytes) + 16)
    const count = Math.min(MOST_ENTRIES, bytes.readUInt16LE(endOf(bytes) + 10))
    for (let entry = 0; entry < count; entry++) {
      if (bytes.readUInt32LE(at) !== ENTRY) throw new UnreadableInput('The archive is damaged.')
      const [nameBytes, extra, comment] = [28, 30, 32].map((place) => bytes.readUInt16LE(at + place))
      const name = bytes.toString('utf8', at + 46, at + 46 + (nameBytes ?? 0))
      if (name.endsWith(ending)) return contents(bytes, at, mostBytes)
      at += 46 + (nameBytes ?? 0) + (extra ?? 0) + (comment ?? 0)
    }
  } catch (cause) {
    if (cause instanceof UnreadableInput) throw cause
    throw new UnreadableInput('The archive is damaged or cut short.', { cause })
  }
  throw new UnreadableInput(`The archive holds no file *${ending}.`)
}

export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4
}

function endOf(bytes: Buffer): number {
  const first = Math.max(0, bytes.length - END_BYTES - LONGEST_COMMENT)
  for (let at = bytes.length - END_BYTES; at >= first; at--) if (bytes.readUInt32LE(at) === END) return at
  throw new UnreadableInput('This is no ZIP archive.')
}

function contents(bytes: Buffer, entry: number, mostBytes: number): Uint8Array {
  const method = bytes.readUInt16LE(entry + 10)
  const packed = bytes.readUInt32LE(entry + 20)
  const size = bytes.readUInt32LE(entry + 24)
  const local = bytes.readUInt32LE(entry + 42)
  if (size > mostBytes || packed > bytes.length)
    throw new UnreadableInput(`The archive's model has ${size} bytes; at most ${mostBytes} are read.`)
  const from = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
  const stored = bytes.subarray(from, from + packed)
  if (method === STORED) return stored
  if (method !== DEFLATED)
    throw new UnreadableInput('The archive is packed in a way that the hub cannot read.')
  return inflateRawSync(stored, { maxOutputLength: mostBytes })
}
