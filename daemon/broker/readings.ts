import { decodeGatt } from '../../firmware-bridge/gatt/decode.ts'
import { readGattPayload } from '../../firmware-bridge/gatt/payload.ts'
import { decodeObservations } from '../../firmware-bridge/hf/observations.ts'
import type { DecodeError, Sample, Undecodable } from '../../firmware-bridge/message.ts'
import type { SampleInput } from '../domain/intake.ts'
import type { Rejection } from '../domain/intake-value.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import type { Route } from './topics.ts'

/** One sample of a message and where it stood there. */
export interface Reading {
  index: number
  path: string
  sample: SampleInput
}

/** A sample that could not be taken. */
export interface Refusal extends Rejection {
  index: number
}

export interface Readings {
  /** Kept with each value as the way it came. */
  source: string
  /** Samples of this way need not say when: their arrival counts. */
  stampedOnArrival: boolean
  readings: Reading[]
  refused: Refusal[]
}

const CODE_OF: Readonly<Record<DecodeError, ErrorCode>> = {
  truncated: 'VALIDATION_ERROR',
  crc: 'VALIDATION_ERROR',
  json: 'VALIDATION_ERROR',
  cbor: 'VALIDATION_ERROR',
  malformed: 'VALIDATION_ERROR',
  range: 'OUT_OF_RANGE',
  unsupported: 'UNSUPPORTED_MEDIA',
  too_large: 'TOO_LARGE',
}

/** What a message says, by its route: our own format, or a codec of the firmware bridge. */
export function readMessage(route: Route, payload: Uint8Array): Readings | Refusal {
  if (route.kind === 'obs') return readObservations(payload)
  if (route.kind === 'raw' && route.codec === 'gatt' && route.part !== null)
    return readGatt(route.part, payload)
  return { index: 0, code: 'UNSUPPORTED_MEDIA', path: '', message: 'nothing here reads this topic' }
}

function readObservations(payload: Uint8Array): Readings | Refusal {
  const decoded = decodeObservations(payload)
  if ('error' in decoded) return undecodable(decoded)
  const readings: Reading[] = []
  const refused: Refusal[] = []
  for (const item of decoded.items) {
    if ('sample' in item) readings.push(item)
    else refused.push({ index: item.index, code: 'VALIDATION_ERROR', path: item.path, message: item.refused })
  }
  return { source: 'obs', stampedOnArrival: false, readings, refused }
}

function readGatt(characteristic: string, payload: Uint8Array): Readings | Refusal {
  const packet = readGattPayload(payload)
  if ('error' in packet) return undecodable(packet)
  const decoded = decodeGatt(characteristic, packet.bytes)
  if ('error' in decoded) return undecodable(decoded)
  const told = {
    ...(packet.ts === undefined ? {} : { ts: packet.ts }),
    ...(packet.person === undefined ? {} : { person: packet.person }),
  }
  const localTime = decoded.samples.find((sample) => sample.local_time !== undefined)?.local_time
  const newestMinute = Math.max(...decoded.samples.map(minuteOf))
  const readings = decoded.samples.map((sample, index) => ({
    index,
    path: sample.metric,
    sample: {
      ...inputOf(sample),
      ...(localTime === undefined ? {} : { localTime }),
      // Records of a session count minutes; the newest of a packet was just measured.
      agoMs: sample['session_minute'] === undefined ? 0 : (newestMinute - minuteOf(sample)) * 60_000,
      ...told,
    },
  }))
  return { source: 'gatt', stampedOnArrival: true, readings, refused: [] }
}

function minuteOf(sample: Sample): number {
  const minute = sample['session_minute']
  return typeof minute === 'number' ? minute : 0
}

function inputOf({ metric, value, unit, local_time: _, ...facts }: Sample): SampleInput {
  return { metric, value, unit, ...(Object.keys(facts).length > 0 ? { facts } : {}) }
}

function undecodable({ error, detail }: Undecodable): Refusal {
  return {
    index: 0,
    code: CODE_OF[error],
    path: '',
    message: detail === undefined ? error : `${error}: ${detail}`,
  }
}
