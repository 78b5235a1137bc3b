/** `simulate camera`: a video file as an RTSP and as an MJPEG camera, with outages on request. */
import { type Command, InvalidArgumentError } from 'commander'
import type { Clock } from '../kernel/clock.ts'
import { HubError, messageOf } from '../kernel/errors.ts'
import { encodeVideo } from '../media/rtsp/encode.ts'
import { createGuard, type Guard } from '../media/rtsp/guard.ts'
import { createMjpegServer } from '../media/rtsp/mjpeg-server.ts'
import { createPlayhead, type Playhead } from '../media/rtsp/playhead.ts'
import { createRtspServer } from '../media/rtsp/server.ts'
import type { Shell } from './shell.ts'

export interface SimulateCameraDeps {
  shell: Pick<Shell, 'out' | 'err' | 'exit' | 'stdin'>
  clock: Clock
  /** Ends the camera as a signal would. */
  signal?: AbortSignal
}

interface CameraOptions {
  video: string
  host: string
  rtspPort: number
  mjpegPort: number
  user?: string
  passwordStdin?: boolean
  codec: 'h264' | 'jpeg'
  fps?: number
  once?: boolean
  dropEvery?: number
  dropFor: number
  json?: boolean
}

interface CameraServer {
  listen(port: number, host: string): Promise<number>
  unplug(): Promise<void>
  plugIn(): Promise<void>
  stop(): Promise<void>
}

export function registerSimulateCamera(simulate: Command, deps: SimulateCameraDeps): void {
  simulate
    .command('camera')
    .description('serve a video file as an RTSP and as an MJPEG camera')
    .requiredOption('--video <file>', 'the video, played in a loop')
    .option('--host <address>', 'where to listen; 0.0.0.0 for other machines', '127.0.0.1')
    .option('--rtsp-port <port>', '0: any free one', port, 0)
    .option('--mjpeg-port <port>', '0: any free one', port, 0)
    .option('--user <name>', 'ask viewers for this name and a password (Digest)')
    .option('--password-stdin', 'read that password from standard input')
    .option('--codec <codec>', 'what RTSP sends: h264 or jpeg', codec, 'h264')
    .option('--fps <rate>', 'pictures a second; without it as the file has them', rate)
    .option('--once', 'play once, from the first viewer on, then end')
    .option('--drop-every <seconds>', 'pull the cable again and again, to rehearse outages', seconds)
    .option('--drop-for <seconds>', 'how long each of them lasts', seconds, 5)
    .option('--json', 'print one JSON document a line')
    .action(async (options: CameraOptions) => deps.shell.exit(await simulateCamera(options, deps)))
}

function between(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !(value >= from && value <= to))
      throw new InvalidArgumentError(`${from} to ${to}`)
    return value
  }
}
const rate = between(0.1, 120)
const seconds = between(0.1, 86_400)

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('0 to 65535')
  return Number(text)
}

function codec(text: string): CameraOptions['codec'] {
  if (text !== 'h264' && text !== 'jpeg') throw new InvalidArgumentError('h264 or jpeg')
  return text
}

/** Exit code: 0 ended by a signal or after `--once`, 1 not, 2 wrong usage. */
export async function simulateCamera(options: CameraOptions, deps: SimulateCameraDeps): Promise<number> {
  const { shell } = deps
  try {
    await serve(options, deps)
    return 0
  } catch (cause) {
    const code = cause instanceof HubError ? cause.code : 'INTERNAL'
    shell.err(
      options.json ? JSON.stringify({ error: { code, message: messageOf(cause) } }) : messageOf(cause),
    )
    return code === 'VALIDATION_ERROR' ? 2 : 1
  }
}

