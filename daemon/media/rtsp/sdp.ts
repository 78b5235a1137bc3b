/** The part of a session description (RFC 8866) that an RTSP client needs: which tracks there are and how to ask for them. */
import { SourceFailure } from '../source.ts'

export interface Track {
  /** `video`, `audio`, `application`. */
  media: string
  payloadType: number
  /** Upper case: H264, H265, JPEG. */
  encoding: string
  clockRate: number
  /** Format parameters by lower-case name. */
  parameters: ReadonlyMap<string, string>
  control: string | null
  fps: number | null
  /** From `a=x-dimensions` or `a=framesize`; JPEG above 2040 pixels needs it. */
  size: { width: number; height: number } | null
}

export interface Description {
  control: string | null
  tracks: Track[]
}

const MAX_LINES = 2000
const MAX_TRACKS = 16
/** RFC 3551: types that need no rtpmap. */
const STATIC_TYPES: Record<number, string> = { 26: 'JPEG' }
const VIDEO_CLOCK = 90_000

interface OpenTrack extends Omit<Track, 'parameters'> {
  parameters: Map<string, string>
}

/** Throws SourceFailure 'malformed' for text that is no session description. */
export function parseSdp(text: string): Description {
  const lines = text.split(/\r?\n/)
  if (lines.length > MAX_LINES || !lines[0]?.startsWith('v='))
    throw new SourceFailure('malformed', 'The camera describes its stream in a way that cannot be read.')
  const description: { control: string | null; tracks: OpenTrack[] } = { control: null, tracks: [] }
  for (const line of lines) {
    const value = line.slice(2)
    if (line.startsWith('m=')) {
      if (description.tracks.length === MAX_TRACKS)
        throw new SourceFailure('malformed', `The camera describes more than ${MAX_TRACKS} tracks.`)
      description.tracks.push(opened(value))
    } else if (line.startsWith('a=')) {
      const track = description.tracks.at(-1)
      if (track !== undefined) attribute(track, value)
      else if (value.startsWith('control:')) description.control = value.slice(8).trim()
    }
  }
  return description
}

/** `video 0 RTP/AVP 96` */
function opened(value: string): OpenTrack {
  const [media = '', , , format = ''] = value.trim().split(/\s+/)
  const payloadType = /^\d{1,3}$/.test(format) ? Number(format) : -1
  return {
    media,
    payloadType,
    encoding: STATIC_TYPES[payloadType] ?? '',
    clockRate: VIDEO_CLOCK,
    parameters: new Map(),
    control: null,
    fps: null,
    size: null,
  }
}

function attribute(track: OpenTrack, text: string): void {
  const [, name = '', rest = ''] = /^([^:]+):?(.*)$/s.exec(text) ?? []
  const value = rest.trim()
  if (name === 'control') track.control = value
  else if (name === 'rtpmap') rtpmap(track, value)
  else if (name === 'fmtp') formatParameters(track, value)
  else if (name === 'framerate' || name === 'x-framerate') track.fps = rateOf(value)
  else if (name === 'x-dimensions') track.size = sizeOf(/^(\d{1,5})\s*,\s*(\d{1,5})/.exec(value))
  else if (name === 'framesize') track.size = sizeOf(/^\d+\s+(\d{1,5})-(\d{1,5})/.exec(value))
}

function rateOf(value: string): number | null {
  const rate = Number.parseFloat(value)
  return rate > 0 && rate <= 1000 ? rate : null
}

function sizeOf(match: RegExpExecArray | null): Track['size'] {
  const width = Number(match?.[1])
  const height = Number(match?.[2])
  return width > 0 && height > 0 ? { width, height } : null
}

/** `96 H264/90000` */
function rtpmap(track: OpenTrack, value: string): void {
  const match = /^(\d{1,3})\s+([A-Za-z0-9.+_-]+)\/(\d{1,7})/.exec(value)
  if (match === null || Number(match[1]) !== track.payloadType || Number(match[3]) === 0) return
  track.encoding = (match[2] ?? '').toUpperCase()
  track.clockRate = Number(match[3])
}

/** `96 packetization-mode=1;sprop-parameter-sets=Z00AHw==,aO48gA==` */
function formatParameters(track: OpenTrack, value: string): void {
  const match = /^(\d{1,3})\s+(.*)$/s.exec(value)
  if (match === null || Number(match[1]) !== track.payloadType) return
  for (const piece of (match[2] ?? '').split(';')) {
    const equals = piece.indexOf('=')
    if (equals > 0)
      track.parameters.set(piece.slice(0, equals).trim().toLowerCase(), piece.slice(equals + 1).trim())
  }
}

/**
 * The address of a track or of the whole session (RFC 2326 appendix C.1.1). A relative one is appended to the base as cameras mean it,
 * behind a query too, and not resolved as a web address would be.
 */
export function controlUrl(base: string, control: string | null): string {
  if (control === null || control === '' || control === '*') return base
  const url = /^rtsps?:\/\//i.test(control)
    ? control
    : `${base}${base.endsWith('/') ? '' : '/'}${control.replace(/^\//, '')}`
  if (/[\s\p{Cc}]/u.test(url))
    throw new SourceFailure('malformed', 'The camera names a track in a way that cannot be asked for.')
  return url
}
