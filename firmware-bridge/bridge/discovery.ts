import { spelledOut, spelledOutDevice } from './abbreviations.ts'
import type { Undecodable } from './answer.ts'
import type { Availability, Entity } from './entity.ts'
import { isObject, readObject, shortText } from './read-json.ts'
import { parseTemplate } from './template.ts'

/** Where a description was published: one entity, or a whole device. */
export interface ConfigTopic {
  component: string
  nodeId: string | null
  objectId: string
}

export interface Description {
  form: 'entity' | 'device'
  deviceId: string
  deviceName: string | null
  entities: Entity[]
}

/** Only sensors measure; switches, lights and the rest of a device are nobody's heart rate. */
const MEASURING = 'sensor'
const MAX_COMPONENTS = 128
const MAX_NAME = 128
const MAX_TOPIC = 256
const MAX_AVAILABILITY = 8
const ID = /^[\w.-]{1,64}$/

/** `<prefix>/<component>/[<node>/]<object>/config`, and with `device` as component the form for a whole device. */
export function configTopic(topic: readonly string[], prefix: string): ConfigTopic | null {
  if (topic[0] !== prefix || topic.at(-1) !== 'config' || topic.length < 4 || topic.length > 5) return null
  const [, component = '', ...rest] = topic.slice(0, -1)
  const objectId = rest.at(-1) ?? ''
  const nodeId = rest.length === 2 ? (rest[0] ?? '') : null
  return [component, objectId, nodeId ?? 'none'].every((part) => ID.test(part))
    ? { component, nodeId, objectId }
    : null
}

/** Reads a description. Throws nothing; a description without a usable sensor says why. */
export function describe(
  where: ConfigTopic,
  payload: Uint8Array,
): Description | { unusable: string } | Undecodable {
  const read = readObject(payload)
  if ('kind' in read) return read
  const config = spelledOut(read.object)
  const device = spelledOutDevice(objectOf(config.get('device')))
  const deviceId = deviceIdOf(device) ?? where.nodeId ?? where.objectId
  const deviceName = shortText(device.get('name'), MAX_NAME)
  if (where.component !== 'device') {
    const entity = entityOf(where.component, where.objectId, deviceId, config, new Map())
    return 'unusable' in entity ? entity : { form: 'entity', deviceId, deviceName, entities: [entity] }
  }
  const parts = Object.entries(objectOf(config.get('components')))
  if (parts.length > MAX_COMPONENTS) return { unusable: 'too_many_entities' }
  const entities: Entity[] = []
  let why = 'no_sensor'
  for (const [objectId, part] of parts) {
    const own = spelledOut(objectOf(part))
    const entity = entityOf(textOr(own.get('platform'), ''), objectId, deviceId, own, config)
    if (!('unusable' in entity)) entities.push(entity)
    else if (entity.unusable !== 'no_sensor') why = entity.unusable
  }
  return entities.length > 0 ? { form: 'device', deviceId, deviceName, entities } : { unusable: why }
}

/** `shared` is what a device form says for all of its parts. */
function entityOf(
  component: string,
  objectId: string,
  deviceId: string,
  own: ReadonlyMap<string, unknown>,
  shared: ReadonlyMap<string, unknown>,
): Entity | { unusable: string } {
  const config = new Map([...shared, ...own])
  if (component !== MEASURING) return { unusable: 'no_sensor' }
  const base = textOr(config.get('~'), '')
  const stateTopic = topicOf(config.get('state_topic'), base)
  const uniqueId = shortText(own.get('unique_id') ?? `${deviceId}_${objectId}`, MAX_NAME)
  if (stateTopic === null) return { unusable: 'bad_topic' }
  if (uniqueId === null || objectId.length > MAX_NAME) return { unusable: 'bad_id' }
  const template = config.get('value_template')
  return {
    uniqueId,
    objectId,
    component,
    deviceId,
    name: shortText(own.get('name'), MAX_NAME),
    stateTopic,
    template: typeof template === 'string' ? parseTemplate(template) : null,
    unit: shortText(own.get('unit_of_measurement'), 32),
    deviceClass: shortText(own.get('device_class'), 64),
    cumulative: String(own.get('state_class')).startsWith('total'),
    availability: availabilityOf(config, base),
  }
}

function availabilityOf(config: ReadonlyMap<string, unknown>, base: string): Availability[] {
  const list = config.get('availability')
  const each = Array.isArray(list)
    ? list.slice(0, MAX_AVAILABILITY).map((one) => spelledOut(objectOf(one)))
    : []
  const found: Availability[] = []
  for (const entry of [config, ...each]) {
    const topic = topicOf(entry === config ? entry.get('availability_topic') : entry.get('topic'), base)
    if (topic === null) continue
    const template = entry.get(entry === config ? 'availability_template' : 'value_template')
    found.push({
      topic,
      online: textOr(entry.get('payload_available'), 'online'),
      offline: textOr(entry.get('payload_not_available'), 'offline'),
      template: typeof template === 'string' ? parseTemplate(template) : null,
    })
  }
  return found
}

/** `~` at the start or the end stands for the base topic. A wildcard would listen to other people's devices. */
function topicOf(value: unknown, base: string): string | null {
  if (typeof value !== 'string') return null
  const topic = value.startsWith('~')
    ? base + value.slice(1)
    : value.endsWith('~')
      ? value.slice(0, -1) + base
      : value
  return topic === '' || topic.length > MAX_TOPIC || /[+#]/.test(topic) ? null : topic
}

function deviceIdOf(device: ReadonlyMap<string, unknown>): string | null {
  const ids = device.get('identifiers')
  const first = shortText(Array.isArray(ids) ? ids[0] : ids, MAX_NAME)
  if (first !== null) return first
  const connection: unknown = Array.isArray(device.get('connections'))
    ? (device.get('connections') as unknown[])[0]
    : null
  return Array.isArray(connection) ? shortText(connection[1], MAX_NAME) : null
}

function objectOf(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {}
}

function textOr(value: unknown, other: string): string {
  return shortText(value, MAX_TOPIC) ?? other
}