async function serve(options: CameraOptions, deps: SimulateCameraDeps): Promise<void> {
  const { clock } = deps
  const guard = await guardOf(options, deps)
  const jpeg = await encodeVideo({ file: options.video, codec: 'jpeg', fps: options.fps ?? null })
  const video =
    options.codec === 'jpeg'
      ? jpeg
      : await encodeVideo({ file: options.video, codec: 'h264', fps: options.fps ?? null })
  const once = options.once === true
  const playheads = [video, jpeg].map((each) => createPlayhead({ video: each, clock, once }))
  const [forRtsp, forMjpeg] = playheads as [Playhead, Playhead]
  const rtsp = createRtspServer({ video, playhead: forRtsp, clock, guard })
  const mjpeg = createMjpegServer({ video: jpeg, playhead: forMjpeg, guard })
  const servers: CameraServer[] = [rtsp, mjpeg]
  let stopDrops = () => {}
  try {
    const rtspPort = await rtsp.listen(options.rtspPort, options.host)
    const mjpegPort = await mjpeg.listen(options.mjpegPort, options.host)
    announce(options, deps, { rtspPort, mjpegPort, codec: video.codec, fps: video.fps })
    stopDrops = rehearseOutages(options, deps, servers)
    await untilOver(playheads, deps)
  } finally {
    stopDrops()
    for (const playhead of playheads) playhead.stop()
    await Promise.all(servers.map((server) => server.stop()))
  }
}

async function guardOf(
  { user, passwordStdin }: CameraOptions,
  { shell }: SimulateCameraDeps,
): Promise<Guard | null> {
  if ((user === undefined) !== (passwordStdin !== true))
    throw new HubError('VALIDATION_ERROR', 'Give --user and --password-stdin together.')
  if (user === undefined) return null
  const password = (await shell.stdin()).replace(/\r?\n$/, '')
  return createGuard({ credentials: { username: user, password } })
}

function announce(
  { host, json }: CameraOptions,
  { shell }: SimulateCameraDeps,
  { rtspPort, mjpegPort, codec, fps }: { rtspPort: number; mjpegPort: number; codec: string; fps: number },
): void {
  const name = host.includes(':') ? `[${host}]` : host
  const rtsp = `rtsp://${name}:${rtspPort}/stream`
  const mjpeg = `http://${name}:${mjpegPort}/stream`
  if (json) shell.out(JSON.stringify({ type: 'ready', rtsp, mjpeg, codec, fps }))
  else
    shell.out(
      `${rtsp}\n${mjpeg}\n${codec} · ${Math.round(fps * 100) / 100} pictures a second · stop with Ctrl-C`,
    )
}

/** Pulls the cable every `dropEvery` seconds for `dropFor`; the returned function ends that. */
function rehearseOutages(
  { dropEvery, dropFor, json }: CameraOptions,
  { shell, clock }: SimulateCameraDeps,
  servers: readonly CameraServer[],
): () => void {
  if (dropEvery === undefined) return () => {}
  let cancel = () => {}
  const say = (type: 'unplugged' | 'plugged') => shell.out(json ? JSON.stringify({ type }) : type)
  const failed = (cause: unknown) => shell.err(messageOf(cause))
  const wait = () => {
    cancel = clock.after(dropEvery * 1000, () => {
      say('unplugged')
      cancel = clock.after(dropFor * 1000, () => {
        Promise.all(servers.map((server) => server.plugIn())).then(() => {
          say('plugged')
          wait()
        }, failed)
      })
      Promise.all(servers.map((server) => server.unplug())).catch(failed)
    })
  }
  wait()
  return () => cancel()
}

/** A signal, or the end of a video that plays once. */
async function untilOver(playheads: readonly Playhead[], { signal }: SimulateCameraDeps): Promise<void> {
  let over = () => {}
  const ended = new Promise<void>((resolve) => {
    over = resolve
  })
  for (const playhead of playheads) playhead.onEnd(over)
  process.once('SIGINT', over)
  process.once('SIGTERM', over)
  signal?.addEventListener('abort', over, { once: true })
  if (signal?.aborted) over()
  // While the cable is pulled nothing listens, and a process without listeners would end.
  const alive = setInterval(() => {}, 60_000)
  await ended
  clearInterval(alive)
  process.off('SIGINT', over)
  process.off('SIGTERM', over)
}
