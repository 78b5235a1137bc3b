/** Messages for subscribers that sleep: bounded for each of them and in all. */
import type { Change, KeptQueued } from './kept-state.ts'

/** A packet as aedes hands it over and wants it back. */
export interface Packet {
  cmd: string
  topic: string
  payload: Uint8Array
  qos: number
  retain: boolean
  dup?: boolean
  brokerId?: string
  brokerCounter?: number
  messageId?: number | undefined
}

interface Entry {
  sequence: number
  packet: Packet
  released: boolean
}

interface Queue {
  entries: Entry[]
  bytes: number
  /** Left unread since the subscriber was told. */
  dropped: number
}

export interface QueueLimits {
  /** Messages and bytes kept for one absent subscriber; the oldest leaves. */
  maxQueued: number
  maxQueuedBytes: number
  /** Bytes kept for all of them; the oldest of whoever holds most leaves. */
  maxQueuedBytesInAll: number
}

export interface QueuesDeps {
  limits: QueueLimits
  note(change: Change): void
  onDropped(): void
}

export interface Queues {
  add(clientId: string, packet: Packet): void
  /** Notes the packet id under which a message went out, or that its subscriber has it. */
  update(clientId: string, packet: Packet): void
  /** Takes out what was confirmed. */
  confirm(
    clientId: string,
    packet: Pick<Packet, 'messageId' | 'brokerId' | 'brokerCounter'>,
  ): Packet | undefined
  /** Everything unconfirmed in order; what went out before is marked as a repetition. */
  unconfirmed(clientId: string): Packet[]
  /** Takes out what `keeps` does not want kept. */
  sift(keeps: (clientId: string, packet: Packet) => boolean): void
  /** How many messages the subscriber lost, once. */
  takeDropped(clientId: string): number
  forget(clientId: string): void
  restore(queued: readonly KeptQueued[], dropped: readonly { clientId: string; messages: number }[]): void
  kept(): Change[]
}

/** Stands for the broker that numbered a message before this start. */
const EARLIER = 'earlier'

