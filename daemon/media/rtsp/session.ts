/** The conversation that makes a camera play: OPTIONS, DESCRIBE, SETUP, PLAY. */
import { SourceFailure } from '../source.ts'
import type { Connection } from './connection.ts'
import { headerOf, type RtspMessage, statusOf } from './message.ts'
import { controlUrl, parseSdp, type Track } from './sdp.ts'

export interface Described {
  track: Track
  trackUrl: string
  /** Where PLAY, keep-alive and TEARDOWN go. */
  sessionUrl: string
  /** Whether the camera knows GET_PARAMETER; OPTIONS keeps a session alive where it does not. */
  keepAliveMethod: 'GET_PARAMETER' | 'OPTIONS'
}

export interface Playing {
  session: string
  keepAliveMs: number
  rtpChannel: number
  rtcpChannel: number
}

/** Thrown by `describe` when the camera sends us to another address of its own. */
export class Moved extends Error {
  readonly url: URL
  constructor(url: URL) {
    super('The stream has another address.')
    this.name = 'Moved'
    this.url = url
  }
}

const ENCODINGS = ['H264', 'H265', 'JPEG']
const DEFAULT_TIMEOUT_S = 60
const LONGEST_TIMEOUT_S = 3600

/** The first video track that we can read. */
export async function describe(connection: Connection, url: URL): Promise<Described> {
  const uri = `${url.protocol}//${url.host}${url.pathname}${url.search}`
  const options = await connection.request('OPTIONS', uri)
  const methods = (headerOf(options, 'public') ?? '').toUpperCase()
  const answer = await connection.request('DESCRIBE', uri, { Accept: 'application/sdp' })
  const status = statusOf(answer) ?? 0
  if (status >= 300 && status < 400) throw moved(answer, url)
  expectOk(answer, 'DESCRIBE')
  const description = parseSdp(Buffer.from(answer.body).toString('utf8'))
  const track = description.tracks.find(
    ({ media, encoding }) => media === 'video' && ENCODINGS.includes(encoding),
  )
  if (track === undefined) throw new SourceFailure('unsupported', unsupported(description.tracks))
  const base =
    [headerOf(answer, 'content-base'), headerOf(answer, 'content-location')].find(
      (each) => each !== null && /^rtsps?:\/\/[^\s\p{Cc}]+$/iu.test(each),
    ) ?? uri
  return {
    track,
    trackUrl: controlUrl(base, track.control),
    sessionUrl: controlUrl(base, description.control),
    keepAliveMethod: methods.includes('GET_PARAMETER') ? 'GET_PARAMETER' : 'OPTIONS',
  }
}

function unsupported(tracks: readonly Track[]): string {
  const video = tracks.filter(({ media }) => media === 'video').map(({ encoding }) => encoding || 'unknown')
  return video.length === 0
    ? 'The stream holds no video.'
    : `The camera sends ${video.join(', ')}. Set it to H.264, H.265 or MJPEG.`
}

/** Only to the same host and never from TLS to plain text: another host would be handed the credentials. */
function moved(answer: RtspMessage, from: URL): Error {
  const location = headerOf(answer, 'location')
  const to = location !== null && URL.canParse(location) ? new URL(location) : null
  if (to === null || to.protocol !== from.protocol || to.hostname !== from.hostname)
    return new SourceFailure(
      'not-found',
      'The camera sends us to another host, which is not followed. Enter the address of that host if you trust it.',
    )
  return new Moved(to)
}

/** Sets up the track over this connection and lets it play. `onChannels` is told before the first packet can come. */
export async function play(
  connection: Connection,
  { trackUrl, sessionUrl }: Described,
  onChannels: (channels: Pick<Playing, 'rtpChannel' | 'rtcpChannel'>) => void,
): Promise<Playing> {
  const setup = await connection.request('SETUP', trackUrl, {
    Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1',
  })
  expectOk(setup, 'SETUP')
  const channels = channelsOf(headerOf(setup, 'transport') ?? '')
  onChannels(channels)
  const [session = '', ...attributes] = (headerOf(setup, 'session') ?? '').split(';')
  if (session.trim() === '') throw new SourceFailure('malformed', 'The camera opened no session.')
  const timeout = Number(/timeout\s*=\s*(\d{1,6})/i.exec(attributes.join(';'))?.[1] ?? DEFAULT_TIMEOUT_S)
  expectOk(
    await connection.request('PLAY', sessionUrl, { Session: session.trim(), Range: 'npt=0.000-' }),
    'PLAY',
  )
  const timeoutS = Math.min(LONGEST_TIMEOUT_S, Math.max(2, timeout))
  return { session: session.trim(), keepAliveMs: timeoutS * 500, ...channels }
}

function channelsOf(transport: string): Pick<Playing, 'rtpChannel' | 'rtcpChannel'> {
  const match = /interleaved\s*=\s*(\d{1,3})(?:\s*-\s*(\d{1,3}))?/i.exec(transport)
  if (match === null && !/RTP\/AVP\/TCP/i.test(transport))
    throw new SourceFailure(
      'unsupported',
      'The camera does not send its stream over TCP. Allow RTP over RTSP (TCP) in it.',
    )
  const rtpChannel = Number(match?.[1] ?? 0)
  return { rtpChannel, rtcpChannel: Number(match?.[2] ?? rtpChannel + 1) }
}

/** Throws what the owner has to know about an answer that is not 2xx. */
export function expectOk(message: RtspMessage, method: string): void {
  const status = statusOf(message) ?? 0
  if (status >= 200 && status < 300) return
  const said = `The camera answered ${method} with ${message.startLine.slice(9, 80)}.`
  if (status === 403) throw new SourceFailure('unauthorized', `${said} This account may not see the stream.`)
  if (status === 404) throw new SourceFailure('not-found', `${said} Check the path of the address.`)
  if (status === 454) throw new SourceFailure('ended', said)
  if (status === 461)
    throw new SourceFailure('unsupported', `${said} Allow RTP over RTSP (TCP) in the camera.`)
  if (status >= 500 || status === 453)
    throw new SourceFailure('unreachable', `${said} It may have too many viewers.`)
  throw new SourceFailure('malformed', said)
}
