import type { DataClass } from '../domain/access.ts'

/** Whom an event is about, which decides who gets it: a person (none: it is for owners), any of some, whoever may see a camera, all of a session, or a zone of many. */
export type Audience =
  | { personId: string | null; class: DataClass | 'any' }
  | { personIds: readonly string[]; class: DataClass }
  | { cameraId: string }
  | { sessionId: string }
  | { zoneId: string }

/** One event, serialised once for everybody. */
export interface Frame {
  topic: string
  seq: number
  audience: Audience
  text: string
  bytes: number
  /** The event as a binary message, for wires that carry such. Only the newest of these is worth sending. */
  binary?: Uint8Array
}

const LENGTH_BYTES = 4

/**
 * A binary message: length of the header (u32, little-endian), the header as JSON, then the numbers as little-endian f32. The
 * header is padded with spaces, so that the numbers are aligned to four bytes.
 */
export function packFrame(header: string, numbers: Float32Array): Uint8Array {
  const bare = Buffer.byteLength(header)
  const padded = Math.ceil(bare / 4) * 4
  const packed = Buffer.alloc(LENGTH_BYTES + padded + numbers.length * 4, ' ')
  packed.writeUInt32LE(padded, 0)
  packed.write(header, LENGTH_BYTES)
  const view = new DataView(packed.buffer, packed.byteOffset + LENGTH_BYTES + padded, numbers.length * 4)
  numbers.forEach((value, at) => {
    view.setFloat32(at * 4, value, true)
  })
  return packed
}
