/** Brings a video file into memory in the form that a simulated camera sends, with ffmpeg. */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { HubError } from '../../kernel/errors.ts'
import { h264Video, jpegVideo, type Video } from './video.ts'

export interface EncodeOptions {
  file: string
  codec: Video['codec']
  /** Null: as the file has it. */
  fps: number | null
}

interface Probed {
  codec: string
  ordered: boolean
  fps: number
}

const MAX_BYTES = 256 * 1024 * 1024
const MAX_FPS = 120
const LARGEST_JPEG_SIDE = 2040

/**
 * H.264 without B pictures is taken as it is; everything else is encoded (baseline, a keyframe every two seconds, or JPEG of
 * at most 2040 pixels a side). Throws HubError: VALIDATION_ERROR for what is no video, TOO_LARGE above 256 MB.
 */
export async function encodeVideo({ file, codec, fps }: EncodeOptions): Promise<Video> {
  const input = `file:${resolve(file)}`
  const probed = await probe(input, file)
  const rate = Math.min(MAX_FPS, fps ?? probed.fps)
  const asItIs = codec === 'h264' && probed.codec === 'h264' && probed.ordered && rate === probed.fps
  const stream = await tool('ffmpeg', file, [
    ...['-nostdin', '-v', 'error', '-protocol_whitelist', 'file,pipe', '-i', input, '-an', '-map', '0:v:0'],
    ...(asItIs ? ['-c:v', 'copy', '-f', 'h264'] : encoding(codec, rate)),
    'pipe:1',
  ])
  return codec === 'h264' ? h264Video(stream, rate) : jpegVideo(stream, rate)
}

function encoding(codec: Video['codec'], fps: number): string[] {
  if (codec === 'jpeg') {
    const side = (name: string) => `trunc(${name}*min(1\\,${LARGEST_JPEG_SIDE}/max(iw\\,ih))/16)*16`
    const filter = `fps=${fps},scale=w=${side('iw')}:h=${side('ih')}`
    const form = ['-pix_fmt', 'yuvj420p', '-huffman', 'default', '-q:v', '4', '-f', 'mjpeg']
    return ['-vf', filter, '-c:v', 'mjpeg', ...form]
  }
  const filter = `fps=${fps},scale=trunc(iw/2)*2:trunc(ih/2)*2`
  const form = [
    '-profile:v',
    'baseline',
    '-pix_fmt',
    'yuv420p',
    '-g',
    String(Math.max(1, Math.round(fps * 2))),
  ]
  return ['-vf', filter, '-c:v', 'libx264', '-preset', 'veryfast', ...form, '-f', 'h264']
}

async function probe(input: string, file: string): Promise<Probed> {
  const entries = 'stream=codec_name,has_b_frames,avg_frame_rate,r_frame_rate'
  const out = await tool('ffprobe', file, [
    ...['-v', 'error', '-protocol_whitelist', 'file,pipe', '-select_streams', 'v:0'],
    ...['-show_entries', entries, '-of', 'json', input],
  ])
  const { streams } = JSON.parse(out.toString('utf8')) as { streams?: Record<string, unknown>[] }
  const stream = streams?.[0]
  if (stream === undefined) throw new HubError('VALIDATION_ERROR', `${file} holds no video.`)
  return {
    codec: String(stream['codec_name']),
    ordered: stream['has_b_frames'] === 0,
    fps: rateOf(stream['avg_frame_rate']) ?? rateOf(stream['r_frame_rate']) ?? 25,
  }
}

/** `30000/1001` */
function rateOf(text: unknown): number | null {
  const [over = Number.NaN, under = 1] = String(text).split('/').map(Number)
  const rate = over / under
  return rate > 0 && Number.isFinite(rate) ? rate : null
}

function tool(name: 'ffmpeg' | 'ffprobe', file: string, args: readonly string[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    execFile(name, args, { encoding: 'buffer', maxBuffer: MAX_BYTES }, (cause, stdout, stderr) => {
      if (cause === null) resolve(stdout)
      else reject(failureOf(name, file, cause, stderr.toString('utf8')))
    })
  })
}

function failureOf(name: string, file: string, cause: Error, said: string): HubError {
  const code = 'code' in cause ? cause.code : null
  if (code === 'ENOENT')
    return new HubError('VALIDATION_ERROR', `${name} is not installed. Install it: apt install ffmpeg`, {
      cause,
    })
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return new HubError('TOO_LARGE', `${file} is too long for a simulated camera. Cut it, or lower --fps.`, {
      cause,
    })
  const reason = said.trim().split('\n')[0]?.slice(0, 200) ?? ''
  return new HubError('VALIDATION_ERROR', `${file} cannot be read as a video: ${reason}`, { cause })
}
