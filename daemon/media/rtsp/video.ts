/** A video in memory as pictures that a simulated camera can send, made by ffmpeg when the file is not so already. */
import { type Codec, SourceFailure } from '../source.ts'
import { H264, nalUnits } from './nal.ts'

/** One picture as NAL units, or one whole JPEG. */
export interface VideoPicture {
  parts: readonly Uint8Array[]
  keyframe: boolean
}

export interface Video {
  codec: Exclude<Codec, 'hevc'>
  fps: number
  pictures: readonly VideoPicture[]
  /** H.264 only: the sets that the session description names. */
  parameterSets: readonly Uint8Array[]
}

const nothing = () => new SourceFailure('unsupported', 'This file holds no picture that a camera could send.')

/** Splits an Annex B stream into pictures. Throws SourceFailure 'unsupported' when there is none. */
export function h264Video(stream: Uint8Array, fps: number): Video {
  const pictures: VideoPicture[] = []
  const parameterSets = new Map<string, Uint8Array>()
  let parts: Uint8Array[] = []
  let keyframe = false
  let begun = false
  const close = () => {
    if (begun) pictures.push({ parts, keyframe })
    parts = []
    keyframe = false
    begun = false
  }
  for (const nal of nalUnits(stream)) {
    const role = H264.role(nal)
    const slice = role === 'picture' || role === 'keyframe'
    if (begun && (!slice || H264.firstSlice(nal))) close()
    if (role === 'skip' || nal.length === 0) continue
    if (role === 'parameters') parameterSets.set(H264.parameterKey(nal), nal)
    parts.push(nal)
    keyframe ||= role === 'keyframe'
    begun ||= slice
  }
  close()
  if (pictures.length === 0 || parameterSets.size === 0) throw nothing()
  const sets = [...parameterSets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, nal]) => nal)
  return { codec: 'h264', fps, pictures, parameterSets: sets }
}

/** Splits JPEGs that stand one behind the other. Throws SourceFailure 'unsupported' when there is none. */
export function jpegVideo(stream: Uint8Array, fps: number): Video {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.length)
  const pictures: VideoPicture[] = []
  const begin = Uint8Array.of(0xff, 0xd8, 0xff)
  for (let at = bytes.indexOf(begin); at >= 0; ) {
    const end = bytes.indexOf(Uint8Array.of(0xff, 0xd9), at)
    const next = end < 0 ? -1 : bytes.indexOf(begin, end)
    pictures.push({ parts: [bytes.subarray(at, end < 0 ? bytes.length : end + 2)], keyframe: true })
    at = next
  }
  if (pictures.length === 0) throw nothing()
  return { codec: 'jpeg', fps, pictures, parameterSets: [] }
}
