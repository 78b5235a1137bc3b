/**
 * Sessions, retained messages and wills: in memory with a limit each, because what aedes brings along grows without one,
 * and on disk, because a hub that was killed owes its subscribers what it had taken for them.
 */
import { Readable } from 'node:stream'
import { createJournal } from './journal.ts'
import type { Change, KeptWill, StateKeeper } from './kept-state.ts'
import type { DeviceIdentity } from './ports.ts'
import { createQueues, type Packet, type QueueLimits } from './queues.ts'
import { createSubscriptions, type Filter, type Subscription } from './subscriptions.ts'
import { matches } from './topics.ts'

export interface PersistenceLimits extends QueueLimits {
  /** Retained topics; a new one beyond is refused. */
  maxRetained: number
}

export interface PersistenceDeps {
  limits: PersistenceLimits
  keeper: StateKeeper
  /** Whether the client was granted this filter: aedes hands refused ones over as well. */
  isGranted(client: SessionOwner, filter: string): boolean
  /** Whether the session may have this message when it comes back. */
  mayHave(clientId: string, packet: Packet): boolean
  /** Who stands behind a connection. */
  deviceOf(client: SessionOwner): DeviceIdentity | undefined
  /** Waits for the disk, but not for ever: a disk that is full must not keep an alarm from being told. */
  patiently(work: Promise<void>): Promise<void>
  onQueueDropped(): void
  onRetainedRefused(): void
  /** A group of changes could not be brought to disk; the next one brings everything. */
  onUnsaved(cause: unknown): void
}

export interface SessionOwner {
  id: string
  clean?: boolean
  closed?: boolean
}

interface Will extends Packet {
  retain: boolean
}

/** What aedes asks of a persistence; every method answers with a promise or a stream. */
export type Persistence = ReturnType<typeof createPersistence>

/** Open QoS 2 handshakes kept for one session; aedes bounds those of one connection. */
const MAX_RECEIVED = 256
/** The hub says these again from its own records at every start, so writing each value twice would only wear the disk. */
const TOLD_AGAIN = /^(?:hf\/out\/person\/|hf\/out\/hub$|homeassistant\/)/

