/** What the broker keeps on disk between two starts, and the port through which it does. */
import type { DeviceIdentity } from './identity.ts'

export interface KeptMessage {
  topic: string
  payload: Uint8Array
  qos: number
}

/** A message for a subscriber that sleeps, or has not confirmed it. */
export interface KeptQueued extends KeptMessage {
  clientId: string
  /** Grows with every queued message of the broker. */
  sequence: number
  /** Packet id under which a QoS 2 message went out, null before. */
  messageId: number | null
  /** The subscriber has it and only the end of the QoS 2 handshake is missing. */
  released: boolean
}

export interface KeptWill extends KeptMessage {
  clientId: string
  retain: boolean
  /** Whose will it is, as the register had it then. */
  device: DeviceIdentity
}

export interface KeptSubscription {
  clientId: string
  topic: string
  qos: number
}

export interface KeptState {
  subscriptions: readonly KeptSubscription[]
  retained: readonly KeptMessage[]
  /** In order of `sequence`. */
  queued: readonly KeptQueued[]
  /** Of connections that stood when the program ended. */
  wills: readonly KeptWill[]
  /** Packet ids of QoS 2 messages that were taken and not released by their sender. */
  received: readonly { clientId: string; messageId: number }[]
  /** How many messages left a session's queue unread since it was told. */
  dropped: readonly { clientId: string; messages: number }[]
}

/** One difference to what is on disk; null means gone. */
export type Change =
  | { kind: 'subscription'; clientId: string; topic: string; qos: number | null }
  | { kind: 'retained'; topic: string; message: KeptMessage | null }
  | { kind: 'queued'; clientId: string; sequence: number; message: KeptQueued | null }
  | { kind: 'will'; clientId: string; will: KeptWill | null }
  | { kind: 'received'; clientId: string; messageId: number; open: boolean }
  | { kind: 'dropped'; clientId: string; messages: number }
  /** Subscriptions, queue and handshakes of one session are gone. */
  | { kind: 'session'; clientId: string }
  /** Nothing of what is on disk holds any more. */
  | { kind: 'everything' }

export interface StateKeeper {
  read(): KeptState
  /** Resolves once all of them are on disk, in this order and as one unit. */
  write(changes: readonly Change[]): Promise<void>
}

/** A broker that starts afresh. */
export const NOTHING_KEPT: KeptState = {
  subscriptions: [],
  retained: [],
  queued: [],
  wills: [],
  received: [],
  dropped: [],
}
