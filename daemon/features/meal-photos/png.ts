/** Decodes a PNG to RGB by its own words on size first, so that a lying or cut-off file costs nothing. */
import { crc32, inflateSync } from 'node:zlib'
import { UnreadableInput } from '../../../models/vision/unreadable.ts'

export interface DecodedPng {
  width: number
  height: number
  /** Packed RGB; what is transparent shows white paper. */
  data: Uint8Array
  /** The body of an `eXIf` chunk, of which only the orientation is read. */
  exif: Uint8Array | null
}

/** How the samples of a colour type lie in a row (PNG specification, table 11.1). */
const CHANNELS: Readonly<Record<number, { channels: number; depths: readonly number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] },
}
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const SIDE_MAX = 12_000
const CHUNKS_MAX = 20_000
const PALETTE = 3
const WHITE = 255

interface Header {
  width: number
  height: number
  depth: number
  colour: number
  channels: number
}

interface Chunks {
  header: Header
  pixels: Uint8Array[]
  palette: Uint8Array
  transparency: Uint8Array
  exif: Uint8Array | null
}

export function isPng(file: Uint8Array): boolean {
  return SIGNATURE.equals(file.subarray(0, SIGNATURE.length))
}

/** Throws UnreadableInput for what is no whole PNG, or one of more than `pixelsMax` pixels. */
export function decodePng(file: Uint8Array, pixelsMax: number): DecodedPng {
  const chunks = read(file, pixelsMax)
  const { width, height, depth, channels } = chunks.header
  const rowBytes = Math.ceil((width * channels * depth) / 8)
  const length = height * (rowBytes + 1)
  const lines = inflated(chunks.pixels, length)
  if (lines.length !== length) throw new UnreadableInput('The PNG is cut off: rows are missing.')
  unfilter(lines, rowBytes, Math.max(1, (channels * depth) / 8))
  return { width, height, data: painted(lines, rowBytes, chunks), exif: chunks.exif }
}

/** The chunks that make the picture; everything else (text, XMP, times, colour profiles) is passed over. */
function read(file: Uint8Array, pixelsMax: number): Chunks {
  if (!isPng(file)) throw new UnreadableInput('Not a PNG: its first bytes are others.')
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const found: Omit<Chunks, 'header'> & { header: Header | null } = {
    ...{ header: null, pixels: [], palette: new Uint8Array(), transparency: new Uint8Array(), exif: null },
  }
  let at = SIGNATURE.length
  for (let count = 0; count < CHUNKS_MAX; count += 1) {
    if (at + 12 > file.length) break
    const length = view.getUint32(at)
    const end = at + 8 + length
    if (end + 4 > file.length) break
    const name = Buffer.from(file.subarray(at + 4, at + 8)).toString('latin1')
    const body = file.subarray(at + 8, end)
    if (crc32(file.subarray(at + 4, end)) !== view.getUint32(end))
      throw new UnreadableInput('The PNG is damaged: a checksum does not fit.')
    if (found.header === null) found.header = headerOf(name, body, pixelsMax)
    else if (name === 'IEND') return { ...found, header: found.header }
    else if (name === 'IDAT') found.pixels.push(body)
    else if (name === 'PLTE') found.palette = body
    else if (name === 'tRNS') found.transparency = body
    else if (name === 'eXIf') found.exif = body
    at = end + 4
  }
  throw new UnreadableInput('The PNG is cut off: its end is missing.')
}

function headerOf(name: string, body: Uint8Array, pixelsMax: number): Header {
  if (name !== 'IHDR' || body.length !== 13) throw new UnreadableInput('The PNG says no width and height.')
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const [width, height, depth, colour] = [
    view.getUint32(0),
    view.getUint32(4),
    view.getUint8(8),
    view.getUint8(9),
  ]
  const kind = CHANNELS[colour]
  if (width === 0 || height === 0 || !kind?.depths.includes(depth) || view.getUint16(10) !== 0)
    throw new UnreadableInput('The PNG is of no known kind.')
  if (width > SIDE_MAX || height > SIDE_MAX || width * height > pixelsMax)
    throw new UnreadableInput(
      `The photo is ${width} × ${height}; at most ${pixelsMax / 1e6} megapixels are kept. Send a smaller one.`,
    )
  if (view.getUint8(12) !== 0)
    throw new UnreadableInput('The PNG is interlaced, which is not read here. Save it again without.')
  return { width, height, depth, colour, channels: kind.channels }
}

/** A body that unpacks to more than its picture takes is refused while it unpacks. */
function inflated(pixels: readonly Uint8Array[], length: number): Uint8Array {
  try {
    return inflateSync(Buffer.concat(pixels), { maxOutputLength: length })
  } catch (cause) {
    throw new UnreadableInput('The PNG is damaged: its pixels do not unpack to its size.', { cause })
  }
}

/** Takes the prediction of each row back, in place (PNG specification, chapter 9). */
function unfilter(lines: Uint8Array, rowBytes: number, step: number): void {
  const stride = rowBytes + 1
  for (let start = 0; start < lines.length; start += stride) {
    const filter = lines[start] ?? 0
    if (filter > 4) throw new UnreadableInput('The PNG is damaged: a row says an unknown filter.')
    if (filter === 0) continue
    for (let index = 1; index <= rowBytes; index += 1) {
      const at = start + index
      const left = index > step ? (lines[at - step] ?? 0) : 0
      const up = start > 0 ? (lines[at - stride] ?? 0) : 0
      const corner = start > 0 && index > step ? (lines[at - stride - step] ?? 0) : 0
      lines[at] = (lines[at] ?? 0) + predicted(filter, left, up, corner)
    }
  }
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left
  if (filter === 2) return up
  if (filter === 3) return (left + up) >> 1
  const guess = left + up - corner
  const [far, near, other] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)]
  if (far <= near && far <= other) return left
  return near <= other ? up : corner
}

function painted(lines: Uint8Array, rowBytes: number, { header, palette, transparency }: Chunks): Uint8Array {
  const { width, height, depth, colour, channels } = header
  const data = new Uint8Array(width * height * 3)
  const grey = colour === 0 || colour === 4
  const alphaAt = colour === 4 ? 1 : colour === 6 ? 3 : -1
  const scale = depth < 8 ? WHITE / (2 ** depth - 1) : 1
  for (let y = 0, to = 0; y < height; y += 1) {
    const row = y * (rowBytes + 1) + 1
    const sample = (index: number) => sampleAt(lines, row, index, depth)
    for (let x = 0; x < width; x += 1, to += 3) {
      const from = x * channels
      if (colour === PALETTE) {
        const entry = sample(from)
        const alpha = transparency[entry] ?? WHITE
        for (let part = 0; part < 3; part += 1)
          data[to + part] = onWhite(palette[3 * entry + part] ?? 0, alpha)
        continue
      }
      const alpha = alphaAt < 0 ? WHITE : sample(from + alphaAt)
      for (let part = 0; part < 3; part += 1)
        data[to + part] = onWhite(sample(from + (grey ? 0 : part)) * scale, alpha)
    }
  }
  return data
}

/** One sample; of 16 bits the upper 8. */
function sampleAt(lines: Uint8Array, row: number, index: number, depth: number): number {
  if (depth === 8) return lines[row + index] ?? 0
  if (depth === 16) return lines[row + 2 * index] ?? 0
  const bit = index * depth
  const byte = lines[row + (bit >> 3)] ?? 0
  return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1)
}

function onWhite(value: number, alpha: number): number {
  return Math.round((value * alpha + WHITE * (WHITE - alpha)) / WHITE)
}
