import { entry } from '../entry.ts'
import { decodeGatt } from '../gatt/decode.ts'
import type { Decoded, Sample } from '../message.ts'
import { unitOf } from '../quantity.ts'
import { type Arrival, type BridgeAnswer, ignored } from './answer.ts'
import { deviceName } from './device-name.ts'
import { numberOf, textOf } from './read-json.ts'

/** Values that EspruinoHub decodes itself, on `/ble/<name>/<device>`. */
const DECODED: Readonly<Record<string, string>> = {
  battery: 'battery',
  temp: 'ambient_temp',
  humidity: 'humidity',
}
/** The short keys of the advert that our own app on a Bangle.js sends. */
const SHORT: Readonly<Record<string, string>> = { hr: 'heart_rate', st: 'steps_counter', b: 'battery' }
const SERVICE_DATA = /^(?:fcd2|181b)$/
const BYTES = /^\[(?:\d{1,3}(?:,\d{1,3}){0,254})?\]$/
const SHORT_JSON =
  /^\{(?:\s*["']?[A-Za-z]\w{0,15}["']?\s*:\s*-?\d{1,9}(?:\.\d{1,6})?\s*(?:,|(?=\}))){1,16}\}$/
const SHORT_PAIR = /["']?([A-Za-z]\w{0,15})["']?\s*:\s*(-?\d{1,9}(?:\.\d{1,6})?)/g

/**
 * EspruinoHub's topics, `/ble/…`; null for any other. It says many things twice: what it repeats under
 * `/ble/advertise/<device>/<key>` is left to the topic that carries the original.
 */
export function readEspruinoHub(arrival: Arrival): BridgeAnswer | null {
  const path = arrival.topic[0] === '' ? arrival.topic.slice(1) : arrival.topic
  if (path[0] !== 'ble' || path.length < 3) return null
  const [, kind = '', name, ...rest] = path
  const device = deviceName(name)
  if (device === null) return ignored('device_unnamed')
  if (kind === 'presence') return presence(device, textOf(arrival.payload))
  const decoded = decodeTopic(kind, device, rest, arrival)
  if (decoded === null) return ignored('not_a_measurement')
  if ('error' in decoded) return { kind: 'undecodable', ...decoded }
  const samples = decoded.samples.map((sample) => ({ device, ...sample, atMs: arrival.receivedAtMs }))
  return { kind: 'samples', samples, ...(decoded.reason === undefined ? {} : { reason: decoded.reason }) }
}

function decodeTopic(
  kind: string,
  device: string,
  rest: readonly string[],
  arrival: Arrival,
): Decoded | null {
  if (kind === 'data' && rest.length === 2) return decodeGatt(rest[1] ?? '', arrival.payload)
  if (kind === 'advertise' && rest.length === 1) return decodeAdvert(rest[0] ?? '', arrival)
  if (kind === 'advertise' && rest[0] === 'manufacturer' && rest.length === 2)
    return decodeMaker(rest[1] ?? '', arrival)
  const usual = entry(DECODED, kind)
  if (rest.length > 0 || usual === undefined) return null
  const settled = arrival.settings(device)?.metrics ?? {}
  return decodeValue(entry(settled, kind) ?? usual, textOf(arrival.payload))
}

function decodeValue(metric: string, text: string): Decoded {
  const unit = unitOf(metric)
  if (unit === undefined) return { samples: [], reason: 'no_metric' }
  const value = numberOf(text)
  return value === null ? { samples: [], reason: 'no_value' } : { samples: [{ metric, value, unit }] }
}

function decodeAdvert(key: string, arrival: Arrival): Decoded | null {
  const text = textOf(arrival.payload)
  if (key === 'espruino') return decodeShort(text)
  if (!SERVICE_DATA.test(key)) return null
  if (!BYTES.test(text)) return { error: 'malformed', detail: 'service data is a list of bytes' }
  const bytes = Uint8Array.from(JSON.parse(text) as number[])
  return decodeGatt(`svc:${key}`, bytes)
}

/** Manufacturer data behind the company's number, as hex in a JSON string. */
function decodeMaker(company: string, arrival: Arrival): Decoded | null {
  const rest = /^"((?:[0-9a-f]{2}){1,64})"$/i.exec(textOf(arrival.payload))?.[1]
  if (company !== '006b' || rest === undefined) return null
  return decodeGatt('mfr:006b', Uint8Array.from(Buffer.from(`6b00${rest}`, 'hex')))
}

/** An advert of at most 24 characters leaves no room for quotes, so its keys come without. */
function decodeShort(text: string): Decoded {
  if (text.length > 128 || !SHORT_JSON.test(text))
    return { error: 'json', detail: 'not the short form {hr:72,st:1,b:9}' }
  const samples: Sample[] = []
  for (const [, key = '', number] of text.matchAll(SHORT_PAIR)) {
    const metric = entry(SHORT, key)
    const unit = metric === undefined ? undefined : unitOf(metric)
    const missing = key === 'hr' && Number(number) === 0
    if (metric !== undefined && unit !== undefined && !missing)
      samples.push({ metric, value: Number(number), unit })
  }
  return samples.length > 0 ? { samples } : { samples, reason: 'undecoded' }
}

function presence(device: string, text: string): BridgeAnswer {
  return text === '1' || text === '0'
    ? { kind: 'presence', devices: [device], online: text === '1' }
    : ignored('not_a_presence')
}
