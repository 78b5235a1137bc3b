/** Devices whose firmware is not ours: heard through gateways, taken in once an owner says so. */
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Store } from '../../store/store.ts'
import { createDecided } from './decided.ts'
import { createFound } from './found.ts'
import { createForeignReader, type ForeignDevices, type ForeignReader } from './reader.ts'
import { type ForeignRegister, foreignRoutes } from './routes.ts'

export interface Foreign extends ForeignReader {
  feature: Feature
}

export interface ForeignDeps {
  store: Store
  clock: Clock
  /** The household's zone. */
  timezone: () => string
  devices: ForeignDevices &
    ForeignRegister & {
      /** Tells that devices changed; returns the way to stop listening. */
      onChanged(listener: () => void): () => void
    }
}

export function createForeign({ store, clock, timezone, devices }: ForeignDeps): Foreign {
  const decided = createDecided(store)
  const found = createFound()
  const reader = createForeignReader({ decided, found, devices, timezone })
  let stopListening = () => {}
  return {
    ...reader,
    feature: {
      name: 'foreign',
      routes: (http) => foreignRoutes(http, { store, clock, found, decided, devices }),
      start() {
        stopListening = devices.onChanged(decided.reload)
      },
      stop: () => stopListening(),
    },
  }
}
