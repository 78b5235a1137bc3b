/** Sessions, retained messages and wills in memory, each with a limit: what aedes brings along grows without one. */
import { Readable } from 'node:stream'
import { matches } from './topics.ts'

export interface PersistenceLimits {
  /** Messages and bytes kept for one absent subscriber; the oldest leaves. */
  maxQueued: number
  maxQueuedBytes: number
  /** Retained topics; a new one beyond is refused. */
  maxRetained: number
}

export interface PersistenceDeps {
  limits: PersistenceLimits
  /** Whether the client was granted this filter: aedes hands refused ones over as well. */
  isGranted(client: SessionOwner, filter: string): boolean
  onQueueDropped(): void
  onRetainedRefused(): void
}

export interface SessionOwner {
  id: string
}

interface Filter {
  topic: string
  qos: number
}

interface Subscription extends Filter {
  clientId: string
}

interface Packet {
  cmd: string
  topic: string
  payload: Uint8Array
  qos: number
  retain: boolean
  brokerId?: string
  brokerCounter?: number
  messageId?: number | undefined
}

interface Session {
  filters: Map<string, Filter>
  queue: Packet[]
  queuedBytes: number
}

/** What aedes asks of a persistence; every method answers with a promise or a stream. */
export type Persistence = ReturnType<typeof createPersistence>

