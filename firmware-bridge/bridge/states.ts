import { inUnitOf, unitOf } from '../quantity.ts'
import type { Arrival, BridgeAnswer, BridgeSample } from './answer.ts'
import type { Availability, Entity } from './entity.ts'
import { metricOf } from './meaning.ts'
import { numberOf, readObject, textOf } from './read-json.ts'
import { render } from './template.ts'

/** What ESPHome and Home Assistant write where there is no value. */
const NO_VALUE: ReadonlySet<string> = new Set([
  '',
  'nan',
  'none',
  'null',
  'unknown',
  'unavailable',
  'inf',
  '-inf',
])
/** Words of the two state metrics; anything longer is no state. */
const STATE_WORD = /^[a-z_]{1,32}$/

/** Samples of every entity that shares the topic; each says for itself why it gave none. */
export function readStates(entities: readonly Entity[], arrival: Arrival): BridgeAnswer {
  const text = textOf(arrival.payload)
  const json = once(() => {
    const read = readObject(arrival.payload)
    return 'object' in read ? read.object : undefined
  })
  const samples: BridgeSample[] = []
  let reason: string | undefined
  for (const entity of entities) {
    const read = readState(entity, text, json, arrival)
    if (typeof read === 'string') reason ??= read
    else samples.push(read)
  }
  return { kind: 'samples', samples, ...(reason === undefined ? {} : { reason }) }
}

function readState(
  entity: Entity,
  text: string,
  json: () => unknown,
  arrival: Arrival,
): BridgeSample | string {
  const value = entity.template ? render(entity.template, text, json) : text
  if (value === undefined || value === null || NO_VALUE.has(String(value).trim().toLowerCase()))
    return 'no_value'
  const metric = metricFor(entity, arrival)
  const unit = metric === null ? undefined : unitOf(metric)
  if (metric === null || unit === undefined) return 'no_metric'
  const about = { device: entity.deviceId, metric, unit, atMs: arrival.receivedAtMs }
  if (unit === 'state') {
    const word = String(value).trim().toLowerCase()
    return STATE_WORD.test(word) ? { ...about, value: word } : 'not_a_state'
  }
  const number = numberOf(value)
  if (number === null) return 'not_a_number'
  const converted = inUnitOf(metric, number, entity.unit ?? undefined)
  return converted === null ? 'unit_not_understood' : { ...about, value: converted }
}

function metricFor(entity: Entity, arrival: Arrival): string | null {
  const names = [entity.uniqueId, entity.objectId, ...(entity.name === null ? [] : [entity.name])]
  return metricOf(
    { names, deviceClass: entity.deviceClass, unit: entity.unit },
    arrival.settings(entity.deviceId),
  )
}

/** Whether the devices on an availability topic are there; null when the payload is neither of their words. */
export function readAvailability(
  listening: readonly { deviceId: string; availability: Availability }[],
  arrival: Arrival,
): BridgeAnswer {
  const text = textOf(arrival.payload)
  const json = once(() => {
    const read = readObject(arrival.payload)
    return 'object' in read ? read.object : undefined
  })
  const there = new Map<string, boolean>()
  for (const { deviceId, availability } of listening) {
    const word = availability.template ? render(availability.template, text, json) : text
    if (word === availability.online) there.set(deviceId, true)
    else if (word === availability.offline) there.set(deviceId, false)
  }
  const online = [...there.values()][0]
  if (online === undefined) return { kind: 'ignored', reason: 'not_a_presence' }
  return {
    kind: 'presence',
    devices: [...there].filter(([, state]) => state === online).map(([deviceId]) => deviceId),
    online,
  }
}

function once(make: () => unknown): () => unknown {
  let made: { value: unknown } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
