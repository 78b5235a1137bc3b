/**
 * Reads NUT, the container in which ffmpeg hands out decoded pictures: each comes with its time and its size in bytes, which bare raw video lacks.
 * One raw video stream, as ffmpeg's muxer writes it; format: ffmpeg.org/~michael/nut.txt, version 3.
 */

const FILE_ID = 'nut/multimedia container\0'
const STARTCODE_N = 0x4e
/** What follows the N. */
const MAIN = '4d7a561f5f04ad'
const STREAM = '5311405bf2f9db'
const SYNCPOINT = '4be4adeeca4569'
/** Longer packets carry a checksum of their own header. */
const CHECKED_HEADER_BYTES = 4096
const MAX_HEADER_BYTES = 65_536
const FRAME_CODES = 256

const FLAG = {
  codedPts: 0x8,
  streamId: 0x10,
  sizeMsb: 0x20,
  checksum: 0x40,
  reserved: 0x80,
  sideData: 0x100,
  headerIndex: 0x400,
  matchTime: 0x800,
  coded: 0x1000,
  invalid: 0x2000,
} as const

export interface NutSink {
  /** Where the picture's bytes go; null: they are left out. `pts` is in the stream's time base; `stream` is as its header declares it. */
  begin(pts: number, bytes: number, stream: NutStream): Uint8Array | null
  end(): void
}

export interface NutStream {
  /** Of the first picture: later ones may have another size. */
  width: number
  height: number
  ticksPerSecond: number
}

export interface NutReader {
  /** Throws a plain Error when this is not the NUT of one raw video stream. The chunk is free again when it returns. */
  push(chunk: Uint8Array): void
}

interface FrameCode {
  flags: number
  ptsDelta: number
  multiplier: number
  sizeLsb: number
  reserved: number
  headerIndex: number
}

interface Header {
  pts: number
  bytes: number
}

export function createNutReader(sink: NutSink): NutReader {
  let head = new Uint8Array(0)
  let codes: readonly (FrameCode | null)[] = []
  let ptsShift = 0
  let timeBases = 1
  let stream: NutStream = { width: 0, height: 0, ticksPerSecond: 1 }
  let lastPts = 0
  let target: Uint8Array | null = null
  let written = 0
  let left = 0

  /** Takes one packet or frame header from `at`; returns where it ended, or null when more bytes are needed. */
  function step(at: Cursor): Header | 'packet' {
    if (at.startsWith(FILE_ID)) {
      at.skip(FILE_ID.length)
      return 'packet'
    }
    const code = at.byte()
    return code === STARTCODE_N ? packet(at) : frame(at, code)
  }

  function packet(at: Cursor): 'packet' {
    const kind = at.hex(7)
    const length = at.varint()
    if (length > MAX_HEADER_BYTES) throw new Error('a header is too long')
    if (length > CHECKED_HEADER_BYTES) at.skip(4)
    const body = at.take(length)
    if (kind === MAIN) mainHeader(body)
    else if (kind === STREAM) streamHeader(body)
    else if (kind === SYNCPOINT) lastPts = Math.floor(body.varint() / timeBases)
    return 'packet'
  }

  function mainHeader(body: Cursor): void {
    const version = body.varint()
    if (version !== 3) throw new Error(`version ${version} is not read`)
    if (body.varint() !== 1) throw new Error('there is more than one stream')
    body.varint()
    timeBases = body.varint()
    for (let i = 0; i < timeBases; i++) {
      const numerator = body.varint()
      stream = { ...stream, ticksPerSecond: body.varint() / numerator }
    }
    codes = frameCodes(body)
  }

  function streamHeader(body: Cursor): void {
    body.varint()
    body.varint()
    body.skip(body.varint())
    body.varint()
    ptsShift = body.varint()
    for (let i = 0; i < 3; i++) body.varint()
    body.skip(body.varint())
    stream = { ...stream, width: body.varint(), height: body.varint() }
  }

  function frame(at: Cursor, code: number): Header {
    const known = codes[code]
    if (!known) throw new Error('a frame code is unknown')
    let flags = known.flags
    if (flags & FLAG.coded) flags ^= at.varint()
    if (flags & FLAG.streamId) at.varint()
    let pts = lastPts + known.ptsDelta
    if (flags & FLAG.codedPts) pts = fullPts(at.varint())
    let bytes = known.sizeLsb
    if (flags & FLAG.sizeMsb) bytes += known.multiplier * at.varint()
    if (flags & FLAG.matchTime) at.varint()
    const headerIndex = flags & FLAG.headerIndex ? at.varint() : known.headerIndex
    let reserved = known.reserved
    if (flags & FLAG.reserved) reserved = at.varint()
    for (let i = 0; i < reserved; i++) at.varint()
    if (flags & FLAG.checksum) at.skip(4)
    if (flags & FLAG.sideData || headerIndex !== 0 || bytes === 0)
      throw new Error('a frame is not bare pixels')
    return { pts, bytes }
  }

  function fullPts(coded: number): number {
    const range = 2 ** ptsShift
    if (coded >= range) return coded - range
    const from = lastPts - Math.floor((range - 1) / 2)
    return from + ((((coded - from) % range) + range) % range)
  }

  function pixels(chunk: Uint8Array): Uint8Array {
    const part = chunk.subarray(0, left)
    target?.set(part, written)
    written += part.length
    left -= part.length
    if (left === 0) {
      if (target) sink.end()
      target = null
    }
    return chunk.subarray(part.length)
  }

  function headers(chunk: Uint8Array): Uint8Array {
    const bytes = head.length === 0 ? chunk : Buffer.concat([head, chunk])
    const at = createCursor(bytes)
    try {
      const read = step(at)
      head = new Uint8Array(0)
      if (read !== 'packet') {
        lastPts = read.pts
        target = sink.begin(read.pts, read.bytes, stream)
        written = 0
        left = read.bytes
      }
      return at.rest()
    } catch (cause) {
      if (!(cause instanceof NeedMore)) throw cause
      if (bytes.length > 2 * MAX_HEADER_BYTES) throw new Error('no frame begins')
      // A Buffer's own slice would share the chunk's memory, which is used again.
      head = new Uint8Array(bytes)
      return new Uint8Array(0)
    }
  }

  return {
    push(chunk) {
      let rest = chunk
      while (rest.length > 0) rest = left > 0 ? pixels(rest) : headers(rest)
    },
  }
}

