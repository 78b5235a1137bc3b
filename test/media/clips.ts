/** Coded clips for the camera tests: cut into units, or made by ffmpeg. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type DecoderSettings, findDecoder } from '../../daemon/media/decoder/sandbox.ts'
import type { AccessUnit, Codec } from '../../daemon/media/source.ts'

const BIG = { maxBuffer: 64 * 1024 ** 2, stdio: ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore'] }

/** The decoder of this machine, and why the tests that need it are skipped where there is none. */
export async function machineDecoder(): Promise<{ settings: DecoderSettings; skip: string | false }> {
  const settings = await findDecoder()
  return { settings, skip: settings.version === null && 'there is no ffmpeg on this machine' }
}

export function fixture(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/camera/${name}`, import.meta.url))
}

/** A test pattern as an elementary stream; `arguments_` choose size, codec and structure. */
export function pattern(size: string, frames: number, arguments_: readonly string[]): Buffer {
  const from = ['-v', 'error', '-f', 'lavfi', '-i', `testsrc=s=${size}:r=15`, '-frames:v', String(frames)]
  return execFileSync('ffmpeg', [...from, '-pix_fmt', 'yuv420p', ...arguments_, 'pipe:1'], BIG)
}

export const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '15', '-f', 'h264']
export const H264_REORDERED = ['-c:v', 'libx264', '-preset', 'medium', '-bf', '2', '-g', '15', '-f', 'h264']
export const HEVC = [
  '-c:v',
  'libx265',
  '-preset',
  'ultrafast',
  '-x265-params',
  'log-level=none:bframes=0',
  '-f',
  'hevc',
]
export const JPEGS = ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-f', 'mjpeg']

/** Cuts a stream into units that came `everyMs` after one another. */
export function unitsOf(stream: Uint8Array, codec: Codec, everyMs = 66, startMs = 1_000): AccessUnit[] {
  const cut = codec === 'jpeg' ? jpegs(stream) : accessUnits(stream, codec)
  return cut.map(({ data, keyframe }, i) => {
    const atMs = startMs + i * everyMs
    return { codec, data, keyframe, capturedAtMs: atMs, arrivedAtMs: atMs }
  })
}

interface Coded {
  data: Uint8Array
  keyframe: boolean
}

function jpegs(stream: Uint8Array): Coded[] {
  const found: Coded[] = []
  let from = 0
  for (let i = 0; i + 1 < stream.length; i++) {
    if (stream[i] !== 0xff || stream[i + 1] !== 0xd9) continue
    found.push({ data: stream.slice(from, i + 2), keyframe: true })
    from = i + 2
  }
  return found
}

function accessUnits(stream: Uint8Array, codec: 'h264' | 'hevc'): Coded[] {
  const units: Coded[] = []
  let parts: Uint8Array[] = []
  let sliced = false
  let keyframe = false
  const end = () => {
    if (sliced) units.push({ data: Buffer.concat(parts), keyframe })
    if (sliced) parts = []
    sliced = false
    keyframe = false
  }
  for (const nal of nalUnits(stream)) {
    const at = nal[2] === 1 ? 3 : 4
    const type = codec === 'h264' ? nal[at]! & 31 : (nal[at]! >> 1) & 63
    const slice = codec === 'h264' ? type === 1 || type === 5 : type < 32
    const first = slice && (nal[at + (codec === 'h264' ? 1 : 2)]! & 0x80) !== 0
    if (sliced && (!slice || first)) end()
    parts.push(nal)
    if (slice) sliced = true
    if (slice && (codec === 'h264' ? type === 5 : type >= 16 && type <= 23)) keyframe = true
  }
  end()
  return units
}

function nalUnits(stream: Uint8Array): Uint8Array[] {
  const starts: number[] = []
  for (let i = 0; i + 2 < stream.length; i++) {
    if (stream[i] === 0 && stream[i + 1] === 0 && stream[i + 2] === 1)
      starts.push(stream[i - 1] === 0 ? i - 1 : i)
  }
  return starts.map((from, i) => stream.subarray(from, starts[i + 1]))
}