export function createPersistence(deps: PersistenceDeps) {
  const { limits, keeper, isGranted, mayHave } = deps
  const retained = new Map<string, Packet>()
  const incoming = new Map<string, Set<number>>()
  const wills = new Map<string, { will: KeptWill; owner: SessionOwner | null }>()
  const subscriptions = createSubscriptions()
  const journal = createJournal({ keeper, everything, onFailed: deps.onUnsaved })
  const note = (change: Change) => void journal.note(change)
  const queues = createQueues({ limits, note, onDropped: deps.onQueueDropped })
  const kept = (change: Change) => deps.patiently(journal.note(change))

  function everything(): Change[] {
    return [
      ...subscriptions.all().map((subscription): Change => ({ kind: 'subscription', ...subscription })),
      ...[...retained.values()]
        .filter(({ topic }) => !TOLD_AGAIN.test(topic))
        .map((message): Change => ({ kind: 'retained', topic: message.topic, message })),
      ...[...wills].map(([clientId, { will }]): Change => ({ kind: 'will', clientId, will })),
      ...[...incoming].flatMap(([clientId, ids]) =>
        [...ids].map((messageId): Change => ({ kind: 'received', clientId, messageId, open: true })),
      ),
      ...queues.kept(),
    ]
  }

  function restore(): void {
    const state = keeper.read()
    for (const { clientId, ...filter } of state.subscriptions) subscriptions.add(clientId, filter)
    for (const message of state.retained)
      retained.set(message.topic, { cmd: 'publish', ...message, retain: true })
    for (const will of state.wills) wills.set(will.clientId, { will, owner: null })
    for (const { clientId, messageId } of state.received)
      incoming.set(clientId, (incoming.get(clientId) ?? new Set()).add(messageId))
    queues.restore(state.queued, state.dropped)
  }

  const forgetSession = (clientId: string): Promise<void> => {
    const held = [
      subscriptions.has(clientId),
      queues.unconfirmed(clientId).length > 0,
      incoming.delete(clientId),
    ]
    subscriptions.forget(clientId)
    queues.forget(clientId)
    return held.includes(true) ? kept({ kind: 'session', clientId }) : Promise.resolve()
  }

  restore()
  return {
    /** Forgets all about a device that was removed. */
    forget(clientId: string): void {
      void forgetSession(clientId)
      if (wills.delete(clientId)) note({ kind: 'will', clientId, will: null })
      for (const topic of retained.keys()) {
        if (!topic.startsWith(`hf/${clientId}/`)) continue
        retained.delete(topic)
        note({ kind: 'retained', topic, message: null })
      }
    },
    /** Takes out of the queues what their sessions may no longer have. */
    sift: () => queues.sift(mayHave),
    /** How many messages the session lost to its limit since this was asked last. */
    takeDropped: queues.takeDropped,
    /** Wills of connections that stood when the program ended, each once; say `willSaid` when it was published. */
    leftWills: (): KeptWill[] =>
      [...wills.values()].filter(({ owner }) => owner === null).map(({ will }) => will),
    willSaid(will: KeptWill): void {
      if (wills.get(will.clientId)?.will !== will) return
      wills.delete(will.clientId)
      note({ kind: 'will', clientId: will.clientId, will: null })
    },
    /** Whether a QoS 2 message was taken and its sender has not released it: its repetition is not taken again. */
    isReceived: (clientId: string, messageId: number): boolean =>
      incoming.get(clientId)?.has(messageId) ?? false,
    settled: journal.settled,

    async setup(): Promise<void> {},
    async destroy(): Promise<void> {},

    async storeRetained(packet: Packet): Promise<void> {
      const { topic, payload, qos } = packet
      if (payload.length === 0) {
        if (!retained.delete(topic)) return
      } else if (retained.has(topic) || retained.size < limits.maxRetained) {
        const before = retained.get(topic)
        retained.set(topic, { ...packet })
        if (before && Buffer.from(before.payload).equals(payload)) return
      } else return deps.onRetainedRefused()
      const message = payload.length === 0 ? null : { topic, payload, qos }
      if (!TOLD_AGAIN.test(topic)) await kept({ kind: 'retained', topic, message })
    },
    createRetainedStreamCombi(filters: readonly string[]): Readable {
      return Readable.from(
        [...retained.values()].filter(({ topic }) => filters.some((filter) => matches(filter, topic))),
      )
    },

    async addSubscriptions(client: SessionOwner, filters: readonly Filter[]): Promise<void> {
      let saved: Promise<void> | null = null
      for (const { topic, qos } of filters) {
        if (!isGranted(client, topic)) continue
        subscriptions.add(client.id, { topic, qos })
        saved = journal.note({ kind: 'subscription', clientId: client.id, topic, qos })
      }
      if (saved) await deps.patiently(saved)
    },
    async removeSubscriptions(client: SessionOwner, topics: readonly string[]): Promise<void> {
      let saved: Promise<void> | null = null
      for (const topic of topics) {
        if (subscriptions.remove(client.id, topic))
          saved = journal.note({ kind: 'subscription', clientId: client.id, topic, qos: null })
      }
      if (saved) await deps.patiently(saved)
    },
    subscriptionsByClient: async (client: SessionOwner): Promise<Filter[]> => subscriptions.of(client.id),
    cleanSubscriptions: (client: SessionOwner): Promise<void> => forgetSession(client.id),
    subscriptionsByTopic: async (topic: string): Promise<Subscription[]> => subscriptions.matching(topic),

    async outgoingEnqueue({ clientId }: { clientId: string }, packet: Packet): Promise<void> {
      if (!mayHave(clientId, packet)) return
      queues.add(clientId, packet)
      await deps.patiently(journal.settled())
    },
    async outgoingEnqueueCombi(subscribers: readonly Subscription[], packet: Packet): Promise<void> {
      const allowed = subscribers.filter(({ clientId }) => mayHave(clientId, packet))
      if (allowed.length === 0) return
      for (const { clientId } of allowed) queues.add(clientId, packet)
      await deps.patiently(journal.settled())
    },
    async outgoingUpdate(client: SessionOwner, packet: Packet): Promise<void> {
      queues.update(client.id, packet)
    },
    outgoingClearMessageId: async (client: SessionOwner, packet: Packet): Promise<Packet | undefined> =>
      queues.confirm(client.id, packet),
    outgoingStream: (client: SessionOwner): Readable => Readable.from(queues.unconfirmed(client.id)),

    // Of a QoS 2 publish only its id matters once it is committed.
    async incomingStorePacket(client: SessionOwner, { messageId }: Packet): Promise<void> {
      if (messageId === undefined) return
      const ids = incoming.get(client.id) ?? new Set()
      incoming.set(client.id, ids)
      ids.add(messageId)
      const [oldest = 0] = ids
      if (ids.size > MAX_RECEIVED) ids.delete(oldest)
      if (client.clean === false) await kept({ kind: 'received', clientId: client.id, messageId, open: true })
    },
    async incomingGetPacket(client: SessionOwner, { messageId }: Packet): Promise<object> {
      if (messageId !== undefined && incoming.get(client.id)?.has(messageId)) return { messageId }
      throw new Error('no such packet')
    },
    async incomingDelPacket(client: SessionOwner, { messageId }: Packet): Promise<void> {
      if (messageId === undefined || !incoming.get(client.id)?.delete(messageId))
        throw new Error('no such packet')
      note({ kind: 'received', clientId: client.id, messageId, open: false })
    },
    async cleanIncoming(client: SessionOwner): Promise<void> {
      incoming.delete(client.id)
    },

    async putWill(client: SessionOwner, { topic, payload, qos, retain }: Will): Promise<void> {
      const device = deps.deviceOf(client)
      if (!device) return
      const clientId = client.id
      const will = { clientId, device, topic, payload: Buffer.from(payload), qos, retain }
      wills.set(clientId, { will, owner: client })
      await kept({ kind: 'will', clientId, will })
    },
    /** A connection that was taken over tells of its end after its successor left its own will: that one stays. */
    async delWill({ id: clientId }: SessionOwner): Promise<void> {
      const owner = wills.get(clientId)?.owner
      if (owner === undefined || owner?.closed === false) return
      wills.delete(clientId)
      note({ kind: 'will', clientId, will: null })
    },
    /** Wills of other brokers that died; there are none. */
    streamWill(): Readable {
      return Readable.from([])
    },
  }
}
