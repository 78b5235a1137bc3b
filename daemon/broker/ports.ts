import type { Rejection } from '../domain/intake-value.ts'
import type { Observation, Outcome } from '../domain/observation.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import type { DeviceIdentity } from './identity.ts'
import type { StateKeeper } from './kept-state.ts'

export type { DeviceIdentity, DeviceType } from './identity.ts'

export interface Devices {
  /** Null for an unknown or revoked device and for a wrong key; compares in constant time. */
  authenticate(deviceId: string, key: string): DeviceIdentity | null | Promise<DeviceIdentity | null>
  /** Who wore the device at that instant, null for nobody. */
  wearerAt(deviceId: string, atMs: number): string | null
  /** Whether the device may name this person in a sample. */
  serves(deviceId: string, personId: string): boolean
  /** Whether an integration may hear of this person, by consent. */
  mayHear(deviceId: string, personId: string): boolean
  /** Told at every change, and once when the connection ends, will or no will. */
  onPresence(deviceId: string, online: boolean, atMs: number): void
}

/** Resolves once every observation is on disk. Rejects with HubError: DISK_FULL, OVERLOADED or SHUTTING_DOWN. */
export type Append = (batch: readonly Observation[]) => Promise<Outcome[]>

/** A message that could not be taken whole. `payload` is cut to 16 KB; `payloadBytes` is what came. */
export interface QuarantineEntry {
  deviceId: string
  atMs: number
  topic: string
  code: ErrorCode
  reason: string
  payload: Uint8Array
  payloadBytes: number
}

/** Resolves once the entry is on disk; keeps a bounded number of them per device, the newest. */
export type Quarantine = (entry: QuarantineEntry) => Promise<void>

/** A publish under a gateway's own prefix, as somebody else's firmware writes it. */
export interface ForeignMessage {
  /** The gateway. */
  deviceId: string
  topic: string
  payload: Uint8Array
  /** Its arrival; that of the first time for one that is sent again. */
  atMs: number
}

export interface BrokerPorts {
  /** What no instant may lie beyond; absent: the clock. */
  latestMs?: () => number
  append: Append
  quarantine: Quarantine
  devices: Devices
  /** Where sessions, retained messages and wills survive a restart. */
  keeper: StateKeeper
  /**
   * One JPEG of a camera; HubError says why it cannot be taken. Without this port frames are quarantined like any other topic
   * that nobody reads.
   */
  onFrame?: (deviceId: string, jpeg: Uint8Array, atMs: number) => void | Promise<void>
  /** An integration's word on an alert. */
  onAlertCommand?: (deviceId: string, alertId: string, payload: Uint8Array) => void | Promise<void>
  /** A device's word on an alert that rang there, from `raw/ack`. A refusal is kept in quarantine like any other message. */
  onDeviceWord?: (deviceId: string, payload: Uint8Array) => void | Promise<void>
  /**
   * What a message of other firmware says; the gate stores it before it acknowledges. Without this port such messages are
   * quarantined.
   */
  foreign?: (message: ForeignMessage) => {
    observations: Observation[]
    refused: (Rejection & { index: number })[]
  }
  /** Milliseconds from a QoS 1 or 2 publish to its acknowledgement. */
  observeAck?: (ms: number) => void
}

export interface BrokerSettings {
  /** Plain MQTT; loopback unless the owner allows more. Null: no such listener. */
  tcp: { host: string; port: number } | null
  tls: { host: string; port: number; certPem: string; keyPem: string } | null
  maxConnections: number
  /** From one address, or one /64 of IPv6; this machine itself is not limited. */
  maxConnectionsPerAddress: number
  /** How long a subscriber may read nothing, 5 s unless a test is in a hurry. */
  drainMs?: number
  maxPacketBytes: number
  /** For cameras and gateways. */
  maxCameraPacketBytes: number
  maxSubscriptions: number
  messagesPerSecond: number
  messageBurst: number
}
