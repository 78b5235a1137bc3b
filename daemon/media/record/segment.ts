/** Puts coded pictures into a video file without coding them anew: ffmpeg in the decoder's sandbox, IVF in, the file out, both over pipes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { Readable } from 'node:stream'
import type { CodedUnit, Segment } from '../../domain/recording.ts'
import { ivfHeader, ivfUnitHeader } from '../decoder/ivf.ts'
import { pictureSize } from '../decoder/picture-size.ts'
import { CHILD_ENV, type DecoderSettings } from '../decoder/sandbox.ts'
import type { FrameSize } from '../frames.ts'
import { type Codec, SourceFailure } from '../source.ts'

/** Coded bytes that may wait for the child: several seconds of a fast camera. */
const MAX_WAITING_BYTES = 8 * 1024 ** 2
/** Pictures may be shown this much before the first one that came. */
const LEAD_MS = 1000
const MAX_COMPLAINT_CHARS = 500

/** Fragments stay readable up to the last whole one, and nothing has to be written twice. */
const MP4 = ['-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-f', 'mp4']
interface Container {
  mediaType: string
  extension: string
  /** How ffmpeg calls what comes in; it does not know every name that IVF may hold. */
  decoder: string
  arguments: readonly string[]
}

const CONTAINERS: Record<Codec, Container> = {
  h264: { mediaType: 'video/mp4', extension: 'mp4', decoder: 'h264', arguments: MP4 },
  hevc: { mediaType: 'video/mp4', extension: 'mp4', decoder: 'hevc', arguments: ['-tag:v', 'hvc1', ...MP4] },
  // Players know JPEGs in Matroska, hardly any in MP4.
  jpeg: {
    ...{ mediaType: 'video/x-matroska', extension: 'mkv', decoder: 'mjpeg' },
    arguments: ['-f', 'matroska'],
  },
}

/** Null when the first picture is no keyframe or declares no size. */
export function createSegment(settings: DecoderSettings, first: CodedUnit): Segment | null {
  const size = sizeOf(first)
  if (settings.version === null || !first.keyframe || size === null) return null
  const { codec } = first
  const { mediaType, extension } = CONTAINERS[codec]
  const child = startChild(settings, codec)
  const stdin = child.stdin
  let over = false
  let waitsForKeyframe = false
  let lastKey = -1
  stdin?.on('error', () => {})
  stdin?.write(ivfHeader(codec, size))

  /** Microseconds after the first picture. Equal times are set apart; steps back are pictures shown in another order. */
  function keyOf({ capturedAtMs }: CodedUnit): number {
    let key = Math.max(0, capturedAtMs - first.capturedAtMs + LEAD_MS) * 1000
    if (key === lastKey) key += 1
    lastKey = key
    return key
  }

  return {
    ...{ mediaType, extension },
    output: Readable.from(written(child), { objectMode: false }),
    fits(unit) {
      if (unit.codec !== codec) return false
      const now = unit.keyframe ? sizeOf(unit) : null
      return now === null || (now.width === size.width && now.height === size.height)
    },
    feed(unit) {
      if (over || !stdin) return false
      const lags = stdin.writableLength > MAX_WAITING_BYTES
      if (lags) waitsForKeyframe = true
      else if (unit.keyframe) waitsForKeyframe = false
      if (waitsForKeyframe) return false
      stdin.write(ivfUnitHeader(unit.data.length, keyOf(unit)))
      stdin.write(unit.data)
      return true
    },
    end() {
      over = true
      stdin?.end()
    },
    abandon() {
      over = true
      child.kill('SIGKILL')
    },
  }
}

function sizeOf({ codec, data }: CodedUnit): FrameSize | null {
  try {
    return pictureSize(codec, data)
  } catch (cause) {
    if (cause instanceof SourceFailure) return null
    throw cause
  }
}

/** The file's bytes as the child writes them; a child that did not end well fails them. */
function written(child: ChildProcess): AsyncGenerator<Uint8Array> {
  let complaint = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-MAX_COMPLAINT_CHARS)
  })
  const ended = new Promise<number | string | null>((resolve) => {
    child.on('error', ({ message }) => resolve(message))
    child.on('close', (code, signal) => resolve(signal ?? code))
  })
  return read()

  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of child.stdout ?? []) yield chunk as Buffer
      const how = await ended
      if (how !== 0) throw new Error(`ffmpeg could not finish the file (${how}). ${complaint.trim()}`.trim())
    } finally {
      child.kill('SIGKILL')
    }
  }
}

function startChild({ ffmpeg, sandbox }: DecoderSettings, codec: Codec): ChildProcess {
  const [command = ffmpeg, ...args] = [...sandbox.prefix, ffmpeg, ...copyArguments(codec)]
  const child = spawn(command, args, { env: CHILD_ENV, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] })
  // Told again by whoever reads the output; unheard it would end the hub.
  child.on('error', () => {})
  return child
}

/** Only the first picture is looked into, for the parameter sets that the file's head holds. */
function copyArguments(codec: Codec): readonly string[] {
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostats', '-protocol_whitelist', 'pipe'],
    ...['-fpsprobesize', '0', '-analyzeduration', '0', '-threads', '1'],
    ...['-c:v', CONTAINERS[codec].decoder, '-f', 'ivf', '-i', 'pipe:0'],
    ...['-map', '0:v:0', '-an', '-sn', '-dn', '-c:v', 'copy', '-map_metadata', '-1'],
    ...[...CONTAINERS[codec].arguments, 'pipe:1'],
  ]
}
