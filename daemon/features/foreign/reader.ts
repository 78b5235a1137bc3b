/** What a message of other firmware becomes: observations of devices that the owner took in, sightings of all others. */
import type { BridgeAnswer, BridgeSample, DeviceSettings } from '../../../firmware-bridge/bridge/answer.ts'
import { createBridge } from '../../../firmware-bridge/bridge/bridge.ts'
import type { LocalClock } from '../../../firmware-bridge/local-clock.ts'
import type { DecodeError } from '../../../firmware-bridge/message.ts'
import { type SampleInput, takeIn } from '../../domain/intake.ts'
import type { Rejection } from '../../domain/intake-value.ts'
import type { Observation } from '../../domain/observation.ts'
import { localDay, wallTimeToMs } from '../../domain/zone.ts'
import type { ErrorCode } from '../../kernel/errors.ts'
import type { Decided } from './decided.ts'
import type { Found } from './found.ts'

/** One publish under a gateway's prefix, or from a broker that the hub joined. */
export interface ForeignMessage {
  /** Who brought it: what cannot be read is kept under this id. */
  deviceId: string
  topic: string
  payload: Uint8Array
  /** Its arrival. */
  atMs: number
  /** The other broker had kept it, so its age is unknown. */
  isKept?: boolean
}

export interface ForeignReading {
  observations: Observation[]
  refused: (Rejection & { index: number })[]
}

/** What a device of the hub is asked when its value arrives. */
export interface ForeignDevices {
  wearerAt(deviceId: string, atMs: number): string | null
  zoneOf(deviceId: string): string
  setPresence(deviceId: string, online: boolean, atMs: number): void
}

export interface ReaderDeps {
  decided: Decided
  found: Found
  devices: ForeignDevices
  /** The household's zone. */
  timezone: () => string
}

export interface ForeignReader {
  /** Never throws. What is in `observations` is not stored yet. */
  read(message: ForeignMessage): ForeignReading
  stats(): Record<string, number>
}

const SOURCE = 'bridge'
const NAME_CHARACTERS = 64
const NAMED_BYTES = 4096
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

export function createForeignReader(deps: ReaderDeps): ForeignReader {
  const { decided, found } = deps
  const bridge = createBridge({ zone: householdClock(deps.timezone), devices: settingsFrom(decided) })
  const counters = { messages: 0, samples: 0, ignored: 0, undecided: 0, unwanted: 0, unreadable: 0 }

  /** Whom the hub knows, else the sighting is noted. */
  function ownerOf(address: string, sighting: () => Parameters<Found['saw']>[0]): string | null {
    const decision = decided.of(address)
    if (decision === undefined) found.saw(sighting())
    return decision?.deviceId ?? null
  }

  function takeSamples(message: ForeignMessage, answer: BridgeAnswer & { kind: 'samples' }): ForeignReading {
    const reading: ForeignReading = { observations: [], refused: [] }
    for (const [address, samples] of byDevice(answer.samples)) {
      const metrics = samples.map(({ metric }) => metric)
      const name = () => nameIn(message.payload)
      const deviceId = ownerOf(address, () => ({
        ...{ address, via: message.deviceId, atMs: message.atMs, metrics, name: name() },
        rssi: answer.rssi ?? null,
      }))
      if (deviceId === null) {
        counters[decided.of(address) === undefined ? 'undecided' : 'unwanted'] += samples.length
        continue
      }
      counters.samples += samples.length
      for (const [index, sample] of samples.entries()) judge(sample, index, deviceId, message, reading)
    }
    return reading
  }

  function judge(
    sample: BridgeSample,
    index: number,
    deviceId: string,
    { atMs }: ForeignMessage,
    reading: ForeignReading,
  ): void {
    const context = {
      deviceId,
      source: SOURCE,
      nowMs: atMs,
      arrivedMs: null,
      deviceZone: deps.devices.zoneOf(deviceId),
      naiveZone: null,
      personAt: (whenMs: number) => deps.devices.wearerAt(deviceId, whenMs),
    }
    for (const result of takeIn(inputOf(sample), context)) {
      if ('observation' in result) reading.observations.push(result.observation)
      else reading.refused.push({ ...result.rejected, index })
    }
  }

  function noteAnnounced(message: ForeignMessage, answer: BridgeAnswer & { kind: 'announced' }): void {
    const { deviceId: address, deviceName, entities } = answer
    ownerOf(address, () => ({
      ...{ address, via: message.deviceId, atMs: message.atMs, rssi: null },
      name: deviceName?.slice(0, NAME_CHARACTERS) ?? null,
      metrics: entities.map(({ deviceClass, objectId }) => deviceClass ?? objectId),
    }))
  }

  function noteRest(message: ForeignMessage, answer: BridgeAnswer): void {
    if (answer.kind === 'announced') noteAnnounced(message, answer)
    else if (answer.kind === 'presence') {
      for (const address of answer.devices) {
        const deviceId = decided.of(address)?.deviceId
        if (deviceId) deps.devices.setPresence(deviceId, answer.online, message.atMs)
      }
    } else if (answer.kind === 'ignored') counters.ignored++
  }

  return {
    read(message) {
      counters.messages++
      const { topic, payload, atMs, isKept = false } = message
      const answer = bridge.message(topic, payload, isKept, atMs)
      if (answer.kind === 'samples') return takeSamples(message, answer)
      if (answer.kind !== 'undecodable') {
        noteRest(message, answer)
        return { observations: [], refused: [] }
      }
      counters.unreadable++
      const { error, detail } = answer
      const refused = {
        index: 0,
        code: CODE_OF[error],
        path: '',
        message: detail ? `${error}: ${detail}` : error,
      }
      return { observations: [], refused: [refused] }
    },
    stats: () => ({ ...counters, ...bridge.counters(), forgotten: found.forgotten }),
  }
}

function settingsFrom(decided: Decided): (address: string) => DeviceSettings | undefined {
  return (address) => {
    const metrics = decided.of(address)?.metrics
    return metrics === undefined ? undefined : { metrics }
  }
}

/** The owner may move the household, so the zone is asked for each time. */
function householdClock(timezone: () => string): LocalClock {
  return {
    instantOf: (wallTime) => wallTimeToMs(wallTime, timezone()),
    dayOf: (atMs) => localDay(atMs, timezone()),
  }
}

function byDevice(samples: readonly BridgeSample[]): Map<string, BridgeSample[]> {
  const groups = new Map<string, BridgeSample[]>()
  for (const sample of samples) {
    const group = groups.get(sample.device)
    if (group) group.push(sample)
    else groups.set(sample.device, [sample])
  }
  return groups
}

/** The bridge has settled every time, so a wall clock that the device sent beside it is only kept. */
function inputOf({ device: _, atMs, endMs, metric, value, unit, ...facts }: BridgeSample): SampleInput {
  return {
    ...{ metric, value, unit, ts: atMs },
    ...(endMs === undefined ? {} : { tEnd: endMs }),
    ...(Object.keys(facts).length > 0 ? { facts } : {}),
  }
}

/** What gateways that decode adverts say the device calls itself. */
function nameIn(payload: Uint8Array): string | null {
  if (payload[0] !== 0x7b || payload.byteLength > NAMED_BYTES) return null
  try {
    const { name } = Object(JSON.parse(Buffer.from(payload).toString())) as { name?: unknown }
    return typeof name === 'string' && name.trim() !== '' ? name.trim().slice(0, NAME_CHARACTERS) : null
  } catch {
    return null
  }
}
