/** Fetches a WHOOP strap's days over its maker's API, for people who connected their account; off until it is set up. */
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { createSealing } from '../../kernel/sealing.ts'
import type { Store } from '../../store/store.ts'
import { createWhoopClient } from './client.ts'
import { createConnections } from './connections.ts'
import { createLanding, type LandingDeps } from './landing.ts'
import { type WhoopRoutesDeps, whoopRoutes } from './routes.ts'
import { createSignIns } from './sign-in.ts'
import { createSync, type SyncOptions } from './sync.ts'

export interface WhoopSettings {
  /** Empty: not set up. */
  clientId: string
  clientSecret: string
  baseUrl: string
  redirectUri: string
}

export interface WhoopDeps extends Pick<LandingDeps, 'records' | 'entry'>, Pick<WhoopRoutesDeps, 'submit'> {
  store: Pick<Store, 'all' | 'get' | 'write' | 'observations'>
  clock: Clock
  secret: Uint8Array
  fetch: typeof fetch
  settings: WhoopSettings
}

export interface Whoop {
  feature: Feature
  isConfigured: boolean
  /** Fetches for one person, or for everybody who is connected; resolves with what came of it for each. */
  run(personId: string | null, options: SyncOptions): Promise<object>
}

export function createWhoop(deps: WhoopDeps): Whoop {
  const { clock, settings, submit } = deps
  const parts = settings.clientId !== '' && settings.clientSecret !== '' ? assemble(deps) : null
  return {
    isConfigured: parts !== null,
    async run(personId, options) {
      if (!parts) return { skipped: 'WHOOP is not set up' }
      if (personId !== null) return { [personId]: await parts.sync(personId, options) }
      const done: Record<string, object> = {}
      for (const one of parts.connections.connected()) {
        options.signal?.throwIfAborted()
        // What stands in one person's way is on that person's status page, and the others have their turn.
        done[one] = await parts.sync(one, options).catch((cause: unknown) => {
          if (!(cause instanceof HubError)) throw cause
          return { error: cause.message }
        })
      }
      return done
    },
    feature: {
      name: 'whoop',
      routes: (http) =>
        whoopRoutes(http, { whoop: parts, redirectUri: settings.redirectUri, submit, now: clock.now }),
    },
  }
}

function assemble({ store, clock, secret, fetch, settings, records, entry }: WhoopDeps) {
  const { now } = clock
  const sealing = createSealing(secret, 'WHOOP tokens')
  const client = createWhoopClient({ baseUrl: settings.baseUrl, fetch, clock })
  const connections = createConnections({ store, now, sealing, client, credentials: settings })
  const signIns = createSignIns({ store, now, sealing, client, connections, settings })
  const land = createLanding({ store, records, entry, now })
  const sync = createSync({ connections, client, land, now })
  return {
    connections,
    signIns,
    sync,
    async disconnect(personId: string) {
      const token = await connections.remove(personId)
      if (token !== null) await client.revoke(token)
    },
  }
}
