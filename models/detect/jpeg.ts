import turbo from '@julusian/jpeg-turbo'
import { UnreadableInput } from '../vision/unreadable.ts'
import type { Frame } from './frame.ts'

/** What a picture from outside may be at most: a decoded one costs three bytes a pixel. */
export const JPEG_LIMITS = { bytes: 32 * 1024 * 1024, side: 12_000, pixels: 50_000_000 } as const

const FIRST_MARKER = 0xd8
const END_OF_IMAGE = 0xd9
const START_OF_SCAN = 0xda

/**
 * Decodes a JPEG to RGB. Size and completeness are read from its markers before a pixel is decoded, so a lying or cut-off file
 * costs nothing. Throws UnreadableInput.
 */
export function decodeJpeg(file: Uint8Array): Frame {
  if (file.length > JPEG_LIMITS.bytes)
    throw new UnreadableInput(`The picture has ${file.length} bytes; at most ${JPEG_LIMITS.bytes} are read.`)
  const { width, height, pixelsAt } = jpegSize(file)
  if (width > JPEG_LIMITS.side || height > JPEG_LIMITS.side || width * height > JPEG_LIMITS.pixels)
    throw new UnreadableInput(
      `The picture is ${width} × ${height}; at most ${JPEG_LIMITS.side} a side and ${JPEG_LIMITS.pixels} pixels are read.`,
    )
  if (!isComplete(file, pixelsAt)) throw new UnreadableInput('The JPEG is cut off: its end is missing.')
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  try {
    const { data } = turbo.decompressSync(bytes, Buffer.allocUnsafe(width * height * 3), {
      format: turbo.FORMAT_RGB,
    })
    return { format: 'rgb24', width, height, data }
  } catch (cause) {
    // The decoder counts a warning as a failure and then has no words for it.
    throw new UnreadableInput('The JPEG is damaged or cut off.', { cause })
  }
}

/** Width and height from the frame header, and where the pixels begin. Throws UnreadableInput. */
export function jpegSize(file: Uint8Array): { width: number; height: number; pixelsAt: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < 4 || view.getUint16(0) !== 0xff00 + FIRST_MARKER)
    throw new UnreadableInput('Not a JPEG: it does not begin with FF D8.')
  let size = { width: 0, height: 0 }
  let at = 2
  while (at + 9 <= file.length && file[at] === 0xff) {
    const marker = file[at + 1] ?? 0
    if (isFrameHeader(marker)) size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
    if (marker === START_OF_SCAN) break
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2)
  }
  if (size.width === 0 || size.height === 0)
    throw new UnreadableInput('The JPEG says no width and height before its pixels.')
  return { ...size, pixelsAt: at }
}

/** SOF markers; C4, C8 and CC lie between them and are others. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

/** Whether an end marker follows the pixels (a thumbnail before them has its own); cameras pad, so anything may come after it. */
function isComplete(file: Uint8Array, pixelsAt: number): boolean {
  for (let at = file.length - 2; at >= pixelsAt; at--)
    if (file[at] === 0xff && file[at + 1] === END_OF_IMAGE) return true
  return false
}
