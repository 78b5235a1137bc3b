import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { systemClock } from '../../../daemon/kernel/clock.ts'
import type { Credentials } from '../../../daemon/media/digest.ts'
import { createGuard, type GuardDeps } from '../../../daemon/media/rtsp/guard.ts'
import { createPlayhead } from '../../../daemon/media/rtsp/playhead.ts'
import { createRtspServer, type RtspServerDeps } from '../../../daemon/media/rtsp/server.ts'
import { createRtspSource } from '../../../daemon/media/rtsp/source.ts'
import { h264Video, type Video } from '../../../daemon/media/rtsp/video.ts'
import type { AccessUnit, Source, SourceFailure, StreamFacts } from '../../../daemon/media/source.ts'
import { fixturePath } from '../../firmware-bridge/fixtures.ts'

export const CLIP = fixturePath('camera/clip-320x240-15fps.h264')
export const ADMIN: Credentials = { username: 'admin', password: 'p4ss "word"' }

/** The clip, faster than it was filmed, so that a test takes half a second. */
export const clip = (fps = 90): Video => h264Video(readFileSync(CLIP), fps)

/** A simulated camera that plays its video once and says good-bye. */
export async function camera(
  t: TestContext,
  {
    video = clip(),
    once = true,
    guard,
    ...rest
  }: Partial<Omit<RtspServerDeps, 'guard'>> & { once?: boolean; guard?: GuardDeps } = {},
) {
  const clock = systemClock()
  const playhead = createPlayhead({ video, clock, once })
  const check = guard === undefined ? null : createGuard(guard)
  const server = createRtspServer({ video, playhead, clock, guard: check, ...rest })
  const port = await server.listen(0)
  t.after(async () => {
    playhead.stop()
    await server.stop()
  })
  return { server, port, check, video, url: `rtsp://127.0.0.1:${port}/stream` }
}

export interface Watched {
  units: AccessUnit[]
  facts: StreamFacts[]
  failure: SourceFailure
}

/** Everything a source gives until it fails. `onUnit` may close it, which ends the watching too. */
export function watch(
  source: Source,
  onUnit: (units: number, close: () => void) => void = () => {},
): Promise<Watched> {
  return new Promise((resolve, reject) => {
    const units: AccessUnit[] = []
    const facts: StreamFacts[] = []
    const close = source.start({
      described: (each) => void facts.push(each),
      unit(each) {
        units.push(each)
        onUnit(units.length, close)
      },
      picture: () => reject(new Error('An RTSP source gives coded pictures.')),
      failed: (failure) => resolve({ units, facts, failure }),
    })
  })
}

export const rtsp = (url: string, credentials: Credentials | null = null) =>
  createRtspSource({ url, credentials, clock: systemClock() })

/** Whether anything listens there. */
export function refuses(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', () => resolve(true))
  })
}
