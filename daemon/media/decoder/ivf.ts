/** IVF as the decoder's input: unlike a bare stream it says where each coded picture ends, so a picture comes out before the next one arrives. */
import type { FrameSize } from '../frames.ts'
import type { Codec } from '../source.ts'

const FOURCC: Record<Codec, string> = { h264: 'H264', hevc: 'HEVC', jpeg: 'MJPG' }
const HEADER_BYTES = 32
const UNIT_HEADER_BYTES = 12
const TICKS_PER_SECOND = 1_000_000

export function ivfHeader(codec: Codec, { width, height }: FrameSize): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES)
  header.write('DKIF', 0, 'latin1')
  header.writeUInt16LE(HEADER_BYTES, 6)
  header.write(FOURCC[codec], 8, 'latin1')
  header.writeUInt16LE(width, 12)
  header.writeUInt16LE(height, 14)
  header.writeUInt32LE(TICKS_PER_SECOND, 16)
  header.writeUInt32LE(1, 20)
  return header
}

export function ivfUnitHeader(bytes: number, timestampUs: number): Uint8Array {
  const header = Buffer.alloc(UNIT_HEADER_BYTES)
  header.writeUInt32LE(bytes, 0)
  header.writeBigUInt64LE(BigInt(timestampUs), 4)
  return header
}
