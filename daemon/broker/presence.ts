import type { Clock } from '../kernel/clock.ts'
import type { Devices } from './ports.ts'

/** Who is there. A connection that was taken over has nothing more to say about its device. */
export interface Presence {
  connected(deviceId: string, connection: object): void
  /** The device's own word, or its will's. */
  said(deviceId: string, connection: object, online: boolean): void
  gone(deviceId: string, connection: object): void
}

/** Reports changes only, so that a chatty device costs nothing. */
export function createPresence({ devices, clock }: { devices: Devices; clock: Clock }): Presence {
  const present = new Map<string, { connection: object; online: boolean }>()
  const report = (deviceId: string, online: boolean) => {
    const seen = present.get(deviceId)
    if (!seen || seen.online === online) return
    seen.online = online
    devices.onPresence(deviceId, online, clock.now())
  }
  return {
    connected(deviceId, connection) {
      present.set(deviceId, { connection, online: present.get(deviceId)?.online ?? false })
      report(deviceId, true)
    },
    said(deviceId, connection, online) {
      if (present.get(deviceId)?.connection === connection) report(deviceId, online)
    },
    gone(deviceId, connection) {
      if (present.get(deviceId)?.connection !== connection) return
      report(deviceId, false)
      present.delete(deviceId)
    },
  }
}
