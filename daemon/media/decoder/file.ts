/** A video file as a Source: played as if a camera filmed it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { isMissing } from '../../kernel/errors.ts'
import { i420Bytes } from '../frames.ts'
import { type Source, SourceFailure, type SourceSink } from '../source.ts'
import { createNutReader, type NutStream } from './nut.ts'
import { readInPlace } from './output.ts'
import { checkSize, MAX_SIDE_PX } from './picture-size.ts'
import { CHILD_ENV, type DecoderSettings } from './sandbox.ts'

const SNIFFED_BYTES = 16
const DECODERS = 'h264,hevc,mjpeg,mpeg4,mpeg2video,vp8,vp9,av1,libdav1d,libaom-av1'
const BOXES = ['ftyp', 'moov', 'mdat', 'wide', 'free', 'skip']

export interface FileSourceDeps {
  path: string
  decoder: DecoderSettings
  clock: Clock
  /** Begins again at the end. */
  loop?: boolean
  /** At the file's own pace; false: as fast as it is decoded, and whoever is slow misses pictures. */
  realTime?: boolean
}

/** Fails with not-found, unsupported, too-large, malformed or, at its end, ended. */
export function createFileSource({
  path,
  decoder,
  clock,
  loop = true,
  realTime = true,
}: FileSourceDeps): Source {
  return {
    start(sink) {
      try {
        const format = sniffedFormat(path)
        if (decoder.version === null) {
          throw new SourceFailure(
            'unsupported',
            'There is no ffmpeg on this machine to decode video. Install the package ffmpeg and start the hub again.',
          )
        }
        const child = startChild(decoder, fileArguments({ path, format, loop, realTime }))
        return play(child, sink, clock)
      } catch (cause) {
        if (!(cause instanceof SourceFailure)) throw cause
        sink.failed(cause)
        return () => {}
      }
    },
  }
}

/** The demuxer that the file's first bytes ask for, whatever it is called. Throws SourceFailure. */
export function sniffedFormat(path: string): 'mov' | 'matroska' | 'avi' {
  const first = firstBytes(path)
  if (BOXES.includes(first.toString('latin1', 4, 8))) return 'mov'
  if (first.readUInt32BE(0) === 0x1a45dfa3) return 'matroska'
  if (first.toString('latin1', 0, 4) === 'RIFF' && first.toString('latin1', 8, 12) === 'AVI ') return 'avi'
  throw new SourceFailure(
    'unsupported',
    'This file is no video that the hub reads. MP4, MOV, MKV, WebM and AVI files are played.',
  )
}

function firstBytes(path: string): Buffer {
  const bytes = Buffer.alloc(SNIFFED_BYTES)
  try {
    const file = openSync(path, 'r')
    try {
      readSync(file, bytes, 0, SNIFFED_BYTES, 0)
    } finally {
      closeSync(file)
    }
    return bytes
  } catch (cause) {
    if (isMissing(cause)) throw new SourceFailure('not-found', 'The video file is not there.')
    throw new SourceFailure('unreachable', 'The video file cannot be opened. Check that the hub may read it.')
  }
}

interface Playing {
  path: string
  format: string
  loop: boolean
  realTime: boolean
}

function fileArguments({ path, format, loop, realTime }: Playing): readonly string[] {
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostats', '-nostdin', '-protocol_whitelist', 'file'],
    ...(realTime ? ['-re'] : []),
    ...(loop ? ['-stream_loop', '-1'] : []),
    ...['-threads', '1', '-codec_whitelist', DECODERS, '-max_pixels', String(MAX_SIDE_PX ** 2)],
    ...['-f', format, '-i', `file:${resolve(path)}`, '-map', '0:v:0', '-an', '-sn', '-dn'],
    ...['-filter_threads', '1', '-threads', '1', '-vsync', 'passthrough', '-enc_time_base', '1:1000'],
    ...['-pix_fmt', 'yuv420p', '-c:v', 'rawvideo', '-flush_packets', '1', '-f', 'nut', 'pipe:1'],
  ]
}

function startChild({ ffmpeg, sandbox }: DecoderSettings, arguments_: readonly string[]): ChildProcess {
  const [command = ffmpeg, ...args] = [...sandbox.filePrefix, ffmpeg, ...arguments_]
  return spawn(command, args, {
    env: CHILD_ENV,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

function play(child: ChildProcess, sink: SourceSink, clock: Clock): () => void {
  const reader = createNutReader(pictures(sink, clock))
  let over = false
  let any = false
  const fail = (cause: SourceFailure) => {
    if (over) return
    close()
    sink.failed(cause)
  }
  const close = () => {
    over = true
    child.kill('SIGKILL')
  }
  const take = (chunk: Uint8Array) => {
    if (over) return
    any = true
    try {
      reader.push(chunk)
    } catch (cause) {
      fail(
        cause instanceof SourceFailure
          ? cause
          : new SourceFailure('malformed', 'The video file cannot be decoded.'),
      )
    }
  }
  if (child.stdout) readInPlace(child.stdout, take)
  child.on('error', (cause) =>
    fail(new SourceFailure('unsupported', `The decoder could not be started: ${cause.message}.`)),
  )
  child.on('close', () =>
    fail(
      any
        ? new SourceFailure('ended', 'The video file is at its end.')
        : new SourceFailure(
            'malformed',
            'The video file is damaged, or holds no video that is decoded here.',
          ),
    ),
  )
  return close
}

/** Pictures as they come, timed by the file from when the first one came. */
function pictures(sink: SourceSink, clock: Clock) {
  let startMs: number | null = null
  let picture = { data: new Uint8Array(0), atMs: 0, width: 0, height: 0 }
  return {
    begin(pts: number, bytes: number, { width, height, ticksPerSecond }: NutStream): Uint8Array {
      checkSize({ width, height })
      if (bytes !== i420Bytes({ width, height }))
        throw new SourceFailure('malformed', 'A picture of the file has another size than declared.')
      const ptsMs = (pts / ticksPerSecond) * 1000
      if (startMs === null) {
        startMs = clock.now() - ptsMs
        sink.described({ codec: 'raw', width, height, declaredFps: null, clock: 'relative' })
      }
      const data = picture.data.length === bytes ? picture.data : new Uint8Array(bytes)
      picture = { data, atMs: Math.round(startMs + ptsMs), width, height }
      return data
    },
    end() {
      const { data, atMs, width, height } = picture
      sink.picture({ width, height }, { capturedAtMs: atMs, arrivedAtMs: clock.now() }, (slot) =>
        slot.set(data),
      )
    },
  }
}
