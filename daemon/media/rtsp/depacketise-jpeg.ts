/** JPEG out of RTP (RFC 2435): the packets hold scan data only, the header is made again from a few bytes. */
import type { FrameSize } from '../frames.ts'
import { createCollector, type Depacketiser, type Picture } from './assembly.ts'
import { jpegHeader, quantTables } from './jpeg-tables.ts'

export interface JpegDepacketiserDeps {
  /** From the session description, for pictures above 2040 pixels, whose size the packets cannot hold. */
  size: FrameSize | null
  onPicture(picture: Picture & { size: FrameSize }): void
}

interface Head {
  offset: number
  type: 0 | 1
  q: number
  size: FrameSize
  restartInterval: number
  /** Tables of this packet; null when it has none. */
  tables: Uint8Array | null
  scan: Uint8Array
}

const EOI = [0xff, 0xd9]

/** A picture with a missing packet is dropped, counted; the next one stands by itself. */
export function createJpegDepacketiser({ size, onPicture }: JpegDepacketiserDeps): Depacketiser {
  const kept = new Map<number, Uint8Array>()
  const body = createCollector()
  let open: { timestamp: number; size: FrameSize; damaged: boolean; scanFrom: number } | null = null
  let dropped = 0

  function begin(head: Head | null, timestamp: number): void {
    body.cut(0)
    const tables = head === null ? null : tablesOf(head)
    if (head === null || tables === null || head.offset !== 0) {
      open = { timestamp, size: { width: 0, height: 0 }, damaged: true, scanFrom: 0 }
      return
    }
    body.add(jpegHeader({ ...head.size, type: head.type, tables, restartInterval: head.restartInterval }))
    open = { timestamp, size: head.size, damaged: false, scanFrom: body.length }
  }

  /** Tables of a Q of 128 to 254 are fixed and may come once only; of 255 they come with each picture. */
  function tablesOf({ q, tables }: Head): Uint8Array | null {
    if (q >= 1 && q <= 99) return quantTables(q)
    if (q < 128) return null
    if (tables !== null && q !== 255) kept.set(q, tables)
    return tables ?? kept.get(q) ?? null
  }

  function finish(): void {
    const picture = open
    open = null
    if (picture === null) return
    if (picture.damaged) {
      dropped++
      return
    }
    if (!endsWith(body.from(picture.scanFrom), EOI)) body.add(EOI)
    onPicture({
      data: body.from(0).slice(),
      keyframe: true,
      timestamp: picture.timestamp,
      size: picture.size,
    })
  }

  return {
    push({ payload, marker, timestamp }, gap) {
      const head = headOf(payload, size)
      if (gap && open !== null) open.damaged = true
      if (open !== null && open.timestamp !== timestamp) finish()
      if (open === null) begin(head, timestamp)
      if (open !== null && !open.damaged) {
        if (head !== null && head.offset === body.length - open.scanFrom) body.add(head.scan)
        else open.damaged = true
      }
      if (marker) finish()
    },
    stats: () => ({ dropped }),
  }
}

function endsWith(bytes: Uint8Array, end: readonly number[]): boolean {
  return (
    bytes.length >= end.length &&
    end.every((byte, index) => bytes[bytes.length - end.length + index] === byte)
  )
}

/** Null for a packet that cannot be read. */
function headOf(payload: Uint8Array, declared: FrameSize | null): Head | null {
  if (payload.length < 8) return null
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  const offset = view.getUint32(0) & 0xffffff
  const kind = view.getUint8(4)
  const q = view.getUint8(5)
  const size = { width: view.getUint8(6) * 8, height: view.getUint8(7) * 8 }
  let at = 8
  let restartInterval = 0
  const type = kind & 0x3f
  if ((kind & 0xc0) === 0x40) {
    if (payload.length < at + 4) return null
    restartInterval = view.getUint16(at)
    at += 4
  } else if (kind > 0x7f) return null
  if (type !== 0 && type !== 1) return null
  let tables: Uint8Array | null = null
  if (q >= 128 && offset === 0) {
    if (payload.length < at + 4) return null
    const length = view.getUint16(at + 2)
    // Tables of 16-bit values belong to 12-bit JPEG, which no camera sends.
    if (view.getUint8(at + 1) !== 0 || (length !== 0 && length !== 64 && length !== 128)) return null
    if (payload.length < at + 4 + length) return null
    if (length > 0) tables = payload.slice(at + 4, at + 4 + length)
    at += 4 + length
  }
  const whole = size.width > 0 && size.height > 0 ? size : declared
  if (whole === null) return null
  return { offset, type, q, size: whole, restartInterval, tables, scan: payload.subarray(at) }
}
