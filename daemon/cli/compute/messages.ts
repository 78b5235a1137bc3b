/** A file of captured MQTT messages, decoded in order with one state. */
import type { BridgeAnswer, BridgeSample, DeviceSettings } from '../../../firmware-bridge/bridge/answer.ts'
import { createBridge } from '../../../firmware-bridge/bridge/bridge.ts'
import { decodeGatt } from '../../../firmware-bridge/gatt/decode.ts'
import { readGattPayload } from '../../../firmware-bridge/gatt/payload.ts'
import { decodeObservations } from '../../../firmware-bridge/hf/observations.ts'
import { parseInstant } from '../../domain/instant.ts'
import { takeIn } from '../../domain/intake.ts'
import { metricNamed } from '../../domain/metric.ts'
import { HubError } from '../../kernel/errors.ts'
import { localClock } from './local-clock.ts'

interface CapturedMessage {
  id: string
  topic: string
  payload: Uint8Array
  retain: boolean
}

/** In a file without a household, a thermometer is taken for a person's: rooms are seldom captured. */
const ASSUMED: DeviceSettings = {
  metrics: { temperature: 'body_temp', tempc: 'body_temp', temp: 'body_temp' },
}
const HEX = /^(?:[0-9a-f]{2})*$/i

/** Throws HubError VALIDATION_ERROR for a file of another shape. `zone` wins over the file's own `hub_zone`. */
export function decodeMessages(input: Record<string, unknown>, zone?: string): { messages: object[] } {
  const nowMs = receivedAt(input['received_at'])
  const fileZone = typeof input['hub_zone'] === 'string' ? input['hub_zone'] : 'UTC'
  const bridge = createBridge({ zone: localClock(zone ?? fileZone), devices: () => ASSUMED })
  const messages = captured(input['messages']).map(({ id, topic, payload, retain }) => {
    const own = /^hf\/([\w-]{1,64})\/(.+)$/.exec(topic)
    const said = own
      ? decodeOwn(own[1] ?? '', own[2] ?? '', payload, nowMs)
      : inWords(bridge.message(topic, payload, retain, nowMs))
    return { id, ...said }
  })
  return { messages }
}

/** The hub's own topics, `hf/<device>/…`. */
function decodeOwn(device: string, path: string, payload: Uint8Array, nowMs: number): object {
  if (path === 'obs') return decodeOwnSamples(device, payload, nowMs)
  if (path === 'status') return { device, online: Buffer.from(payload).toString() === 'online' }
  const characteristic = /^raw\/gatt\/([^/]+)$/.exec(path)?.[1]
  const packet = characteristic === undefined ? null : readGattPayload(payload)
  if (characteristic === undefined || packet === null) return { samples: [], reason: 'topic_unknown' }
  const decoded = 'error' in packet ? packet : decodeGatt(characteristic, packet.bytes)
  if ('error' in decoded) return decoded
  return { ...decoded, samples: decoded.samples.map((sample) => ({ device, ...sample, t: iso(nowMs) })) }
}

function decodeOwnSamples(device: string, payload: Uint8Array, nowMs: number): object {
  const decoded = decodeObservations(payload)
  if ('error' in decoded) return decoded
  const context = {
    deviceId: device,
    source: 'obs',
    nowMs,
    arrivedMs: null,
    deviceZone: 'UTC',
    naiveZone: null,
    personAt: () => 'wearer',
  }
  const reasons: string[] = []
  const samples = decoded.items.flatMap((item) => {
    if ('refused' in item) {
      reasons.push(item.refused)
      return []
    }
    return takeIn(item.sample, context).flatMap((taken) => {
      if ('observation' in taken) {
        const { metric, value, atMs } = taken.observation
        return [{ device, metric, value, unit: metricNamed(metric)?.unit, t: iso(atMs) }]
      }
      reasons.push(taken.rejected.message)
      return []
    })
  })
  return { samples, ...(reasons.length > 0 ? { reason: reasons.join('; ') } : {}) }
}

/** An answer of the bridge with the keys that files of expected results use. */
function inWords(answer: BridgeAnswer): object {
  switch (answer.kind) {
    case 'samples': {
      const { kind: _, samples, ...rest } = answer
      return { samples: samples.map(sampleInWords), ...rest }
    }
    case 'announced':
      return announcedInWords(answer)
    case 'removed':
      return { removed: answer.form === 'device' ? answer.deviceId : answer.entities[0] }
    case 'presence':
      return { device: answer.devices[0], online: answer.online }
    case 'ignored':
      return { samples: [], reason: answer.reason }
    case 'undecodable': {
      const { kind: _, ...rest } = answer
      return rest
    }
  }
}

function sampleInWords({ atMs, endMs, ...sample }: BridgeSample): object {
  return { ...sample, t: iso(atMs), ...(endMs === undefined ? {} : { tEnd: iso(endMs) }) }
}

function announcedInWords({
  form,
  deviceId,
  entities,
}: Extract<BridgeAnswer, { kind: 'announced' }>): object {
  const [first] = entities
  if (form === 'device') {
    return {
      entities: entities.map(({ uniqueId }) => uniqueId),
      device_id: deviceId,
      state_topic: first?.stateTopic,
    }
  }
  return {
    entity: {
      unique_id: first?.uniqueId,
      component: first?.component,
      state_topic: first?.stateTopic,
      unit: first?.unit,
      device_class: first?.deviceClass,
      device_id: deviceId,
      availability_topic: first?.availability[0]?.topic ?? null,
    },
  }
}

function receivedAt(value: unknown): number {
  const parsed = parseInstant(value, null)
  if ('wrong' in parsed) throw new HubError('VALIDATION_ERROR', `received_at: ${parsed.wrong}.`)
  return parsed.atMs
}

function captured(list: unknown): CapturedMessage[] {
  if (!Array.isArray(list)) throw new HubError('VALIDATION_ERROR', 'messages is a list.')
  return list.map((entry: unknown, index) => {
    const { id, topic, payload, payload_hex: hex, retain } = Object(entry) as Record<string, unknown>
    const text = typeof payload === 'string' ? payload : null
    const bytes = typeof hex === 'string' && HEX.test(hex) ? hex : null
    if (typeof id !== 'string' || typeof topic !== 'string' || (text === null && bytes === null))
      throw new HubError(
        'VALIDATION_ERROR',
        `messages[${index}] needs id, topic, and payload or payload_hex.`,
      )
    return {
      id,
      topic,
      payload: bytes === null ? Buffer.from(text ?? '') : Buffer.from(bytes, 'hex'),
      retain: retain === true,
    }
  })
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