export function createPersistence({ limits, isGranted, onQueueDropped, onRetainedRefused }: PersistenceDeps) {
  const retained = new Map<string, Packet>()
  const sessions = new Map<string, Session>()
  const incoming = new Map<string, Set<number>>()
  const wills = new Map<string, object>()

  /** Filters with QoS by the literal start of their topic, made anew after a change: changes are rare, publishes are not. */
  let trees: Map<string, Subscription[]> | null = null

  const sessionOf = (clientId: string): Session => {
    const session = sessions.get(clientId) ?? { filters: new Map(), queue: [], queuedBytes: 0 }
    sessions.set(clientId, session)
    return session
  }

  const enqueue = (clientId: string, packet: Packet) => {
    const session = sessionOf(clientId)
    const { cmd, topic, payload, qos, brokerId, brokerCounter } = packet
    session.queue.push({
      cmd,
      topic,
      payload,
      qos,
      retain: false,
      ...(brokerId === undefined ? {} : { brokerId }),
      ...(brokerCounter === undefined ? {} : { brokerCounter }),
    })
    session.queuedBytes += payload.length
    while (session.queue.length > limits.maxQueued || session.queuedBytes > limits.maxQueuedBytes) {
      session.queuedBytes -= session.queue.shift()?.payload.length ?? session.queuedBytes
      onQueueDropped()
    }
  }

  return {
    /** Forgets all about a device that was removed. */
    forget(clientId: string): void {
      sessions.delete(clientId)
      trees = null
      incoming.delete(clientId)
      for (const topic of retained.keys()) if (topic.startsWith(`hf/${clientId}/`)) retained.delete(topic)
    },

    async setup(): Promise<void> {},
    async destroy(): Promise<void> {},

    async storeRetained(packet: Packet): Promise<void> {
      if (packet.payload.length === 0) retained.delete(packet.topic)
      else if (retained.has(packet.topic) || retained.size < limits.maxRetained)
        retained.set(packet.topic, { ...packet })
      else onRetainedRefused()
    },
    createRetainedStreamCombi(filters: readonly string[]): Readable {
      return Readable.from(
        [...retained.values()].filter(({ topic }) => filters.some((filter) => matches(filter, topic))),
      )
    },

    async addSubscriptions(client: SessionOwner, filters: readonly Filter[]): Promise<void> {
      const session = sessionOf(client.id)
      trees = null
      for (const { topic, qos } of filters)
        if (isGranted(client, topic)) session.filters.set(topic, { topic, qos })
    },
    async removeSubscriptions(client: SessionOwner, topics: readonly string[]): Promise<void> {
      trees = null
      for (const topic of topics) sessions.get(client.id)?.filters.delete(topic)
    },
    async subscriptionsByClient(client: SessionOwner): Promise<Filter[]> {
      return [...(sessions.get(client.id)?.filters.values() ?? [])].map((filter) => ({ ...filter }))
    },
    async cleanSubscriptions(client: SessionOwner): Promise<void> {
      trees = null
      sessions.delete(client.id)
    },
    /** Of several filters of one session the one with the highest QoS counts: a message is queued once. */
    async subscriptionsByTopic(topic: string): Promise<Subscription[]> {
      trees ??= indexOf(sessions)
      if (trees.size === 0) return []
      const [first = '', second = ''] = topic.split('/', 2)
      const best = new Map<string, Subscription>()
      for (const tree of ['', first, `${first}/${second}`]) {
        for (const filter of trees.get(tree) ?? []) {
          if ((best.get(filter.clientId)?.qos ?? 0) < filter.qos && matches(filter.topic, topic))
            best.set(filter.clientId, filter)
        }
      }
      return [...best.values()]
    },

    async outgoingEnqueue({ clientId }: { clientId: string }, packet: Packet): Promise<void> {
      enqueue(clientId, packet)
    },
    async outgoingEnqueueCombi(subscriptions: readonly Subscription[], packet: Packet): Promise<void> {
      for (const { clientId } of subscriptions) enqueue(clientId, packet)
    },
    /** Notes the message id under which a queued packet went out. One that left the queue goes out all the same, once. */
    async outgoingUpdate(client: SessionOwner, packet: Packet): Promise<void> {
      const queue = sessions.get(client.id)?.queue ?? []
      const same = queue.find(
        ({ brokerId, brokerCounter }) =>
          brokerId === packet.brokerId && brokerCounter === packet.brokerCounter,
      )
      if (same && packet.cmd === 'publish') {
        same.messageId = packet.messageId
        return
      }
      const at = queue.findIndex(({ messageId }) => messageId === packet.messageId)
      if (at >= 0 && packet.cmd !== 'publish')
        queue[at] = { ...packet, payload: new Uint8Array(), brokerId: '', brokerCounter: 0 }
    },
    async outgoingClearMessageId(client: SessionOwner, { messageId }: Packet): Promise<Packet | undefined> {
      const session = sessions.get(client.id)
      const at =
        session && messageId !== undefined
          ? session.queue.findIndex((packet) => packet.messageId === messageId)
          : -1
      if (!session || at < 0) return undefined
      const [cleared] = session.queue.splice(at, 1)
      session.queuedBytes -= cleared?.payload.length ?? 0
      return cleared
    },
    outgoingStream(client: SessionOwner): Readable {
      return Readable.from([...(sessions.get(client.id)?.queue ?? [])])
    },

    // Of a QoS 2 publish only its id matters once it is committed; aedes bounds how many await their release.
    async incomingStorePacket(client: SessionOwner, { messageId }: Packet): Promise<void> {
      const ids = incoming.get(client.id) ?? new Set()
      incoming.set(client.id, ids)
      if (messageId !== undefined) ids.add(messageId)
    },
    async incomingGetPacket(client: SessionOwner, { messageId }: Packet): Promise<object> {
      if (messageId !== undefined && incoming.get(client.id)?.has(messageId)) return { messageId }
      throw new Error('no such packet')
    },
    async incomingDelPacket(client: SessionOwner, { messageId }: Packet): Promise<void> {
      if (messageId === undefined || !incoming.get(client.id)?.delete(messageId))
        throw new Error('no such packet')
    },
    async cleanIncoming(client: SessionOwner): Promise<void> {
      incoming.delete(client.id)
    },

    async putWill(client: SessionOwner, will: object): Promise<void> {
      wills.set(client.id, will)
    },
    async delWill(client: SessionOwner): Promise<void> {
      wills.delete(client.id)
    },
    /** Wills of other brokers that died; there are none. */
    streamWill(): Readable {
      return Readable.from([])
    },
  }
}

function indexOf(sessions: ReadonlyMap<string, Session>): Map<string, Subscription[]> {
  const trees = new Map<string, Subscription[]>()
  for (const [clientId, { filters }] of sessions) {
    for (const filter of filters.values()) {
      if (filter.qos === 0) continue
      const levels = filter.topic.split('/')
      const literal = levels.findIndex((level) => level === '+' || level === '#')
      const tree = levels.slice(0, Math.min(2, literal < 0 ? 2 : literal)).join('/')
      trees.set(tree, [...(trees.get(tree) ?? []), { clientId, ...filter }])
    }
  }
  return trees
}
