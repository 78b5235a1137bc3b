/** Makes persons' metrics, alarms and devices appear in Home Assistant by themselves, and go when they go. */
import type { Device } from '../../domain/device.ts'
import { type Metric, metricNamed } from '../../domain/metric.ts'
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso } from '../../kernel/envelope.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { HUB_TOPIC } from './hub-presence.ts'

/** Metrics that have a value, by the person whom an integration may hear of. */
export type KnownMetrics = ReadonlyMap<string, ReadonlyMap<string, number>>

export interface Discovery {
  /** Says what is new in it and takes back what is gone. */
  tell(known: KnownMetrics): void
  /** Looks now: an alarm has come, moved or gone. */
  look(): void
  feature: Feature
}

/** What is open about a person. */
export interface OpenAlarm {
  id: string
  kind: string
  title: string
  message: string
  createdAtMs: number
}

export interface DiscoveryDeps {
  clock: Clock
  log: Log
  nameOf: (personId: string) => string | null
  devices: () => readonly Device[]
  alarmOf: (personId: string) => OpenAlarm | undefined
  /** Publishes for integrations, retained; an empty payload takes back what was retained. */
  publish: (topic: string, payload: string) => Promise<void>
}

/** How often devices are looked at: whether they are there changes without anybody asking. */
const LOOK_MS = 30_000
const ORIGIN = { name: 'Homefield' }
const AVAILABILITY = { availability_topic: HUB_TOPIC, availability_template: '{{ value_json.state }}' }

const UNITS: Readonly<Record<string, string>> = { degC: '°C', count: '', '1': '', '1/min': '/min', state: '' }
/** Device classes of Home Assistant that accept our unit. */
const CLASSES: Readonly<Record<string, string>> = {
  battery: 'battery',
  skin_temp: 'temperature',
  body_temp: 'temperature',
  ambient_temp: 'temperature',
  humidity: 'humidity',
  weight: 'weight',
  distance: 'distance',
  speed: 'speed',
  sleep_duration: 'duration',
  glucose: 'blood_glucose_concentration',
}

/**
 * What is said is the difference between what should be there and what was said before, so nothing is left behind. It is
 * bounded by the heard persons times the metrics and devices there are.
 */
export function createDiscovery({ clock, log, nameOf, devices, alarmOf, publish }: DiscoveryDeps): Discovery {
  const said = new Map<string, string>()
  let latest: KnownMetrics = new Map()
  let stopLooking = () => {}

  const say = (topic: string, payload: string): void => {
    publish(topic, payload).catch((cause: unknown) => {
      log.warn({ cause: messageOf(cause) }, 'integrations could not be told')
    })
  }

  function wanted(): Map<string, string> {
    const messages = new Map<string, string>()
    const put = (topic: string, message: object) => messages.set(topic, JSON.stringify(message))
    for (const [personId, metrics] of latest) {
      const owner = { identifiers: [`homefield_${personId}`], name: nameOf(personId) ?? personId }
      for (const name of metrics.keys()) {
        const metric = metricNamed(name)
        if (metric && metric.kind !== 'position')
          put(configTopic('sensor', personId, name), sensorOf(personId, metric, owner))
      }
      for (const [topic, message] of alarmMessages(personId, owner, alarmOf(personId))) put(topic, message)
    }
    for (const device of devices()) {
      if (device.person_id === null || device.type === 'integration' || !latest.has(device.person_id))
        continue
      put(configTopic('binary_sensor', device.person_id, `device_${device.id}`), presenceOf(device))
      put(stateTopic(device), stateOf(device))
    }
    return messages
  }

  function update(): void {
    const messages = wanted()
    for (const topic of [...said.keys()]) {
      if (messages.has(topic)) continue
      said.delete(topic)
      say(topic, '')
    }
    for (const [topic, payload] of messages) {
      if (said.get(topic) === payload) continue
      said.set(topic, payload)
      say(topic, payload)
    }
  }

  return {
    tell(known) {
      latest = known
      update()
    },
    look: update,
    feature: {
      name: 'discovery',
      start() {
        stopLooking = clock.every(LOOK_MS, update)
      },
      stop: () => stopLooking(),
    },
  }
}

