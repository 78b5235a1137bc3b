import { entry } from '../entry.ts'
import type { LocalClock } from '../local-clock.ts'
import { inUnitOf, unitOf } from '../quantity.ts'
import { type Arrival, type BridgeAnswer, type BridgeSample, ignored } from './answer.ts'
import { deviceName } from './device-name.ts'
import { isObject, type JsonObject, numberOf, readObject, textOf } from './read-json.ts'

/** What fields of Tasmota's sensors are, unless the owner says otherwise. */
const FIELDS: Readonly<Record<string, string>> = {
  Temperature: 'ambient_temp',
  Humidity: 'humidity',
  Battery: 'battery',
  Weight: 'weight',
}
const MAX_SENSORS = 64
const WALL_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/
/** A device without network time starts in 1970; what it says then is no time. */
const CLOCK_SET_FROM_MS = Date.UTC(2020, 0, 1)

/** `tele/<device>/SENSOR`, whose time is the device's wall clock, and `tele/<device>/LWT`; null for any other topic. */
export function readTasmota(arrival: Arrival, clock: LocalClock): BridgeAnswer | null {
  const { topic } = arrival
  if (topic[0] !== 'tele' || topic.length < 3) return null
  if (topic.at(-1) === 'LWT') return presence(topic.at(-2), textOf(arrival.payload))
  if (topic.at(-1) !== 'SENSOR') return ignored('not_a_measurement')
  const device = deviceName(topic.at(-2))
  if (device === null) return ignored('device_unnamed')
  const read = readObject(arrival.payload)
  return 'kind' in read ? read : sensorSamples(read.object, device, arrival, clock)
}

function sensorSamples(
  report: JsonObject,
  device: string,
  arrival: Arrival,
  clock: LocalClock,
): BridgeAnswer {
  const atMs = reportedAt(report['Time'], clock) ?? arrival.receivedAtMs
  const settled = arrival.settings(device)?.metrics ?? {}
  const samples: BridgeSample[] = []
  let reason: string | undefined
  for (const [sensor, fields] of Object.entries(report).slice(0, MAX_SENSORS)) {
    for (const [field, raw] of Object.entries(isObject(fields) ? fields : {}).slice(0, MAX_SENSORS)) {
      const names = [`${sensor}.${field}`, field, field.toLowerCase()]
      const owners = names.find((name) => Object.hasOwn(settled, name))
      const metric = owners === undefined ? entry(FIELDS, field) : settled[owners]
      const unit = metric === undefined ? undefined : unitOf(metric)
      if (metric === undefined || unit === undefined) continue
      const value = numberOf(raw)
      const sent = unit === 'degC' && report['TempUnit'] === 'F' ? 'F' : undefined
      const converted = value === null ? null : inUnitOf(metric, value, sent)
      if (converted === null) reason = 'no_value'
      else samples.push({ device, metric, value: converted, unit, atMs })
    }
  }
  if (samples.length === 0) reason ??= 'undecoded'
  return { kind: 'samples', samples, ...(reason === undefined ? {} : { reason }) }
}

function reportedAt(time: unknown, clock: LocalClock): number | null {
  if (typeof time !== 'string' || time.length > 32) return null
  const atMs = WALL_TIME.test(time) ? clock.instantOf(time) : Date.parse(time)
  return atMs === null || Number.isNaN(atMs) || atMs < CLOCK_SET_FROM_MS ? null : atMs
}

function presence(name: string | undefined, text: string): BridgeAnswer {
  const device = deviceName(name)
  const word = text.toLowerCase()
  if (device === null) return ignored('device_unnamed')
  return word === 'online' || word === 'offline'
    ? { kind: 'presence', devices: [device], online: word === 'online' }
    : ignored('not_a_presence')
}
