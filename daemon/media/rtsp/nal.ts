/** What the depacketiser and the simulated camera have to know about H.264 and H.265 NAL units. */
import type { FrameSize } from '../frames.ts'
import { type Bits, bitsOf } from './bits.ts'

/** What one NAL unit is for. `skip` are delimiters and filler, which the parameter sets must not stand behind. */
export type NalRole = 'parameters' | 'picture' | 'keyframe' | 'recovery' | 'other' | 'skip'

/** The two codecs differ in their header and in little else. */
export interface NalSyntax {
  codec: 'h264' | 'hevc'
  role(nal: Uint8Array): NalRole
  /** Which parameter set this is: a later one of the same key replaces it; order by key is the order decoders want. */
  parameterKey(nal: Uint8Array): string
  /** How the keys begin, one of each being needed. */
  parameterKinds: readonly string[]
  /** The size of the picture if this is a sequence parameter set that can be read. */
  size(nal: Uint8Array): FrameSize | null
  /** Whether this slice is the first of its picture. */
  firstSlice(nal: Uint8Array): boolean
}

const MAX_SIDE = 16_384

export const H264: NalSyntax = {
  codec: 'h264',
  parameterKinds: ['1-', '2-'],
  role(nal) {
    const type = (nal[0] ?? 0) & 0x1f
    if (type === 7 || type === 8) return 'parameters'
    if (type === 5) return 'keyframe'
    if (type >= 1 && type <= 4) return 'picture'
    if (type === 6) return nal[1] === 6 ? 'recovery' : 'other'
    return type >= 9 && type <= 12 ? 'skip' : 'other'
  },
  parameterKey(nal) {
    const sequence = ((nal[0] ?? 0) & 0x1f) === 7
    const bits = bitsOf(nal.subarray(sequence ? 4 : 1, 64))
    return `${sequence ? 1 : 2}-${bits.unsigned()}`
  },
  size: (nal) => (((nal[0] ?? 0) & 0x1f) === 7 ? h264Size(nal) : null),
  firstSlice: (nal) => ((nal[1] ?? 0) & 0x80) !== 0,
}

const HEVC_SEQUENCE = 33

export const HEVC: NalSyntax = {
  codec: 'hevc',
  parameterKinds: ['1-', '2-', '3-'],
  role(nal) {
    const type = ((nal[0] ?? 0) >> 1) & 0x3f
    if (type >= 32 && type <= 34) return 'parameters'
    if (type >= 16 && type <= 23) return 'keyframe'
    if (type < 16) return 'picture'
    return type >= 35 && type <= 38 ? 'skip' : 'other'
  },
  parameterKey(nal) {
    const type = ((nal[0] ?? 0) >> 1) & 0x3f
    const bits = bitsOf(nal.subarray(2))
    if (type === 32) return `1-${bits.take(4)}`
    if (type === 34) return `3-${bits.unsigned()}`
    skipToHevcSequenceId(bits)
    return `2-${bits.unsigned()}`
  },
  size: (nal) => ((((nal[0] ?? 0) >> 1) & 0x3f) === HEVC_SEQUENCE ? hevcSize(nal) : null),
  firstSlice: (nal) => ((nal[2] ?? 0) & 0x80) !== 0,
}

const plausible = (width: number, height: number, bits: Bits): FrameSize | null =>
  !bits.exhausted() && width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE
    ? { width, height }
    : null