/** The person stands in the topic, so that each integration receives only what consent lets it hear. */
function configTopic(component: string, personId: string, object: string): string {
  return `homeassistant/${component}/${personId}/${object}/config`
}

function stateTopic({ id, person_id: personId }: Device): string {
  return `hf/out/person/${personId}/device/${id}`
}

function sensorOf(
  personId: string,
  { name, unit, kind, states, staleAfterMs }: Metric,
  owner: object,
): object {
  const shown = UNITS[unit] ?? unit
  const deviceClass = kind === 'state' ? 'enum' : CLASSES[name]
  return {
    name: wordsOf(name),
    unique_id: `homefield_${personId}_${name}`,
    state_topic: `hf/out/person/${personId}/${name}`,
    value_template: '{{ value_json.value }}',
    json_attributes_topic: `hf/out/person/${personId}/${name}`,
    ...(kind === 'state' ? { options: states } : { state_class: 'measurement' }),
    ...(shown === '' ? {} : { unit_of_measurement: shown }),
    ...(deviceClass === undefined ? {} : { device_class: deviceClass }),
    expire_after: Math.round((2 * staleAfterMs) / 1000),
    ...AVAILABILITY,
    device: { ...owner, manufacturer: 'Homefield' },
    origin: ORIGIN,
  }
}

/**
 * A switch that is on while an alert about the person is open, for sirens, lamps and whatever else a house does then; and, only as
 * long as there is one, two buttons that answer it.
 */
function alarmMessages(personId: string, owner: object, alarm: OpenAlarm | undefined): [string, object][] {
  const topic = `hf/out/person/${personId}/alarm`
  const common = { ...AVAILABILITY, device: { ...owner, manufacturer: 'Homefield' }, origin: ORIGIN }
  const entity = (name: string, key: string) => ({
    name,
    unique_id: `homefield_${personId}_${key}`,
    ...common,
  })
  const config = {
    ...entity('Alarm', 'alarm'),
    ...{ device_class: 'safety', state_topic: topic, json_attributes_topic: topic },
    value_template: "{{ 'ON' if value_json.state == 'open' else 'OFF' }}",
  }
  const messages: [string, object][] = [[configTopic('binary_sensor', personId, 'alarm'), config]]
  if (!alarm) return [...messages, [topic, { state: 'none' }]]
  const { id, kind, title, message, createdAtMs } = alarm
  const button = (name: string, key: string, word: string): [string, object] => [
    configTopic('button', personId, key),
    { ...entity(name, key), command_topic: `hf/in/alert/${id}`, payload_press: word },
  ]
  return [
    ...messages,
    [topic, { state: 'open', id, kind, title, message, ts: iso(createdAtMs) }],
    button('Acknowledge alarm', 'alarm_ack', 'ack'),
    button('Snooze alarm', 'alarm_snooze', 'snooze'),
  ]
}

function presenceOf(device: Device): object {
  return {
    name: null,
    unique_id: `homefield_device_${device.id}`,
    device_class: 'connectivity',
    state_topic: stateTopic(device),
    value_template: "{{ 'ON' if value_json.online else 'OFF' }}",
    json_attributes_topic: stateTopic(device),
    ...AVAILABILITY,
    device: {
      identifiers: [`homefield_device_${device.id}`],
      name: device.name,
      manufacturer: 'Homefield',
      model: device.type,
    },
    origin: ORIGIN,
  }
}

/** Not when it was last seen: that would be news every few seconds. */
function stateOf({ id, name, type, person_id: personId, online, battery }: Device): object {
  return { device_id: id, name, type, person_id: personId, online, battery }
}

function wordsOf(name: string): string {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