export function createQueues({ limits, note, onDropped }: QueuesDeps): Queues {
  const queues = new Map<string, Queue>()
  let sequence = 0
  let bytesInAll = 0

  const queueOf = (clientId: string): Queue => {
    const queue = queues.get(clientId) ?? { entries: [], bytes: 0, dropped: 0 }
    queues.set(clientId, queue)
    return queue
  }

  const push = (queue: Queue, entry: Entry): void => {
    queue.entries.push(entry)
    queue.bytes += entry.packet.payload.length
    bytesInAll += entry.packet.payload.length
  }

  const remove = (clientId: string, queue: Queue, at: number): Packet | undefined => {
    const [entry] = queue.entries.splice(at, 1)
    if (!entry) return undefined
    queue.bytes -= entry.packet.payload.length
    bytesInAll -= entry.packet.payload.length
    note({ kind: 'queued', clientId, sequence: entry.sequence, message: null })
    return entry.packet
  }

  const drop = (clientId: string, queue: Queue): void => {
    remove(clientId, queue, 0)
    queue.dropped++
    note({ kind: 'dropped', clientId, messages: queue.dropped })
    onDropped()
  }

  const heaviest = (): [string, Queue] | null => {
    let most: [string, Queue] | null = null
    for (const pair of queues) if (pair[1].bytes > (most?.[1].bytes ?? 0)) most = pair
    return most
  }

  const changed = (clientId: string, entry: Entry): void =>
    note({ kind: 'queued', clientId, sequence: entry.sequence, message: keptOf(clientId, entry) })

  return {
    add(clientId, { cmd, topic, payload, qos, brokerId, brokerCounter }) {
      const queue = queueOf(clientId)
      const numbered = {
        ...(brokerId === undefined ? {} : { brokerId }),
        ...(brokerCounter === undefined ? {} : { brokerCounter }),
      }
      const packet = { cmd, topic, payload, qos, retain: false, ...numbered }
      const entry = { sequence: ++sequence, packet, released: false }
      push(queue, entry)
      changed(clientId, entry)
      while (queue.entries.length > limits.maxQueued || queue.bytes > limits.maxQueuedBytes)
        drop(clientId, queue)
      while (bytesInAll > limits.maxQueuedBytesInAll) {
        const fullest = heaviest()
        if (!fullest) break
        drop(...fullest)
      }
    },
    update(clientId, packet) {
      const entries = queues.get(clientId)?.entries ?? []
      const entry =
        packet.cmd === 'publish'
          ? entries.find(
              ({ packet: { brokerId, brokerCounter } }) =>
                brokerId === packet.brokerId && brokerCounter === packet.brokerCounter,
            )
          : entries.find(({ packet: { messageId } }) => messageId === packet.messageId)
      if (!entry || entry.released) return
      entry.packet.messageId = packet.messageId
      entry.released = packet.cmd !== 'publish'
      // A QoS 1 message may go out again under another id; for QoS 2 the id is what tells a repetition.
      if (entry.packet.qos === 2) changed(clientId, entry)
    },
    confirm(clientId, { messageId, brokerId, brokerCounter }) {
      const queue = queues.get(clientId)
      // What was not forwarded went out under no id; aedes then names it by its number.
      const at =
        queue?.entries.findIndex(({ packet }) =>
          messageId === undefined
            ? packet.brokerId === brokerId && packet.brokerCounter === brokerCounter
            : packet.messageId === messageId,
        ) ?? -1
      return queue && at >= 0 ? remove(clientId, queue, at) : undefined
    },
    unconfirmed: (clientId) => (queues.get(clientId)?.entries ?? []).map(sentForm),
    sift(keeps) {
      for (const [clientId, queue] of queues) {
        for (let at = queue.entries.length - 1; at >= 0; at--) {
          const entry = queue.entries[at]
          if (entry && !entry.released && !keeps(clientId, entry.packet)) remove(clientId, queue, at)
        }
      }
    },
    takeDropped(clientId) {
      const queue = queues.get(clientId)
      const dropped = queue?.dropped ?? 0
      if (queue && dropped > 0) {
        queue.dropped = 0
        note({ kind: 'dropped', clientId, messages: 0 })
      }
      return dropped
    },
    forget(clientId) {
      bytesInAll -= queues.get(clientId)?.bytes ?? 0
      queues.delete(clientId)
    },
    restore(queued, dropped) {
      for (const kept of queued) {
        sequence = Math.max(sequence, kept.sequence)
        push(queueOf(kept.clientId), entryOf(kept))
      }
      for (const { clientId, messages } of dropped) queueOf(clientId).dropped = messages
    },
    kept: () =>
      [...queues].flatMap(([clientId, queue]): Change[] => [
        ...queue.entries.map((entry): Change => {
          const message = keptOf(clientId, entry)
          return { kind: 'queued', clientId, sequence: entry.sequence, message }
        }),
        ...(queue.dropped > 0 ? [{ kind: 'dropped' as const, clientId, messages: queue.dropped }] : []),
      ]),
  }
}

function keptOf(clientId: string, { sequence, packet, released }: Entry): KeptQueued {
  const { topic, payload, qos, messageId } = packet
  return { clientId, sequence, topic, payload, qos, messageId: messageId ?? null, released }
}

function entryOf({ sequence, topic, payload, qos, messageId, released }: KeptQueued): Entry {
  const packet: Packet = {
    cmd: 'publish',
    topic,
    payload,
    qos,
    retain: false,
    brokerId: EARLIER,
    brokerCounter: sequence,
    ...(messageId === null ? {} : { messageId }),
  }
  return { sequence, packet, released }
}

function sentForm({ packet, released }: Entry): Packet {
  if (released)
    return {
      cmd: 'pubrel',
      topic: '',
      payload: new Uint8Array(),
      qos: 1,
      retain: false,
      messageId: packet.messageId,
    }
  return packet.messageId === undefined ? { ...packet } : { ...packet, dup: true }
}
