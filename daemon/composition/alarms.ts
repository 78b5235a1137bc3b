/** Groups, rules, episodes and alerts: what is noticed, and who hears of it. */
import { createGroups } from '../features/groups/groups.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'

export interface AlarmsDeps {
  house: Pick<House, 'store' | 'clock' | 'log'>
  /** The household's zone. */
  timezone: () => string
}

export type Alarms = ReturnType<typeof createAlarms>

export function createAlarms({ house, timezone }: AlarmsDeps) {
  const { store, clock } = house
  const freshId = () => newId(clock.now())
  const groups = createGroups({ store, clock, newId: freshId, timezone, isClimbing: () => false })
  return { groups, features: [groups.feature] }
}
