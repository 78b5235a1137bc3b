/** Sends the pictures of a simulated camera to one viewer: RTP and RTCP in `$` frames. */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Clock } from '../../kernel/clock.ts'
import { packetiseH264, packetiseJpeg } from './packetise.ts'
import type { Due } from './playhead.ts'
import { rtpPacket, senderReport } from './rtp.ts'
import type { Video } from './video.ts'

export interface Sender {
  /** False when the picture was left out: before the first keyframe, or because the viewer is too slow. */
  send(due: Due): boolean
  /** RTCP BYE. */
  farewell(): void
}

export interface SenderDeps {
  socket: Socket
  channel: number
  video: Video
  clock: Pick<Clock, 'now'>
  mtu: number
}

const CLOCK_RATE = 90_000
const H264_TYPE = 96
const JPEG_TYPE = 26
/** A viewer that does not take this much gets no more until the next keyframe, as from a real camera. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
const REPORT_EVERY_MS = 1000

export function createSender({ socket, channel, video, clock, mtu }: SenderDeps): Sender {
  const [a, b, c] = [randomBytes(4), randomBytes(4), randomBytes(2)]
  const ssrc = a.readUInt32BE()
  const timestampBase = b.readUInt32BE()
  let sequence = c.readUInt16BE()
  let waiting = true
  let packets = 0
  let bytes = 0
  let reportedAtMs = Number.NEGATIVE_INFINITY
  let last: { ntpMs: number; timestamp: number } | null = null

  function frame(onChannel: number, packet: Uint8Array): void {
    socket.write(Uint8Array.of(0x24, onChannel, packet.length >> 8, packet.length & 0xff))
    socket.write(packet)
  }

  function report(bye: boolean): void {
    if (last !== null) frame(channel + 1, senderReport({ ssrc, ...last }, { packets, bytes }, bye))
  }

  return {
    send({ picture, index, takenAtMs }) {
      if (socket.writableLength > MAX_WAITING_BYTES) waiting = true
      else if (picture.keyframe) waiting = false
      if (waiting) return false
      const timestamp = (timestampBase + Math.round((index * CLOCK_RATE) / video.fps)) >>> 0
      const payloads =
        video.codec === 'h264'
          ? packetiseH264(picture.parts, mtu)
          : (packetiseJpeg(picture.parts[0] ?? new Uint8Array(), mtu) ?? [])
      last = { ntpMs: takenAtMs, timestamp }
      socket.cork()
      if (clock.now() - reportedAtMs >= REPORT_EVERY_MS) {
        reportedAtMs = clock.now()
        report(false)
      }
      for (const [at, payload] of payloads.entries()) {
        packets++
        bytes += payload.length
        const payloadType = video.codec === 'h264' ? H264_TYPE : JPEG_TYPE
        const marker = at === payloads.length - 1
        frame(channel, rtpPacket({ payloadType, marker, sequence: sequence++, timestamp, ssrc, payload }))
      }
      socket.uncork()
      return payloads.length > 0
    },
    farewell: () => report(true),
  }
}

/** What DESCRIBE answers. */
export function sessionDescription({ codec, fps, parameterSets }: Video): string {
  const type = codec === 'h264' ? H264_TYPE : JPEG_TYPE
  const lines = [
    'v=0',
    'o=- 0 0 IN IP4 0.0.0.0',
    's=Homefield simulated camera',
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=control:*',
    `m=video 0 RTP/AVP ${type}`,
    `a=rtpmap:${type} ${codec === 'h264' ? 'H264' : 'JPEG'}/${CLOCK_RATE}`,
    `a=framerate:${fps}`,
    'a=control:trackID=0',
  ]
  if (codec === 'h264') {
    const profile = Buffer.from(parameterSets[0]?.subarray(1, 4) ?? []).toString('hex')
    const sets = parameterSets.map((nal) => Buffer.from(nal).toString('base64')).join(',')
    lines.push(`a=fmtp:${type} packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${sets}`)
  }
  return `${lines.join('\r\n')}\r\n`
}
