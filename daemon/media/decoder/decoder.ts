import { type ChildProcess, spawn } from 'node:child_process'
import { messageOf } from '../../kernel/errors.ts'
import { type FrameRing, type FrameSize, i420Bytes, type OpenSlot } from '../frames.ts'
import { type AccessUnit, type Codec, SourceFailure, type Times } from '../source.ts'
import { ivfHeader, ivfUnitHeader } from './ivf.ts'
import { createNutReader } from './nut.ts'
import { readInPlace } from './output.ts'
import { checkSize, MAX_SIDE_PX, pictureSize } from './picture-size.ts'
import { CHILD_ENV, type DecoderSettings } from './sandbox.ts'

const DECODERS: Record<Codec, string> = { h264: 'h264', hevc: 'hevc', jpeg: 'mjpeg' }
/** Coded bytes that may wait for the child: about two seconds of a fast camera. */
const MAX_WAITING_BYTES = 2 * 1024 ** 2
/** Units fed whose picture has not come: reordering holds back up to 16. A JPEG is held back by nothing. */
const MAX_PENDING: Record<Codec, number> = { h264: 32, hevc: 32, jpeg: 8 }
/** A picture may be shown this much before the first one that came. */
const LEAD_MS = 1000
const LOST_MS = 3000
const MAX_COMPLAINT_CHARS = 500

export interface DecoderDeps {
  settings: DecoderSettings
  codec: Codec
  ring: FrameRing
  /** A picture is in the ring. */
  onPicture(size: FrameSize, times: Times): void
  /** A picture that came was left out. */
  onDropped(pictures: number): void
  /** The child ended by itself, or what it said cannot be read. Nothing follows. */
  onFailed(cause: SourceFailure): void
}

/** Turns coded pictures into pictures in a ring, in a child process. */
export interface Decoder {
  /** Never waits: a child that lags loses whole groups up to the next keyframe, counted. Throws SourceFailure for a unit that may not be decoded. */
  feed(unit: AccessUnit): void
  /** Ends the child; `gone` says when it is. */
  stop(): void
  gone: Promise<void>
}

interface Pending extends Times {
  size: FrameSize
}

