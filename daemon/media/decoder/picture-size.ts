/** The picture size that a coded picture declares, read before any of it is decoded. */
import type { FrameSize } from '../frames.ts'
import { jpegHeader } from '../jpeg/header.ts'
import { type Codec, SourceFailure } from '../source.ts'
import { createBits } from './bits.ts'

export const MAX_SIDE_PX = 4096
const MIN_SIDE_PX = 16
/** Parameter sets are tens of bytes; more is read of none. */
const MAX_PARAMETER_SET_BYTES = 1024

/** Null when this picture declares none (it goes on in the size before). Throws SourceFailure `malformed`. */
export function pictureSize(codec: Codec, data: Uint8Array): FrameSize | null {
  if (codec === 'jpeg') {
    const header = jpegHeader(data)
    if ('problem' in header) throw new SourceFailure('malformed', header.problem)
    return header
  }
  try {
    for (const nal of nalUnits(data)) {
      const size = codec === 'h264' ? h264Size(nal) : hevcSize(nal)
      if (size) return size
    }
    return null
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new SourceFailure('malformed', `The camera's video cannot be read: ${cause.message}.`)
  }
}

/** Throws SourceFailure `too-large` or `malformed` for what the hub does not decode. */
export function checkSize({ width, height }: FrameSize): void {
  if (width > MAX_SIDE_PX || height > MAX_SIDE_PX) {
    throw new SourceFailure(
      'too-large',
      `The picture has ${width} × ${height} pixels; up to ${MAX_SIDE_PX} × ${MAX_SIDE_PX} are decoded. Choose a smaller stream on the camera.`,
    )
  }
  if (width < MIN_SIDE_PX || height < MIN_SIDE_PX) {
    throw new SourceFailure('malformed', `A picture of ${width} × ${height} pixels cannot be shown.`)
  }
}

/** The units of an Annex B stream without start codes, each cut to what a parameter set needs. */
function* nalUnits(data: Uint8Array): Generator<Uint8Array> {
  let start = startCode(data, 0)
  while (start !== -1) {
    const next = startCode(data, start + 3)
    const end = next === -1 ? data.length : next
    yield data.subarray(start + 3, Math.min(end, start + 3 + MAX_PARAMETER_SET_BYTES))
    start = next
  }
}

function startCode(data: Uint8Array, from: number): number {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).indexOf(START_CODE, from)
}

const START_CODE = Buffer.from([0, 0, 1])
const H264_SPS = 7
const HEVC_SPS = 33
const WITH_CHROMA_FORMAT = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]

/** H.264 (ITU-T H.264, 7.3.2.1.1). */
function h264Size(nal: Uint8Array): FrameSize | null {
  if (((nal[0] ?? 0) & 31) !== H264_SPS) return null
  const bits = createBits(nal.subarray(1))
  const profile = bits.take(8)
  bits.skip(16)
  bits.ue()
  const chroma = WITH_CHROMA_FORMAT.includes(profile) ? h264Chroma(bits) : 1
  bits.ue()
  h264PictureOrder(bits)
  bits.ue()
  bits.skip(1)
  const widthMbs = bits.ue() + 1
  const heightUnits = bits.ue() + 1
  const framesOnly = bits.flag()
  if (!framesOnly) bits.skip(1)
  bits.skip(1)
  const [left, right, top, bottom] = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0]
  const fields = framesOnly ? 1 : 2
  const unitX = chroma === 1 || chroma === 2 ? 2 : 1
  const unitY = (chroma === 1 ? 2 : 1) * fields
  return {
    width: widthMbs * 16 - unitX * (left + right),
    height: heightUnits * 16 * fields - unitY * (top + bottom),
  }
}

type Bits = ReturnType<typeof createBits>

/** Returns the chroma format and passes what stands between it and the picture order. */
function h264Chroma(bits: Bits): number {
  const chroma = bits.ue()
  if (chroma === 3) bits.skip(1)
  bits.ue()
  bits.ue()
  bits.skip(1)
  if (bits.flag()) {
    for (let list = 0; list < (chroma === 3 ? 12 : 8); list++) {
      if (bits.flag()) skipScalingList(bits, list < 6 ? 16 : 64)
    }
  }
  return chroma
}

function skipScalingList(bits: Bits, entries: number): void {
  let last = 8
  let next = 8
  for (let i = 0; i < entries; i++) {
    if (next !== 0) next = (last + bits.se() + 256) % 256
    last = next === 0 ? last : next
  }
}

function h264PictureOrder(bits: Bits): void {
  const kind = bits.ue()
  if (kind === 0) bits.ue()
  if (kind !== 1) return
  bits.skip(1)
  bits.se()
  bits.se()
  const cycle = bits.ue()
  if (cycle > 255) throw new RangeError('a parameter is out of range')
  for (let i = 0; i < cycle; i++) bits.se()
}

/** HEVC (ITU-T H.265, 7.3.2.2.1 and 7.3.3). */
function hevcSize(nal: Uint8Array): FrameSize | null {
  if ((((nal[0] ?? 0) >> 1) & 63) !== HEVC_SPS) return null
  const bits = createBits(nal.subarray(2))
  bits.skip(4)
  const subLayers = bits.take(3)
  bits.skip(1)
  skipProfile(bits, subLayers)
  bits.ue()
  const chroma = bits.ue()
  if (chroma === 3) bits.skip(1)
  const width = bits.ue()
  const height = bits.ue()
  const [left, right, top, bottom] = bits.flag() ? [bits.ue(), bits.ue(), bits.ue(), bits.ue()] : [0, 0, 0, 0]
  const unitX = chroma === 1 || chroma === 2 ? 2 : 1
  const unitY = chroma === 1 ? 2 : 1
  return { width: width - unitX * (left + right), height: height - unitY * (top + bottom) }
}

function skipProfile(bits: Bits, subLayers: number): void {
  bits.skip(96)
  const present = Array.from({ length: subLayers }, () => ({ profile: bits.flag(), level: bits.flag() }))
  if (subLayers > 0) bits.skip(2 * (8 - subLayers))
  for (const { profile, level } of present) bits.skip((profile ? 88 : 0) + (level ? 8 : 0))
}