/** H.264 section 7.3.2.1.1, as far as the cropping. */
function h264Size(nal: Uint8Array): FrameSize | null {
  const bits = bitsOf(nal.subarray(1))
  const profile = bits.take(8)
  bits.skip(16)
  bits.unsigned()
  const chroma = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].includes(profile)
    ? h264High(bits)
    : 1
  bits.unsigned()
  const order = bits.unsigned()
  if (order === 0) bits.unsigned()
  else if (order === 1) h264OrderCycle(bits)
  bits.unsigned()
  bits.skip(1)
  const widthUnits = bits.unsigned() + 1
  const heightUnits = bits.unsigned() + 1
  const fieldFactor = 2 - bits.take(1)
  if (fieldFactor === 2) bits.skip(1)
  bits.skip(1)
  const crop = bits.take(1) === 1 ? cropOf(bits) : NO_CROP
  const unitX = chroma === 1 || chroma === 2 ? 2 : 1
  const unitY = (chroma === 1 ? 2 : 1) * fieldFactor
  return plausible(
    widthUnits * 16 - unitX * (crop.left + crop.right),
    heightUnits * 16 * fieldFactor - unitY * (crop.top + crop.bottom),
    bits,
  )
}

function h264High(bits: Bits): number {
  const chroma = bits.unsigned()
  if (chroma === 3) bits.skip(1)
  bits.unsigned()
  bits.unsigned()
  bits.skip(1)
  if (bits.take(1) === 0) return chroma
  for (let list = 0; list < (chroma === 3 ? 12 : 8); list++) {
    if (bits.take(1) === 1) skipScalingList(bits, list < 6 ? 16 : 64)
  }
  return chroma
}

function skipScalingList(bits: Bits, entries: number): void {
  let last = 8
  let next = 8
  for (let index = 0; index < entries; index++) {
    if (next !== 0) next = (last + bits.signed() + 256) % 256
    if (next !== 0) last = next
  }
}

function h264OrderCycle(bits: Bits): void {
  bits.skip(1)
  bits.signed()
  bits.signed()
  const cycle = Math.min(255, bits.unsigned())
  for (let index = 0; index < cycle; index++) bits.signed()
}

const NO_CROP = { left: 0, right: 0, top: 0, bottom: 0 }

const cropOf = (bits: Bits) => ({
  left: bits.unsigned(),
  right: bits.unsigned(),
  top: bits.unsigned(),
  bottom: bits.unsigned(),
})

/** H.265 section 7.3.2.2, as far as the conformance window. */
function hevcSize(nal: Uint8Array): FrameSize | null {
  const bits = bitsOf(nal.subarray(2))
  skipToHevcSequenceId(bits)
  bits.unsigned()
  const chroma = bits.unsigned()
  if (chroma === 3) bits.skip(1)
  const width = bits.unsigned()
  const height = bits.unsigned()
  const crop = bits.take(1) === 1 ? cropOf(bits) : NO_CROP
  const unitX = chroma === 1 || chroma === 2 ? 2 : 1
  const unitY = chroma === 1 ? 2 : 1
  return plausible(width - unitX * (crop.left + crop.right), height - unitY * (crop.top + crop.bottom), bits)
}

function skipToHevcSequenceId(bits: Bits): void {
  bits.skip(4)
  const layers = bits.take(3)
  bits.skip(1 + 88 + 8)
  const present = Array.from({ length: layers }, () => ({ profile: bits.take(1), level: bits.take(1) }))
  if (layers > 0) bits.skip(2 * (8 - layers))
  for (const { profile, level } of present) bits.skip(88 * profile + 8 * level)
}

/** The NAL units of an Annex B stream, without start codes and trailing zeros. */
export function* nalUnits(stream: Uint8Array): Generator<Uint8Array> {
  let start = -1
  for (let at = stream.indexOf(1, 2); at >= 0; at = stream.indexOf(1, at + 1)) {
    if (stream[at - 1] !== 0 || stream[at - 2] !== 0) continue
    if (start >= 0) yield trimmed(stream.subarray(start, at - 2))
    start = at + 1
  }
  if (start >= 0 && start < stream.length) yield trimmed(stream.subarray(start))
}

function trimmed(nal: Uint8Array): Uint8Array {
  let end = nal.length
  while (end > 0 && nal[end - 1] === 0) end--
  return nal.subarray(0, end)
}
