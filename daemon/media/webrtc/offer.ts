/** Reads a WHIP or WHEP offer before native code does: size, sections, direction, codecs, and which addresses may be tried. */
import { HubError } from '../../kernel/errors.ts'

export type Purpose = 'view' | 'receive'

const MAX_BYTES = 64 * 1024
const MAX_LINES = 2_000
const MAX_SECTIONS = 4
const MAX_CANDIDATES = 16
/** What the hub can encode and decode, cheapest first. */
const CODECS = ['VP8', 'VP9', 'AV1']
const MAX_KBPS = 2_500

interface Section {
  kind: string
  lines: string[]
}

/**
 * The offer as native code may see it: VP8 first, a bit rate limit, and only candidates on private addresses. Names (mDNS) and
 * others are left out: the phone reaches the hub's own candidates, and the hub must not send packets where an offer points.
 */
export function readOffer(offerSdp: string, purpose: Purpose): string {
  if (Buffer.byteLength(offerSdp) > MAX_BYTES)
    throw new HubError('TOO_LARGE', `The offer is larger than ${MAX_BYTES / 1024} KB. Offer one video.`)
  const sections = sectionsOf(offerSdp)
  const [session, ...media] = sections
  if (session?.lines[0] !== 'v=0') throw invalid('The body is no SDP offer. Send one as application/sdp.')
  if (media.length > MAX_SECTIONS)
    throw invalid(`The offer has more than ${MAX_SECTIONS} media. Offer one video.`)
  const video = media.find(({ kind }) => kind === 'video')
  if (!video) throw invalid('The offer has no video. Offer one video.')
  if (media.some(({ kind }) => kind !== 'video' && kind !== 'audio'))
    throw invalid('The offer asks for more than video and sound. Offer one video.')
  checkVideo(session, video, purpose)
  return [session, ...media].map((section) => `${prepared(section, purpose).join('\r\n')}\r\n`).join('')
}

function invalid(message: string): HubError {
  return new HubError('VALIDATION_ERROR', message)
}

function sectionsOf(sdp: string): Section[] {
  const lines = sdp.split(/\r?\n/).filter((line) => line !== '')
  if (lines.length > MAX_LINES) throw invalid(`The offer has more than ${MAX_LINES} lines. Offer one video.`)
  const sections: Section[] = [{ kind: 'session', lines: [] }]
  for (const line of lines) {
    if (line.startsWith('m=')) sections.push({ kind: line.slice(2).split(' ')[0] ?? '', lines: [] })
    sections.at(-1)?.lines.push(line)
  }
  return sections
}

function checkVideo(session: Section, video: Section, purpose: Purpose): void {
  const all = [...session.lines, ...video.lines]
  for (const needed of ['a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:'])
    if (!all.some((line) => line.startsWith(needed)))
      throw invalid(
        `The offer has no ${needed.slice(2, -1)}. Use a browser's offer after setLocalDescription.`,
      )
  const direction = all.findLast((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.test(line))?.slice(2)
  const wanted = purpose === 'view' ? 'recvonly' : 'sendonly'
  if (direction !== undefined && direction !== wanted && direction !== 'sendrecv')
    throw invalid(`The video of the offer is ${direction}. Offer it as ${wanted}.`)
  const names = [...payloads(video).values()]
  if (CODECS.some((codec) => names.includes(codec))) return
  throw new HubError(
    'UNSUPPORTED_MEDIA',
    names.includes('H264') || names.includes('H265')
      ? 'The offer has H.264 or H.265 only, and the hub speaks VP8, VP9 and AV1. Choose VP8 in the sending app, or add the camera by its RTSP address.'
      : 'The offer has no codec that the hub speaks. Offer VP8, VP9 or AV1.',
  )
}

/** Payload type to codec name, of the payload types that the media line names. */
function payloads({ lines }: Section): Map<string, string> {
  const listed = lines[0]?.split(' ').slice(3) ?? []
  const named = lines.flatMap((line) => {
    const match = /^a=rtpmap:(\d+) ([\w-]+)\//.exec(line)
    return match?.[1] && match[2] ? [[match[1], match[2].toUpperCase()] as const] : []
  })
  return new Map(named.filter(([type]) => listed.includes(type)))
}

function prepared(section: Section, purpose: Purpose): string[] {
  let candidates = 0
  const kept = section.lines.filter((line) => {
    if (line.startsWith('a=candidate:')) return isLocal(line) && ++candidates <= MAX_CANDIDATES
    if (line.startsWith('b=')) return false
    // Without this extension the sender turns its pictures upright itself.
    return !(
      purpose === 'receive' &&
      line.startsWith('a=extmap:') &&
      line.endsWith('urn:3gpp:video-orientation')
    )
  })
  if (section.kind !== 'video') return kept
  const [media = '', ...rest] = kept
  const connection = rest.findIndex((line) => line.startsWith('c='))
  return [cheapestFirst(media, section), ...rest.toSpliced(connection + 1, 0, `b=AS:${MAX_KBPS}`)]
}

function cheapestFirst(media: string, section: Section): string {
  const words = media.split(' ')
  const names = payloads(section)
  const rank = (type: string) => {
    const at = CODECS.indexOf(names.get(type) ?? '')
    return at < 0 ? CODECS.length : at
  }
  return [...words.slice(0, 3), ...words.slice(3).sort((a, b) => rank(a) - rank(b))].join(' ')
}

/** `a=candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type> …` */
function isLocal(line: string): boolean {
  const words = line.split(' ')
  if (words[7] !== 'host') return false
  return (
    /^(127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|::1$|fe[89ab]|f[cd])/i.test(
      words[4] ?? '',
    ) && /^[\da-f.:]+$/i.test(words[4] ?? '')
  )
}
