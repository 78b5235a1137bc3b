import { readPayload } from '../hf/payload.ts'
import type { Undecodable } from '../message.ts'

export interface GattPayload {
  bytes: Uint8Array
  /** When the packet was received by whoever buffered it; absent where only the bytes came. */
  ts?: unknown
  person?: unknown
}

const HEX = /^(?:[0-9a-f]{2})+$/i
const OPENING_BRACE = 0x7b
/** `{"hex","ts","person"}` around 512 bytes. */
const WRAPPED = { maxBytes: 4096, maxDepth: 1, maxItems: 16 }

/**
 * Finds the characteristic's bytes in what a gateway published: the bytes themselves, their hex as text (ESPHome lambdas can
 * publish no binary), or `{"hex":…,"ts":…}` from a gateway that buffers. No characteristic we read can look like hex text:
 * their first byte is a set of flags below 0x30, or their length is fixed.
 */
export function readGattPayload(payload: Uint8Array): GattPayload | Undecodable {
  if (payload[0] === OPENING_BRACE) return wrapped(payload)
  const text = payload.byteLength <= 1024 ? Buffer.from(payload).toString('latin1').trim() : ''
  return { bytes: HEX.test(text) ? Buffer.from(text, 'hex') : payload }
}

function wrapped(payload: Uint8Array): GattPayload | Undecodable {
  const read = readPayload(payload, WRAPPED)
  if ('error' in read) return read
  const { hex, ts, person, ...unknown } = Object(read.value) as Record<string, unknown>
  const [stranger] = Object.keys(unknown)
  if (stranger !== undefined)
    return { error: 'malformed', detail: `unknown field ${JSON.stringify(stranger.slice(0, 64))}` }
  if (typeof hex !== 'string' || !HEX.test(hex))
    return { error: 'malformed', detail: 'hex holds the bytes, two digits each' }
  return {
    bytes: Buffer.from(hex, 'hex'),
    ...(ts === undefined ? {} : { ts }),
    ...(person === undefined ? {} : { person }),
  }
}
