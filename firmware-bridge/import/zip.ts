import { pipeline } from 'node:stream/promises'
import { crc32, createInflateRaw } from 'node:zlib'

/** A file that can be read at any place; the caller owns it. */
export interface FileBytes {
  size: number
  /** Up to `length` bytes from `offset`; fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>
}

export interface ZipLimits {
  maxEntries: number
  /** Inflated bytes of one entry. */
  maxEntryBytes: number
  /** Inflated bytes for one compressed byte, counted from the first megabyte on. */
  maxRatio: number
}

export interface ZipEntry {
  name: string
  /** Inflated size as the archive claims it. */
  bytes: number
  /** The content; stops with ZipError when it is damaged or larger than the limits. */
  chunks(): AsyncGenerator<Uint8Array>
}

/** Says why an archive cannot be read, for whoever sent it. */
export class ZipError extends Error {}

/** Text of health exports shrinks 10 to 40 times; a bomb a thousand times. */
export const ZIP_LIMITS: ZipLimits = { maxEntries: 50_000, maxEntryBytes: 16 * 1024 ** 3, maxRatio: 250 }

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const LOCAL_HEADER = 0x04034b50
const END_BYTES = 22
const MAX_COMMENT = 65_535
const MAX_DIRECTORY = 64 * 1024 * 1024
const PIECE = 65_536
const RATIO_FROM = 1024 * 1024
const [STORED, DEFLATED] = [0, 8]

/**
 * Opens an archive by its central directory. Nothing is inflated until `chunks()` runs, and names are only ever compared,
 * never used as paths. Throws ZipError for what is no zip, is encrypted, or is larger than the limits.
 */
export async function openZip(file: FileBytes, limits: ZipLimits = ZIP_LIMITS): Promise<ZipEntry[]> {
  const { offset, size, count } = await endOfDirectory(file)
  if (count > limits.maxEntries)
    throw new ZipError(`the archive has ${count} entries, ${limits.maxEntries} at most`)
  if (size > MAX_DIRECTORY || offset + size > file.size) throw new ZipError('the list of entries is damaged')
  const directory = Buffer.from(await file.read(offset, size))
  const entries: ZipEntry[] = []
  let at = 0
  while (at + 46 <= directory.length && directory.readUInt32LE(at) === DIRECTORY_ENTRY) {
    const nameBytes = directory.readUInt16LE(at + 28)
    const next = at + 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
    const entry = {
      name: directory.toString('utf8', at + 46, at + 46 + nameBytes),
      encrypted: (directory.readUInt16LE(at + 8) & 0x01) !== 0,
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      packed: directory.readUInt32LE(at + 20),
      bytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    }
    entries.push({ name: entry.name, bytes: entry.bytes, chunks: () => contentOf(file, entry, limits) })
    if (entries.length > count) throw new ZipError('the list of entries is longer than it says')
    at = next
  }
  if (entries.length < count) throw new ZipError('the list of entries breaks off')
  return entries
}

interface Located {
  name: string
  encrypted: boolean
  method: number
  crc: number
  packed: number
  bytes: number
  offset: number
}

async function endOfDirectory(file: FileBytes): Promise<{ offset: number; size: number; count: number }> {
  const length = Math.min(file.size, END_BYTES + MAX_COMMENT)
  const tail = Buffer.from(await file.read(file.size - length, length))
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_OF_DIRECTORY) continue
    const [count, size, offset] = [
      tail.readUInt16LE(at + 10),
      tail.readUInt32LE(at + 12),
      tail.readUInt32LE(at + 16),
    ]
    if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff)
      throw new ZipError('archives over 4 GB (zip64) are not read: unpack it and import the file inside')
    return { offset, size, count }
  }
  throw new ZipError('not a zip archive, or cut short')
}

async function* contentOf(file: FileBytes, entry: Located, limits: ZipLimits): AsyncGenerator<Uint8Array> {
  if (entry.encrypted) throw new ZipError(`${entry.name} is encrypted`)
  if (entry.method !== STORED && entry.method !== DEFLATED)
    throw new ZipError(`${entry.name} is packed in a way that is not read (method ${entry.method})`)
  const header = Buffer.from(await file.read(entry.offset, 30))
  if (header.length < 30 || header.readUInt32LE(0) !== LOCAL_HEADER)
    throw new ZipError(`${entry.name} is damaged`)
  const from = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  const packed = packedPieces(file, from, entry.packed)
  const content = entry.method === STORED ? packed : inflated(packed, entry.name)
  let bytes = 0
  let crc = 0
  for await (const piece of content) {
    bytes += piece.byteLength
    if (bytes > limits.maxEntryBytes)
      throw new ZipError(`${entry.name} is larger than ${limits.maxEntryBytes} bytes`)
    if (bytes > RATIO_FROM && bytes > entry.packed * limits.maxRatio)
      throw new ZipError(`${entry.name} inflates more than ${limits.maxRatio} times: a bomb`)
    crc = crc32(piece, crc)
    yield piece
  }
  if (bytes !== entry.bytes || crc !== entry.crc)
    throw new ZipError(`${entry.name} is damaged: its checksum is wrong`)
}

async function* packedPieces(file: FileBytes, from: number, length: number): AsyncGenerator<Uint8Array> {
  let at = from
  const end = Math.min(from + length, file.size)
  while (at < end) {
    const piece = await file.read(at, Math.min(PIECE, end - at))
    if (piece.byteLength === 0) return
    at += piece.byteLength
    yield piece
  }
}

async function* inflated(packed: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw({ chunkSize: PIECE })
  const feeding = pipeline(packed, inflate)
  // The failure is told where the pieces are read; an early stop by the reader is none.
  feeding.catch(() => undefined)
  try {
    for await (const piece of inflate) yield piece as Uint8Array
    await feeding
  } catch (cause) {
    throw cause instanceof ZipError ? cause : new ZipError(`${name} is damaged: it does not inflate`)
  } finally {
    inflate.destroy()
  }
}
