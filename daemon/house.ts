/** The data directory, opened: database, certificate and secrets, which every part stands on. */
import { join } from 'node:path'
import { Registry } from 'prom-client'
import type { Config } from '../config/schema.ts'
import type { Clock } from './kernel/clock.ts'
import { newId } from './kernel/ids.ts'
import type { Log } from './kernel/log.ts'
import { type NetworkIdentity, networkIdentity } from './kernel/network.ts'
import { ensureSecret } from './kernel/secrets.ts'
import { ensureTls, type Tls } from './kernel/tls.ts'
import { ensureHub } from './store/hub.ts'
import { createStore } from './store/open.ts'
import type { Store } from './store/store.ts'

export interface HouseDeps {
  config: Config
  /** Absolute; exists and is ours alone. */
  dataDir: string
  version: string
  /** When this program was built: no true clock stands before it. */
  builtAtMs: number
  clock: Clock
  log: Log
}

/** What every part stands on. */
export interface House extends HouseDeps {
  store: Store
  hubId: string
  secret: Uint8Array
  network: () => NetworkIdentity
  /** The certificate in use; `renewTls` replaces it. */
  tls: () => Tls
  renewTls(): Promise<Tls>
  registry: Registry
}

/** Opens or makes everything in the data directory. Rejects with the database closed again when a part cannot be had. */
export async function openHouse(deps: HouseDeps, onFailure: (cause: unknown) => void): Promise<House> {
  const store = await createStore({
    path: join(deps.dataDir, 'homefield.db'),
    now: deps.clock.now,
    onFailure,
  })
  try {
    return await furnish(deps, store)
  } catch (cause) {
    await store.close()
    throw cause
  }
}

async function furnish(deps: HouseDeps, store: Store): Promise<House> {
  const { config, dataDir, clock, builtAtMs: buildDateMs } = deps
  const { hubId, newestInstantMs } = await ensureHub(store, newId(clock.now()), clock.now())
  const secret = await ensureSecret(join(dataDir, 'secrets'), 'hub.key')
  const network = () => networkIdentity(config.http.hostnames)
  const dir = join(dataDir, 'tls')
  const freshTls = () => ensureTls({ dir, ...network(), nowMs: clock.now(), buildDateMs, newestInstantMs })
  let tls = await freshTls()
  return {
    ...deps,
    store,
    hubId,
    secret,
    network,
    tls: () => tls,
    async renewTls() {
      tls = await freshTls()
      return tls
    },
    registry: new Registry(),
  }
}
