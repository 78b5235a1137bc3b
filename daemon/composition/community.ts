/** Zones of the community: who is where comes from positions, how rare their minutes are from the watch over vitals. */
import type { AnomalyWatch } from '../features/anomaly/anomaly.ts'
import type { People } from '../features/people/people.ts'
import { createZones, type Zones } from '../features/zones/zones.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import type { Live } from '../live/live.ts'

export interface CommunityParts {
  live: Live
  people: Pick<People, 'all'>
  rarityOf: AnomalyWatch['rarityOf']
}

export function openCommunity(
  { store, clock, log }: Pick<House, 'store' | 'clock' | 'log'>,
  { live, people, rarityOf }: CommunityParts,
): Zones {
  return createZones({
    ...{ store, clock, log: log.child({ part: 'zones' }), newId: () => newId(clock.now()) },
    personIds: () => people.all().map(({ id }) => id),
    rarityOf,
    async placeOf(personId) {
      const newest = await store.observations.latest(personId)
      const place = newest.find(({ metric }) => metric === 'position')
      const lon = place?.extra?.lon
      return place && lon !== undefined ? { atMs: place.atMs, lat: place.value, lon } : null
    },
    notify: (zoneId, data) => void live.publish(`zone:${zoneId}`, 'metrics_update', data, { zoneId }),
  })
}
