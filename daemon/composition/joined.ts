/** Joins the brokers of the settings; each appears as a gateway in the list of devices. */
import type { Devices } from '../features/devices/devices.ts'
import { connectorOf } from '../features/foreign/connection.ts'
import type { Foreign } from '../features/foreign/foreign.ts'
import { createJoined, type Joined } from '../features/foreign/joined.ts'
import type { House } from '../house.ts'
import { HubError } from '../kernel/errors.ts'
import { createQuarantine } from '../store/quarantine.ts'

export function joinBrokers(
  house: House,
  { devices, foreign }: { devices: Devices; foreign: Foreign },
): Joined {
  const { store, clock, log, hubId, config } = house
  return createJoined({
    brokers: config.mqtt.bridges,
    clock,
    log: log.child({ part: 'joined-brokers' }),
    connect: connectorOf(hubId),
    read: foreign.read,
    append: store.observations.append,
    quarantine: createQuarantine(store),
    setPresence: devices.setPresence,
    async ensureGateway(id) {
      const there = devices.list().find((device) => device.id === id)
      if (there?.type === 'gateway') return
      if (there)
        throw new HubError('CONFLICT', `Another device has the id ${id}. Name the broker differently.`)
      const planned = devices.plan({ id, name: id, type: 'gateway' })
      await store.write(planned.writes)
      planned.committed()
    },
  })
}