export function createDecoder({
  settings,
  codec,
  ring,
  onPicture,
  onDropped,
  onFailed,
}: DecoderDeps): Decoder {
  const pending = new Map<number, Pending>()
  let size: FrameSize | null = null
  let last: Pending | null = null
  let child: ChildProcess | null = null
  let waitsForKeyframe = true
  let stopped = false
  let reordered = false
  let lastKey = 0
  let firstCapturedMs: number | null = null
  let lastKeptMs = Number.NEGATIVE_INFINITY
  let resolveGone = () => {}
  const gone = new Promise<void>((resolve) => {
    resolveGone = resolve
  })

  function fail(cause: SourceFailure): void {
    if (stopped) return
    stop()
    onFailed(cause)
  }

  function start(first: FrameSize): ChildProcess {
    const started = startChild(settings, codec)
    let complaint = ''
    let open: { slot: OpenSlot; frame: Pending } | null = null
    const reader = createNutReader({
      begin(pts, bytes) {
        const frame = matching(pts, bytes)
        const slot = keeps(frame) ? ring.open(frame.size) : null
        open = slot && { slot, frame }
        return slot?.data ?? null
      },
      end() {
        const done = open
        open = null
        if (!done) return
        const { size: shown, capturedAtMs, arrivedAtMs } = done.frame
        done.slot.publish({ capturedAtMs, arrivedAtMs })
        onPicture(shown, { capturedAtMs, arrivedAtMs })
      },
    })
    const take = (chunk: Uint8Array) => {
      if (stopped) return
      try {
        reader.push(chunk)
      } catch (cause) {
        fail(
          cause instanceof SourceFailure
            ? cause
            : new SourceFailure('malformed', `The decoder's output cannot be read: ${messageOf(cause)}.`),
        )
      }
    }
    if (started.stdout) readInPlace(started.stdout, take)
    started.stderr?.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-MAX_COMPLAINT_CHARS)
    })
    started.stdin?.on('error', () => {})
    started.on('error', (cause) =>
      fail(new SourceFailure('unsupported', `The decoder could not be started: ${cause.message}.`)),
    )
    started.on('close', (code, signal) => {
      open?.slot.abandon()
      open = null
      resolveGone()
      fail(
        new SourceFailure(
          'malformed',
          `The decoder stopped (${signal ?? code}). ${lastLine(complaint)}`.trim(),
        ),
      )
    })
    started.stdin?.write(ivfHeader(codec, first))
    return started
  }

  /** The times and size of the picture that came out. Where pictures are reordered, the earliest that waits is the one shown. */
  function matching(pts: number, bytes: number): Pending {
    const key = !reordered && pending.has(pts) ? pts : Math.min(...pending.keys())
    const frame = pending.get(key) ?? last
    if (!frame) throw new SourceFailure('malformed', 'A picture came out that was not sent.')
    last = frame
    for (const earlier of pending.keys()) if (earlier <= key) pending.delete(earlier)
    if (i420Bytes(frame.size) !== bytes) {
      throw new SourceFailure('malformed', 'The pictures have another size than the camera declares.')
    }
    return frame
  }

  function keeps({ capturedAtMs }: Times): boolean {
    const { maxFps } = settings
    if (maxFps !== null && Math.abs(capturedAtMs - lastKeptMs) < 900 / maxFps) {
      onDropped(1)
      return false
    }
    lastKeptMs = capturedAtMs
    return true
  }

  /** Microseconds by capture time, unique. A step back of more than the rounding says that pictures come in another order than they are shown. */
  function keyOf({ capturedAtMs }: Times): number {
    firstCapturedMs ??= capturedAtMs
    let key = Math.max(0, capturedAtMs - firstCapturedMs + LEAD_MS) * 1000
    if (key < lastKey - 1000 && codec !== 'jpeg') reordered = true
    if (!reordered) key = Math.max(key, lastKey + 1)
    while (pending.has(key)) key++
    lastKey = key
    return key
  }

  /** Units that the child read long ago gave no picture: they were damaged. */
  function forgetLost(nowMs: number): void {
    if ((child?.stdin?.writableLength ?? 0) > 0) return
    for (const [key, { arrivedAtMs }] of pending) {
      if (nowMs - arrivedAtMs > LOST_MS) pending.delete(key)
    }
  }

  function lags(): boolean {
    return (child?.stdin?.writableLength ?? 0) > MAX_WAITING_BYTES || pending.size >= MAX_PENDING[codec]
  }

  function feed(unit: AccessUnit): void {
    if (stopped) return
    forgetLost(unit.arrivedAtMs)
    if (unit.keyframe) {
      const declared = pictureSize(codec, unit.data)
      if (declared) checkSize(declared)
      size = declared ?? size
    }
    if (unit.keyframe && !lags()) waitsForKeyframe = false
    else if (lags()) waitsForKeyframe = true
    if (waitsForKeyframe || size === null) {
      if (child) onDropped(1)
      return
    }
    child ??= start(size)
    const key = keyOf(unit)
    pending.set(key, { capturedAtMs: unit.capturedAtMs, arrivedAtMs: unit.arrivedAtMs, size })
    child.stdin?.write(ivfUnitHeader(unit.data.length, key))
    child.stdin?.write(unit.data)
  }

  function stop(): void {
    if (stopped) return
    stopped = true
    if (child) child.kill('SIGKILL')
    else resolveGone()
  }

  return { feed, stop, gone }
}

/** In the hub's own session: its low priority counts only there, and a session beside the hub's would be the hub's equal. */
function startChild({ ffmpeg, sandbox }: DecoderSettings, codec: Codec): ChildProcess {
  const [command = ffmpeg, ...args] = [...sandbox.prefix, ffmpeg, ...decoderArguments(codec)]
  return spawn(command, args, { env: CHILD_ENV, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] })
}

/**
 * One thread before and one after: with more, ffmpeg holds a picture back per thread.
 * No probing: the container says all that the decoder must know. Every picture comes out in its own size, at its own time.
 */
export function decoderArguments(codec: Codec): readonly string[] {
  return [
    ...['-hide_banner', '-loglevel', 'error', '-nostats', '-protocol_whitelist', 'pipe'],
    ...[
      '-probesize',
      '32',
      '-analyzeduration',
      '0',
      '-threads',
      '1',
      '-max_pixels',
      String(MAX_SIDE_PX ** 2),
    ],
    ...['-c:v', DECODERS[codec], '-f', 'ivf', '-i', 'pipe:0', '-map', '0:v:0', '-an', '-sn', '-dn'],
    ...[
      '-autoscale',
      '0',
      '-filter_threads',
      '1',
      '-threads',
      '1',
      '-vsync',
      'passthrough',
      '-enc_time_base',
      '-1',
    ],
    ...['-pix_fmt', 'yuv420p', '-c:v', 'rawvideo', '-flush_packets', '1', '-f', 'nut', 'pipe:1'],
  ]
}

function lastLine(text: string): string {
  return (
    text
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/0x[0-9a-f]+/g, '') ?? ''
  )
}
