/** The watches, sensors and helpers of a household. */
import type { Feature } from '../../domain/route.ts'
import type { Log } from '../../kernel/log.ts'
import { createDirectory } from './directory.ts'
import { createPresence } from './presence.ts'
import { createRegister, type Register, type RegisterDeps } from './register.ts'
import { deviceRoutes } from './routes.ts'

export interface Devices extends Register {
  feature: Feature
}

export type DevicesDeps = Omit<RegisterDeps, 'directory' | 'presence'> & { log: Log }

export function createDevices(deps: DevicesDeps): Devices {
  const { store, clock } = deps
  const presence = createPresence(deps)
  const register = createRegister({ ...deps, directory: createDirectory(store), presence })
  let stopListening = () => {}
  return {
    ...register,
    feature: {
      name: 'devices',
      routes: (http) => deviceRoutes(http, { devices: register, store, clock }),
      start() {
        presence.start()
        stopListening = store.onCommitted((rows) => {
          for (const { metric, deviceId, value } of rows) {
            if (metric === 'battery') register.charge(deviceId, value)
          }
          for (const deviceId of new Set(rows.map((row) => row.deviceId)))
            register.seen(deviceId, clock.now())
        })
      },
      async stop() {
        stopListening()
        await presence.stop()
      },
    },
  }
}
