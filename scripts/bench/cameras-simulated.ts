/** Simulated cameras for the bench and the fault tests, served by this process. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { encodeVideo } from '../../daemon/media/rtsp/encode.ts'
import { createMjpegServer } from '../../daemon/media/rtsp/mjpeg-server.ts'
import { createPlayhead } from '../../daemon/media/rtsp/playhead.ts'
import { createRtspServer } from '../../daemon/media/rtsp/server.ts'
import { temporaryData } from './hub-process.ts'
import { Skipped } from './row.ts'

export interface SimulatedCamera {
  url: string
  unplug(): Promise<void>
  plugIn(): Promise<void>
  stop(): Promise<void>
}

/** Serves a video file without end, as RTSP (H.264) or as HTTP MJPEG. */
export async function simulateCamera(
  file: string,
  kind: 'rtsp' | 'mjpeg',
  fps: number | null = null,
): Promise<SimulatedCamera> {
  const clock = systemClock()
  const video = await encodeVideo({ file, codec: kind === 'rtsp' ? 'h264' : 'jpeg', fps })
  const playhead = createPlayhead({ video, clock, once: false })
  const server =
    kind === 'rtsp'
      ? createRtspServer({ video, playhead, clock, guard: null })
      : createMjpegServer({ video, playhead, guard: null })
  const port = await server.listen(0)
  return {
    url: `${kind === 'rtsp' ? 'rtsp' : 'http'}://127.0.0.1:${port}/stream`,
    unplug: server.unplug,
    plugIn: server.plugIn,
    async stop() {
      playhead.stop()
      await server.stop()
    },
  }
}

/** A moving test pattern as a file; throws Skipped where there is no ffmpeg. */
export function testPattern(size: string, fps: number, seconds: number): string {
  const file = join(temporaryData(), `pattern-${size}.mp4`)
  film(['-f', 'lavfi', '-i', `testsrc=s=${size}:r=${fps}:d=${seconds}`], [], file)
  return file
}

/** Encodes with ffmpeg as an ordinary camera does: no B pictures, a keyframe every second. */
export function film(inputs: readonly string[], filter: readonly string[], file: string): void {
  const form = [
    '-an',
    '-pix_fmt',
    'yuv420p',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-bf',
    '0',
    '-g',
    '30',
  ]
  try {
    execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...inputs, ...filter, ...form, '-y', file])
  } catch (cause) {
    const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    throw isAbsent ? new Skipped('ffmpeg is missing (Debian: apt-get install ffmpeg)') : cause
  }
}
