/** Community zones: owners draw them, everybody who is signed in reads how the people there are, five at the least. */
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store } from '../../store/store.ts'
import { type CommunityDeps, createCommunity, MINUTE_MS } from './community.ts'
import { createRegister } from './register.ts'
import { statusView, zoneRoutes } from './routes.ts'

export interface ZonesDeps extends Pick<CommunityDeps, 'personIds' | 'rarityOf' | 'placeOf'> {
  store: Store
  clock: Clock
  log: Log
  newId: () => string
  /** Tells everybody who watches a zone. */
  notify: (zoneId: string, data: unknown) => void
}

export interface Zones {
  feature: Feature
  exists(zoneId: string): boolean
  /** Looks at every zone now; resolves when that is done. */
  look(): Promise<void>
}

export function createZones(deps: ZonesDeps): Zones {
  const { store, clock, log } = deps
  const register = createRegister({ store, now: clock.now })
  const community = createCommunity({
    ...deps,
    ...{ register, now: clock.now },
    onChanged(zoneId, status) {
      const zone = register.get(zoneId)
      if (zone) deps.notify(zoneId, statusView(zone, status, clock.now()))
    },
  })
  let stop = () => {}
  let looking: Promise<void> = Promise.resolve()

  function look(): Promise<void> {
    looking = looking.then(community.look).catch((cause: unknown) => {
      log.warn({ cause: messageOf(cause) }, 'zones were not looked at')
    })
    return looking
  }

  return {
    look,
    exists: (zoneId) => register.get(zoneId) !== undefined,
    feature: {
      name: 'zones',
      routes: (http) => zoneRoutes(http, { ...deps, register, community }),
      start() {
        stop = clock.every(MINUTE_MS, () => void look())
      },
      async stop() {
        stop()
        await looking
      },
    },
  }
}