/** The table by which one byte stands for a frame's flags and part of its size. */
function frameCodes(body: Cursor): readonly (FrameCode | null)[] {
  const codes: (FrameCode | null)[] = []
  let code = { flags: 0, ptsDelta: 0, multiplier: 1, sizeLsb: 0, reserved: 0, headerIndex: 0 }
  while (codes.length < FRAME_CODES) {
    const flags = body.varint()
    const fields = body.varint()
    const ptsDelta = fields > 0 ? body.signed() : code.ptsDelta
    const multiplier = fields > 1 ? body.varint() : code.multiplier
    if (fields > 2) body.varint()
    const sizeLsb = fields > 3 ? body.varint() : 0
    const reserved = fields > 4 ? body.varint() : 0
    let count = fields > 5 ? body.varint() : multiplier - sizeLsb
    if (fields > 6) body.signed()
    const headerIndex = fields > 7 ? body.varint() : code.headerIndex
    for (let i = 8; i < fields; i++) body.varint()
    if (count <= 0) throw new Error('the table of frame codes is empty')
    code = { flags, ptsDelta, multiplier, sizeLsb, reserved, headerIndex }
    for (let i = 0; count > 0 && codes.length < FRAME_CODES; ) {
      if (codes.length === STARTCODE_N) {
        codes.push(null)
        continue
      }
      codes.push(flags & FLAG.invalid ? null : { ...code, sizeLsb: sizeLsb + i })
      i++
      count--
    }
  }
  return codes
}

/** More bytes must come before what was begun can be read. */
class NeedMore extends Error {}

interface Cursor {
  byte(): number
  hex(bytes: number): string
  varint(): number
  signed(): number
  skip(bytes: number): void
  take(bytes: number): Cursor
  startsWith(text: string): boolean
  rest(): Uint8Array
}

function createCursor(bytes: Uint8Array): Cursor {
  let at = 0
  const cursor: Cursor = {
    byte() {
      const byte = bytes[at++]
      if (byte === undefined) throw new NeedMore()
      return byte
    },
    hex: (count) => Array.from({ length: count }, () => cursor.byte().toString(16).padStart(2, '0')).join(''),
    varint() {
      let value = 0
      for (let i = 0; i < 8; i++) {
        const byte = cursor.byte()
        value = value * 128 + (byte & 127)
        if (byte < 128) return value
      }
      throw new Error('a number is too long')
    },
    signed() {
      const value = cursor.varint() + 1
      return value % 2 === 1 ? -Math.floor(value / 2) : value / 2
    },
    skip(count) {
      if (at + count > bytes.length) throw new NeedMore()
      at += count
    },
    take(count) {
      const from = at
      cursor.skip(count)
      return createCursor(bytes.subarray(from, at))
    },
    startsWith(text) {
      if (bytes[at] !== text.charCodeAt(0)) return false
      const found = Buffer.from(bytes.subarray(at, at + text.length)).toString('latin1')
      if (found === text) return true
      if (bytes.length - at < text.length && text.startsWith(found)) throw new NeedMore()
      return false
    },
    rest: () => bytes.subarray(at),
  }
  return cursor
}
