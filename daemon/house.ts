/** The data directory, opened: database, certificate and secrets, which every part stands on. */
import { join } from 'node:path'
import { Registry } from 'prom-client'
import type { Config } from '../config/schema.ts'
import type { Clock } from './kernel/clock.ts'
import { messageOf } from './kernel/errors.ts'
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

const NETWORK_LOOK_MS = 60_000

/** What every part stands on. */
export interface House extends HouseDeps {
  store: Store
  hubId: string
  secret: Uint8Array
  network: () => NetworkIdentity
  /** The certificate in use. */
  tls: () => Tls
  /**
   * Looks once a minute: a box changes its address when the router does, and certificates run out. Returns the way to stop.
   */
  followNetwork(heard: { onCertificate(tls: Tls): void; onMoved(): Promise<void> }): () => void
  registry: Registry
}

/** Opens or makes everything in the data directory. Rejects with the database closed again when a part cannot be had. */
export async function openHouse(deps: HouseDeps, onFailure: (cause: unknown) => void): Promise<House> {
  const path = join(deps.dataDir, 'homefield.db')
  try {
    const store = await createStore({ path, now: deps.clock.now, onFailure })
    return await furnish(deps, store).catch(async (cause: unknown) => {
      await store.close()
      throw cause
    })
  } catch (cause) {
    throw SQLITE_DAMAGE.test(messageOf(cause)) ? damaged(path, cause) : cause
  }
}

/** What SQLite says of a file whose header or pages are not its own. */
const SQLITE_DAMAGE = /not a database|malformed/

function damaged(path: string, cause: unknown): Error {
  const told = `${path} is damaged (${messageOf(cause)}): restore a backup, or move the file away to begin anew`
  return new Error(told, { cause })
}

async function furnish(deps: HouseDeps, store: Store): Promise<House> {
  const { config, dataDir, clock, log, builtAtMs: buildDateMs } = deps
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
    followNetwork({ onCertificate, onMoved }) {
      let known = JSON.stringify(network())
      const look = async () => {
        const seen = JSON.stringify(network())
        const moved = seen !== known
        known = seen
        tls = await freshTls()
        if (tls.renewed) {
          onCertificate(tls)
          log.info('certificate renewed')
        }
        if (!moved) return
        await onMoved()
        log.info('network changed')
      }
      return clock.every(NETWORK_LOOK_MS, () => {
        look().catch((cause: unknown) =>
          log.warn({ cause: messageOf(cause) }, 'could not follow the network'),
        )
      })
    },
    registry: new Registry(),
  }
}
