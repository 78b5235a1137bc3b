import type { Client } from 'aedes'
import type { DeviceIdentity } from './ports.ts'

/** One authenticated connection. */
export interface Session {
  device: DeviceIdentity
  /** Counts up with every connection. */
  number: number
  /** Topic filters granted on it. */
  filters: Set<string>
  /** Bytes of the topic that its values come on. */
  valuesTopic: Buffer
  /** Its device was removed: nothing of it counts any more, its will included. */
  revoked: boolean
}

/** Which connection speaks for which device. */
export interface Sessions {
  open(client: Client, device: DeviceIdentity): Session
  of(client: object): Session | undefined
  /** The connection that a device has now. */
  current(deviceId: string): Client | undefined
  registered(client: Client): void
  ended(client: Client): void
}

export function createSessions(): Sessions {
  const sessions = new WeakMap<object, Session>()
  const current = new Map<string, Client>()
  let number = 0
  return {
    open(client, device) {
      const valuesTopic = Buffer.from(`hf/${device.deviceId}/obs`)
      const session = { device, number: ++number, filters: new Set<string>(), valuesTopic, revoked: false }
      sessions.set(client, session)
      return session
    },
    of: (client) => sessions.get(client),
    current: (deviceId) => current.get(deviceId),
    registered(client) {
      const before = current.get(client.id)
      current.set(client.id, client)
      // aedes loses sight of a connection whose predecessor was still closing; two of one device must not stand.
      if (before && before !== client) before.close()
    },
    ended(client) {
      if (current.get(client.id) === client) current.delete(client.id)
    },
  }
}
