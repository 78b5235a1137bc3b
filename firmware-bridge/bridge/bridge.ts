import type { LocalClock } from '../local-clock.ts'
import { type Arrival, type BridgeAnswer, type DeviceSettings, ignored } from './answer.ts'
import { readBangle } from './bangle.ts'
import { type ConfigTopic, configTopic, describe } from './discovery.ts'
import { createEntities } from './entities.ts'
import { readEspruinoHub } from './espruino-hub.ts'
import { readGateway } from './gateway.ts'
import { createLines } from './lines.ts'
import { readAvailability, readStates } from './states.ts'
import { readTasmota } from './tasmota.ts'

export interface BridgeDeps {
  /** The wall clock of the household, for devices that send local time. */
  zone: LocalClock
  /** What the owner settled about a device. */
  devices(deviceId: string): DeviceSettings | undefined
  /** First level of the discovery topics. */
  discoveryPrefix?: string
  limits?: Partial<BridgeLimits>
}

export interface BridgeLimits {
  maxPayloadBytes: number
  maxTopic: number
  maxEntities: number
}

export interface BridgeCounters {
  entities: number
  /** Announcements that were not taken, for want of room or because they make no sense. */
  refused: number
  /** Pieces of serial lines given up. */
  linesDropped: number
}

/** Reads what third-party firmware publishes. It remembers what devices announced and half-received lines, and nothing else. */
export interface Bridge {
  /**
   * What a message says. `retain`: the broker kept it from before, so a value without a time of its own is of unknown age.
   * Never throws.
   */
  message(topic: string, payload: Uint8Array, retain: boolean, receivedAtMs: number): BridgeAnswer
  counters(): BridgeCounters
}

const LIMITS: BridgeLimits = { maxPayloadBytes: 131_072, maxTopic: 512, maxEntities: 2000 }
const LINES = { maxLine: 2048, maxDevices: 64, maxAgeMs: 10_000 }
/** A device whose clock is this far ahead tells no time at all. */
const FUTURE_MS = 10 * 60_000

export function createBridge(deps: BridgeDeps): Bridge {
  const limits = { ...LIMITS, ...deps.limits }
  const prefix = deps.discoveryPrefix ?? 'homeassistant'
  const entities = createEntities(limits)
  const lines = createLines(LINES)
  let refused = 0

  /** What everybody knows comes before what a device announced, so that no announcement can take over a gateway's topic. */
  const read = (arrival: Arrival, topic: string): BridgeAnswer => {
    const config = configTopic(arrival.topic, prefix)
    if (config) return takeConfig(config, topic, arrival.payload)
    const known =
      readGateway(arrival) ??
      readEspruinoHub(arrival) ??
      readBangle(arrival, lines) ??
      readTasmota(arrival, deps.zone)
    if (known) return known
    const states = entities.statesOn(topic)
    if (states.length > 0) return readStates(states, arrival)
    const listening = entities.availabilityOn(topic)
    return listening.length > 0 ? readAvailability(listening, arrival) : ignored('topic_unknown')
  }
  /** An empty message takes back what was announced. */
  const takeConfig = (where: ConfigTopic, topic: string, payload: Uint8Array): BridgeAnswer => {
    if (payload.byteLength === 0) {
      const gone = entities.remove(topic)
      if (!gone) return ignored('never_announced')
      const uniqueIds = gone.entities.map(({ uniqueId }) => uniqueId)
      return { kind: 'removed', form: gone.form, deviceId: gone.deviceId, entities: uniqueIds }
    }
    const described = describe(where, payload)
    if ('kind' in described) return described
    const reason = 'unusable' in described ? described.unusable : entities.put(topic, described)?.refused
    if ('unusable' in described || reason !== undefined) {
      refused++
      return ignored(`not_announced:${reason}`)
    }
    return { kind: 'announced', ...described }
  }
  return {
    message(topic, payload, retain, receivedAtMs) {
      if (topic.length > limits.maxTopic) return ignored('topic_too_long')
      if (payload.byteLength > limits.maxPayloadBytes)
        return { kind: 'undecodable', error: 'too_large', detail: `${payload.byteLength} bytes` }
      const arrival: Arrival = { topic: topic.split('/'), payload, receivedAtMs, settings: deps.devices }
      return withoutDoubtfulTimes(read(arrival, topic), retain, receivedAtMs)
    },
    counters: () => ({ entities: entities.size, refused, linesDropped: lines.dropped }),
  }
}

/** A time ahead of ours, and a kept value that does not say when it was measured, would be stored as lies. */
function withoutDoubtfulTimes(answer: BridgeAnswer, retain: boolean, receivedAtMs: number): BridgeAnswer {
  if (answer.kind !== 'samples') return answer
  const timed = answer.samples.filter((sample) => !retain || sample.atMs !== receivedAtMs)
  const samples = timed.filter((sample) => (sample.endMs ?? sample.atMs) <= receivedAtMs + FUTURE_MS)
  if (samples.length === answer.samples.length) return answer
  return {
    ...answer,
    samples,
    reason: timed.length < answer.samples.length ? 'retained' : 'future_timestamp',
  }
}
