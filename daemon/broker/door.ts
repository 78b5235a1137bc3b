/** Takes connections into aedes, with the packet guard before it, or turns them away. */
import type { Duplex } from 'node:stream'
import type { Aedes } from 'aedes'
import type { Log } from '../kernel/log.ts'
import type { Counters } from './counters.ts'
import { createDoorkeeper } from './doorkeeper.ts'
import type { Express } from './express.ts'
import { guardPackets, readBefore } from './guard.ts'
import type { BrokerSettings, DeviceType } from './ports.ts'
import type { Sessions } from './sessions.ts'

export interface Door {
  /** The answer says whether the connection's key was right. */
  adopt(stream: Duplex, remote: string): () => boolean
  /** How many connections stand. */
  open(): number
  /** Ends all of them. */
  clear(): void
}

export interface DoorDeps {
  settings: BrokerSettings
  aedes: Aedes
  sessions: Sessions
  counters: Counters
  log: Log
  express: Express
}

/** What an unknown client may send: a CONNECT with a will, and no more. */
const MAX_CONNECT_BYTES = 4096
const LARGE_SENDERS: ReadonlySet<DeviceType> = new Set(['camera', 'gateway'])
const MAX_HALF_OPEN = 64

export function createDoor({ settings, aedes, sessions, counters, log, express }: DoorDeps): Door {
  const streams = new Set<Duplex>()
  const doorkeeper = createDoorkeeper({
    maxConnections: settings.maxConnections,
    maxPerAddress: settings.maxConnectionsPerAddress,
    maxHalfOpen: MAX_HALF_OPEN,
    onHalfOpenEnded: () => void counters.halfOpenEnded++,
  })
  aedes.on('client', ({ conn }) => doorkeeper.known(conn))
  // aedes reads nothing between the check of the key and CONNACK, so whoever has a session has seen its CONNACK.
  const limitOf = (client: object) => {
    const device = sessions.of(client)?.device
    if (!device) return MAX_CONNECT_BYTES
    return LARGE_SENDERS.has(device.type) ? settings.maxCameraPacketBytes : settings.maxPacketBytes
  }
  return {
    adopt(stream, remote) {
      if (aedes.closed || !doorkeeper.admit(stream, remote)) {
        counters.refused++
        stream.destroy()
        return () => false
      }
      streams.add(stream)
      stream.once('close', () => streams.delete(stream))
      const client = aedes.handle(stream)
      guardPackets(client, {
        limitBytes: () => limitOf(client),
        onOversize(announcedBytes) {
          counters.oversized++
          log.warn({ deviceId: client.id, remote, announcedBytes }, 'packet over the limit, connection ended')
        },
        onViolation({ clause }) {
          counters.malformed++
          log.warn({ deviceId: client.id, remote, clause }, 'packet against the protocol, connection ended')
        },
      })
      readBefore(client, (chunk) => {
        const session = sessions.of(client)
        return session ? express.take(client, session, chunk, limitOf(client)) : 0
      })
      return () => sessions.of(client) !== undefined
    },
    open: () => streams.size,
    clear() {
      for (const stream of streams) stream.destroy()
    },
  }
}
