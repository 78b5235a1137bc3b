/** Which streams an ONVIF camera has: its clock, its media service, its profiles, their addresses. */
import type { Clock } from '../../kernel/clock.ts'
import type { Credentials } from '../digest.ts'
import { SourceFailure } from '../source.ts'
import { hostOf, mayVisit } from './address.ts'
import { askSoap, type SoapDeps } from './soap.ts'
import { all, escaped, first, type XmlNode } from './xml.ts'

export interface OnvifStream {
  name: string
  uri: string
  /** As the camera names it, in lower case: h264, jpeg, mpeg4. */
  codec: string | null
  width: number | null
  height: number | null
}

export interface OnvifStreamsDeps {
  xaddr: string
  credentials: Credentials | null
  clock: Clock
}

const DEVICE = 'http://www.onvif.org/ver10/device/wsdl'
const MEDIA = 'http://www.onvif.org/ver10/media/wsdl'
const SCHEMA = 'http://www.onvif.org/ver10/schema'
const ALL_WITHIN_MS = 15_000
const MAX_PROFILES = 16
const MAX_TEXT = 200

/** Throws SourceFailure unreachable, unauthorized, malformed, too-large or unsupported (no stream at all). */
export async function onvifStreams({ xaddr, credentials, clock }: OnvifStreamsDeps): Promise<OnvifStream[]> {
  const url = URL.canParse(xaddr) ? new URL(xaddr) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '')
    throw new SourceFailure('malformed', 'This is no address of an ONVIF camera.')
  const deadline = new AbortController()
  const cancel = clock.after(ALL_WITHIN_MS, () => deadline.abort())
  try {
    const offsetMs = await clockOffset(url, clock, deadline.signal)
    const deps: SoapDeps = { credentials, signal: deadline.signal, cameraNow: () => clock.now() + offsetMs }
    const media = await mediaService(url, deps)
    const profiles = await askSoap(media, `${MEDIA}/GetProfiles`, `<GetProfiles xmlns="${MEDIA}"/>`, deps)
    const streams: OnvifStream[] = []
    for (const profile of all(profiles, 'Profiles').slice(0, MAX_PROFILES)) {
      const stream = await streamOf(profile, media, deps)
      if (stream !== null) streams.push(stream)
    }
    if (streams.length === 0)
      throw new SourceFailure('unsupported', 'The camera offers no stream over ONVIF.')
    return streams
  } finally {
    cancel()
  }
}

/** How far the camera's clock is ahead of ours; 0 when it does not say. Asked without credentials, as ONVIF allows for this one. */
async function clockOffset(url: URL, clock: Clock, signal: AbortSignal): Promise<number> {
  try {
    const body = `<GetSystemDateAndTime xmlns="${DEVICE}"/>`
    const answer = await askSoap(url, `${DEVICE}/GetSystemDateAndTime`, body, {
      credentials: null,
      signal,
      cameraNow: clock.now,
    })
    const utc = first(answer, 'UTCDateTime')
    const part = (name: string) => Number((utc && first(utc, name)?.text) ?? Number.NaN)
    const cameraMs = Date.UTC(
      part('Year'),
      part('Month') - 1,
      part('Day'),
      part('Hour'),
      part('Minute'),
      part('Second'),
    )
    return Number.isFinite(cameraMs) ? cameraMs - clock.now() : 0
  } catch (cause) {
    if (cause instanceof SourceFailure && cause.code === 'unreachable') throw cause
    return 0
  }
}

/** The path only is taken: behind address translation cameras name a host that we cannot reach. */
async function mediaService(url: URL, deps: SoapDeps): Promise<URL> {
  const body = `<GetCapabilities xmlns="${DEVICE}"><Category>Media</Category></GetCapabilities>`
  try {
    const answer = await askSoap(url, `${DEVICE}/GetCapabilities`, body, deps)
    const named = first(answer, 'Media', 'XAddr')?.text ?? ''
    const { pathname, search } = new URL(named)
    return new URL(`${pathname}${search}`, url)
  } catch (cause) {
    if (cause instanceof SourceFailure && cause.code !== 'malformed') throw cause
    return url
  }
}

async function streamOf(profile: XmlNode, media: URL, deps: SoapDeps): Promise<OnvifStream | null> {
  const token = profile.attributes['token'] ?? ''
  const encoder = first(profile, 'VideoEncoderConfiguration')
  if (token === '' || encoder === null) return null
  const body = `<GetStreamUri xmlns="${MEDIA}"><StreamSetup><Stream xmlns="${SCHEMA}">RTP-Unicast</Stream><Transport xmlns="${SCHEMA}"><Protocol>RTSP</Protocol></Transport></StreamSetup><ProfileToken>${escaped(token)}</ProfileToken></GetStreamUri>`
  const answer = await askSoap(media, `${MEDIA}/GetStreamUri`, body, deps)
  const uri = streamUri(first(answer, 'Uri')?.text ?? '', hostOf(media))
  if (uri === null) return null
  const size = first(encoder, 'Resolution')
  return {
    name: plain(profile.children.find(({ name }) => name === 'Name')?.text ?? token),
    uri,
    codec: plain(first(encoder, 'Encoding')?.text ?? '').toLowerCase() || null,
    width: side(size, 'Width'),
    height: side(size, 'Height'),
  }
}

/** Without user info, and only where the camera or another address inside the house is. */
function streamUri(text: string, cameraHost: string): string | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  if (!/^(rtsps?|https?):$/.test(url.protocol) || !mayVisit(url, cameraHost)) return null
  url.username = ''
  url.password = ''
  return url.href
}

function side(size: XmlNode | null, name: string): number | null {
  const value = Number(size === null ? Number.NaN : first(size, name)?.text)
  return Number.isInteger(value) && value > 0 && value <= 16_384 ? value : null
}

const plain = (text: string): string => text.replace(/\p{Cc}/gu, '').slice(0, MAX_TEXT)
