/** What the broker counted since it started; `connections` is how many are open now. */
export interface BrokerStats {
  connections: number
  /** Connections turned away because the limit was reached. */
  refused: number
  /** Wrong keys and client ids. */
  unauthenticated: number
  /** Messages that passed the access rules. */
  published: number
  /** Observations committed, corrections and repetitions included. */
  observations: number
  /** Samples that could not be taken. */
  rejected: number
  /** Messages kept aside, each with one or more rejected samples. */
  quarantined: number
  /** Connections ended because a device published where it must not. */
  violations: number
  /** Subscriptions refused. */
  subscriptionsRefused: number
  /** Messages that had to wait for their device's rate. */
  paused: number
  /** Messages that had to wait because the store could not take them. */
  held: number
  /** Messages left unacknowledged, for the device to send again. */
  unacknowledged: number
  /** Connections ended because of a packet over the limit. */
  oversized: number
  /** Connections ended because of a packet that MQTT 3.1.1 forbids. */
  malformed: number
  /** Connections ended before they said who they are, because too many did not. */
  halfOpenEnded: number
  /** Connections ended because their client did not read what it had asked for. */
  frozen: number
  /** Messages that left the queue of an absent subscriber because it was full. */
  queueDropped: number
  /** Retained messages refused because there were too many. */
  retainedRefused: number
  /** Groups of session changes that could not be brought to disk. */
  unsaved: number
}

export type Counters = { -readonly [Name in keyof BrokerStats]: BrokerStats[Name] }

export function createCounters(): Counters {
  return {
    connections: 0,
    refused: 0,
    unauthenticated: 0,
    published: 0,
    observations: 0,
    rejected: 0,
    quarantined: 0,
    violations: 0,
    subscriptionsRefused: 0,
    paused: 0,
    held: 0,
    unacknowledged: 0,
    oversized: 0,
    malformed: 0,
    halfOpenEnded: 0,
    frozen: 0,
    queueDropped: 0,
    retainedRefused: 0,
    unsaved: 0,
  }
}
