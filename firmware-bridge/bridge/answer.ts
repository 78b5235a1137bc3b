/** What the bridge says about one message of a broker that strangers publish to. */
import type { DecodeError, Sample } from '../message.ts'
import type { Entity } from './entity.ts'

/** A sample with the device that it came from and its time, the message's own or that of its arrival. */
export interface BridgeSample extends Sample {
  device: string
  atMs: number
  endMs?: number
}

export interface Samples {
  kind: 'samples'
  samples: BridgeSample[]
  /** Signal strength at the gateway, dBm. */
  rssi?: number
  /** Why there are none, or fewer than the message held. */
  reason?: string
}

/** A device told what it measures. Its samples are for the owner to approve. */
export interface Announced {
  kind: 'announced'
  /** One entity in a message of its own, or a whole device in one message. */
  form: 'entity' | 'device'
  deviceId: string
  deviceName: string | null
  entities: Entity[]
}

export interface Removed {
  kind: 'removed'
  form: 'entity' | 'device'
  deviceId: string
  /** Unique ids that are gone. */
  entities: string[]
}

export interface Presence {
  kind: 'presence'
  devices: string[]
  online: boolean
}

/** Nothing wrong, nothing to keep. */
export interface Ignored {
  kind: 'ignored'
  reason: string
}

export interface Undecodable {
  kind: 'undecodable'
  error: DecodeError
  detail?: string
}

export type BridgeAnswer = Samples | Announced | Removed | Presence | Ignored | Undecodable

/** What the owner settled about a device. */
export interface DeviceSettings {
  /** What a device class, unique id, object id or field of the device means: a metric, or `ignore`. */
  metrics?: Readonly<Record<string, string>>
}

/** One message on its way through the readers. */
export interface Arrival {
  topic: readonly string[]
  payload: Uint8Array
  receivedAtMs: number
  settings(deviceId: string): DeviceSettings | undefined
}

export function ignored(reason: string): Ignored {
  return { kind: 'ignored', reason }
}
