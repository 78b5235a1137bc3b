import { entry } from '../entry.ts'
import { decodeGatt } from '../gatt/decode.ts'
import type { Decoded } from '../message.ts'
import { inUnitOf, unitOf } from '../quantity.ts'
import { type Arrival, type BridgeAnswer, type BridgeSample, ignored } from './answer.ts'
import { deviceName } from './device-name.ts'
import { type JsonObject, numberOf, readObject } from './read-json.ts'

const MARK = 'BTtoMQTT'
/** What OpenMQTTGateway and Theengs Gateway decode from adverts of things that a household wears, stands on or hangs up. */
const PROPERTIES: readonly { name: string; metric: string; unit?: string }[] = [
  { name: 'steps', metric: 'steps_counter' },
  { name: 'bpm', metric: 'heart_rate' },
  { name: 'act_bpm', metric: 'heart_rate' },
  { name: 'tempc', metric: 'ambient_temp' },
  { name: 'hum', metric: 'humidity' },
  { name: 'batt', metric: 'battery' },
]
const HEX = /^(?:[0-9a-f]{2}){1,255}$/i

/** Answers null for a topic that is not a gateway's. Both prefixes of it are settings of the gateway, so only the mark counts. */
export function readGateway(arrival: Arrival): BridgeAnswer | null {
  const mark = arrival.topic.indexOf(MARK)
  if (mark < 1 || mark !== arrival.topic.length - 2) return null
  const read = readObject(arrival.payload)
  if ('kind' in read) return read
  const device = deviceName(read.object['id']) ?? deviceName(arrival.topic[mark + 1])
  if (device === null) return ignored('device_unnamed')
  const decoded = decodeReport(read.object, device, arrival)
  if ('error' in decoded) return { kind: 'undecodable', ...decoded }
  const samples: BridgeSample[] = decoded.samples.map((sample) => ({
    device,
    ...sample,
    atMs: arrival.receivedAtMs,
  }))
  const rssi = numberOf(read.object['rssi'])
  const { reason } = decoded
  return {
    kind: 'samples',
    samples,
    ...(rssi === null ? {} : { rssi }),
    ...(reason === undefined ? {} : { reason }),
  }
}

function decodeReport(report: JsonObject, device: string, arrival: Arrival): Decoded {
  if (typeof report['characteristic'] === 'string') return decodeRead(report, report['characteristic'])
  if (typeof report['weight'] === 'number') return decodeScale(report)
  const metrics = arrival.settings(device)?.metrics ?? {}
  const samples = PROPERTIES.flatMap(({ name, metric: usual }) => {
    const metric = entry(metrics, name) ?? usual
    const unit = unitOf(metric)
    const value = numberOf(report[name])
    // A strap that lost the skin sends zero.
    const measured = value !== null && !(value === 0 && metric === 'heart_rate')
    return measured && unit !== undefined ? [{ metric, value, unit }] : []
  })
  if (samples.length > 0) return { samples }
  return decodeAdvert(report) ?? { samples: [], reason: 'undecoded' }
}

/** The answer to a read that we asked for, in hex. */
function decodeRead(report: JsonObject, characteristic: string): Decoded {
  if (report['success'] === false) return { samples: [], reason: 'read_failed' }
  const bytes = hexBytes(report['read'])
  return bytes === null
    ? { error: 'malformed', detail: 'read is not hex' }
    : decodeGatt(characteristic, bytes)
}

/** A scale reports bags and furniture as well, and says so. */
function decodeScale(report: JsonObject): Decoded {
  const mode = report['weighing_mode']
  if (mode !== undefined && mode !== 'person') return { samples: [], reason: 'not_a_person' }
  const unit = typeof report['unit'] === 'string' ? report['unit'] : 'kg'
  // A jin is half a kilogram; Chinese scales can be set to it.
  const scale = unit === 'jin' ? 0.5 : 1
  const value = inUnitOf('weight', Number(report['weight']) * scale, unit === 'jin' ? 'kg' : unit)
  if (value === null) return { error: 'unsupported', detail: 'weight in a unit nobody here knows' }
  const impedance = numberOf(report['impedance'])
  return {
    samples: [
      { metric: 'weight', value, unit: 'kg', ...(impedance === null ? {} : { impedance_ohm: impedance }) },
    ],
  }
}

/** Adverts that the gateway could not read but passed on as bytes. */
function decodeAdvert(report: JsonObject): Decoded | null {
  const service = report['servicedatauuid']
  const serviceBytes = hexBytes(report['servicedata'])
  if (typeof service === 'string' && service.length <= 36 && serviceBytes)
    return known(decodeGatt(`svc:${service.replace(/^0x/i, '')}`, serviceBytes))
  const maker = hexBytes(report['manufacturerdata'])
  if (!maker || maker.length < 2) return null
  const company = `${hexByte(maker[1])}${hexByte(maker[0])}`
  return known(decodeGatt(`mfr:${company}`, maker))
}

/** An advert of a kind that nobody here reads is the normal case in a flat full of gadgets, not an error. */
function known(decoded: Decoded): Decoded | null {
  return 'error' in decoded && decoded.error === 'unsupported' && !decoded.detail?.includes('encrypted')
    ? null
    : decoded
}

function hexBytes(value: unknown): Uint8Array | null {
  return typeof value === 'string' && HEX.test(value) ? Uint8Array.from(Buffer.from(value, 'hex')) : null
}

function hexByte(byte: number | undefined): string {
  return (byte ?? 0).toString(16).padStart(2, '0')
}
