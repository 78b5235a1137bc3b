/** What a JPEG says of itself, read without decoding it. */
import type { FrameSize } from '../frames.ts'

const SOI = 0xd8
const EOI = 0xd9
const SOS = 0xda
/** Frame headers whose pictures the hub decodes: baseline, extended and progressive Huffman. */
const DECODED_FRAMES = [0xc0, 0xc1, 0xc2]
const OTHER_FRAMES = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]
/** Some cameras pad what they send; more than this after the end is not padding. */
const MAX_TRAILER_BYTES = 4096

/** The size of a whole JPEG, or what is wrong with it in a sentence. Whether its size is acceptable is asked elsewhere. */
export function jpegHeader(data: Uint8Array): FrameSize | { problem: string } {
  if (data[0] !== 0xff || data[1] !== SOI) return { problem: 'This is not a JPEG: it does not begin as one.' }
  const size = frameHeader(data)
  if ('problem' in size) return size
  return endsWhole(data) ? size : { problem: 'The JPEG is cut short: its end is missing.' }
}

function frameHeader(data: Uint8Array): FrameSize | { problem: string } {
  let at = 2
  while (at + 4 <= data.length) {
    if (data[at] !== 0xff) return { problem: 'The JPEG is damaged: a segment does not begin as one.' }
    const marker = data[at + 1] ?? 0
    if (marker === 0xff) {
      at++
      continue
    }
    if (OTHER_FRAMES.includes(marker))
      return { problem: 'This kind of JPEG (lossless or arithmetic) is not read.' }
    if (DECODED_FRAMES.includes(marker)) return sizeAt(data, at)
    if (marker === SOS || marker === EOI) return { problem: 'The JPEG has no frame header.' }
    const standsAlone = marker === 0x01 || (marker >= 0xd0 && marker <= SOI)
    at += standsAlone ? 2 : 2 + ((data[at + 2] ?? 0) << 8) + (data[at + 3] ?? 0)
  }
  return { problem: 'The JPEG is cut short: its frame header is missing.' }
}

function sizeAt(data: Uint8Array, at: number): FrameSize | { problem: string } {
  if (at + 9 > data.length) return { problem: 'The JPEG is cut short: its frame header is missing.' }
  const height = ((data[at + 5] ?? 0) << 8) + (data[at + 6] ?? 0)
  const width = ((data[at + 7] ?? 0) << 8) + (data[at + 8] ?? 0)
  if (width === 0 || height === 0) return { problem: 'The JPEG declares no size.' }
  return { width, height }
}

function endsWhole(data: Uint8Array): boolean {
  const from = Math.max(2, data.length - MAX_TRAILER_BYTES)
  for (let i = data.length - 2; i >= from; i--) {
    if (data[i] === 0xff && data[i + 1] === EOI) return true
  }
  return false
}
