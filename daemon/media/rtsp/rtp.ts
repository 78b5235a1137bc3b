/** RTP packets (RFC 3550) and their order: which came next, what is missing, and which RTCP reports came with them. */

export interface RtpPacket {
  payloadType: number
  marker: boolean
  sequence: number
  /** 32 bit, in units of the track's clock. */
  timestamp: number
  ssrc: number
  /** Good only while the packet is being handled. */
  payload: Uint8Array
}

const FIXED_HEADER = 12

/** Null for bytes that are no RTP packet. */
export function parseRtp(bytes: Uint8Array): RtpPacket | null {
  const first = bytes[0] ?? 0
  if (bytes.length < FIXED_HEADER || first >> 6 !== 2) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let start = FIXED_HEADER + 4 * (first & 0x0f)
  if ((first & 0x10) !== 0) {
    if (start + 4 > bytes.length) return null
    start += 4 + 4 * view.getUint16(start + 2)
  }
  const padding = (first & 0x20) === 0 ? 0 : (bytes[bytes.length - 1] ?? 0)
  if (start + padding > bytes.length || ((first & 0x20) !== 0 && padding === 0)) return null
  return {
    payloadType: view.getUint8(1) & 0x7f,
    marker: (view.getUint8(1) & 0x80) !== 0,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    payload: bytes.subarray(start, bytes.length - padding),
  }
}

/** What the sequence number says: the next one, some missing before it, or one that is older than what came. */
export type Arrival = { kind: 'next' } | { kind: 'gap'; missing: number } | { kind: 'late' }

/** Follows one stream. A camera that starts anew (other SSRC, or two packets in a row from elsewhere) counts as a gap of unknown size. */
export function createSequence(): (packet: Pick<RtpPacket, 'sequence' | 'ssrc'>) => Arrival {
  let expected: number | null = null
  let ssrc = 0
  let elsewhere: number | null = null
  return (packet) => {
    const following = (packet.sequence + 1) & 0xffff
    if (expected === null || packet.ssrc !== ssrc) {
      const began = expected === null
      ssrc = packet.ssrc
      expected = following
      return began ? { kind: 'next' } : { kind: 'gap', missing: 0 }
    }
    const missing = (packet.sequence - expected) & 0xffff
    if (missing >= 0x8000) {
      const restarted = elsewhere === packet.sequence
      elsewhere = following
      if (!restarted) return { kind: 'late' }
      elsewhere = null
      expected = following
      return { kind: 'gap', missing: 0 }
    }
    elsewhere = null
    expected = following
    return missing === 0 ? { kind: 'next' } : { kind: 'gap', missing }
  }
}

export interface SenderReport {
  ssrc: number
  /** The sender's wall clock, ms UTC with fractions, at `timestamp`. */
  ntpMs: number
  timestamp: number
}

/** 1900 to 1970, as NTP counts. */
const NTP_EPOCH_S = 2_208_988_800
const SENDER_REPORT = 200
const BYE = 203

/** The sender report and the farewell of a compound RTCP packet; what is cut off or unknown is passed over. */
export function parseRtcp(bytes: Uint8Array): { report: SenderReport | null; bye: boolean } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let report: SenderReport | null = null
  let bye = false
  for (let at = 0; at + 4 <= bytes.length; ) {
    const type = view.getUint8(at + 1)
    const length = 4 + 4 * view.getUint16(at + 2)
    if (view.getUint8(at) >> 6 !== 2 || at + length > bytes.length) break
    if (type === SENDER_REPORT && length >= 28) {
      const seconds = view.getUint32(at + 8) - NTP_EPOCH_S
      const ntpMs = seconds * 1000 + (view.getUint32(at + 12) / 2 ** 32) * 1000
      report = { ssrc: view.getUint32(at + 4), ntpMs, timestamp: view.getUint32(at + 16) }
    } else if (type === BYE) bye = true
    at += length
  }
  return { report, bye }
}

/** A sender report with the camera's name (SDES is required in a compound packet), as the simulated camera sends it. */
export function senderReport(
  { ssrc, ntpMs, timestamp }: SenderReport,
  sent: { packets: number; bytes: number },
  bye = false,
): Uint8Array {
  const name = Buffer.from('homefield', 'ascii')
  const bytes = Buffer.alloc(28 + 20 + (bye ? 8 : 0))
  const seconds = Math.floor(ntpMs / 1000)
  bytes.writeUInt32BE(0x80c80006, 0)
  bytes.writeUInt32BE(ssrc, 4)
  bytes.writeUInt32BE(seconds + NTP_EPOCH_S, 8)
  bytes.writeUInt32BE(Math.floor(((ntpMs - seconds * 1000) / 1000) * 2 ** 32), 12)
  bytes.writeUInt32BE(timestamp, 16)
  bytes.writeUInt32BE(sent.packets >>> 0, 20)
  bytes.writeUInt32BE(sent.bytes >>> 0, 24)
  bytes.writeUInt32BE(0x81ca0004, 28)
  bytes.writeUInt32BE(ssrc, 32)
  bytes[36] = 1
  bytes[37] = name.length
  name.copy(bytes, 38)
  if (bye) {
    bytes.writeUInt32BE(0x81cb0001, 48)
    bytes.writeUInt32BE(ssrc, 52)
  }
  return bytes
}

/** One RTP packet without extension or padding. */
export function rtpPacket({
  payloadType,
  marker,
  sequence,
  timestamp,
  ssrc,
  payload,
}: RtpPacket): Uint8Array {
  const bytes = Buffer.alloc(FIXED_HEADER + payload.length)
  bytes[0] = 0x80
  bytes[1] = payloadType | (marker ? 0x80 : 0)
  bytes.writeUInt16BE(sequence & 0xffff, 2)
  bytes.writeUInt32BE(timestamp >>> 0, 4)
  bytes.writeUInt32BE(ssrc >>> 0, 8)
  bytes.set(payload, FIXED_HEADER)
  return bytes
}
