/** Every part that keeps something about people, in the order in which a person is erased from them. */
import { join } from 'node:path'
import type { Erasure } from '../domain/erasure.ts'
import type { Accounts } from '../features/accounts/accounts.ts'
import { accountsErasure } from '../features/accounts/erasure.ts'
import { alertsErasure } from '../features/alerts/erasure.ts'
import { anomalyErasure } from '../features/anomaly/erasure.ts'
import { calendarErasure } from '../features/calendar/erasure.ts'
import { camerasErasure } from '../features/cameras/erasure.ts'
import { consentsErasure } from '../features/consents/erasure.ts'
import { devicesErasure } from '../features/devices/erasure.ts'
import { episodesErasure } from '../features/episodes/erasure.ts'
import { groupsErasure } from '../features/groups/erasure.ts'
import { importsErasure } from '../features/imports/erasure.ts'
import { ingestErasure } from '../features/ingest/erasure.ts'
import { jobsErasure } from '../features/jobs/erasure.ts'
import { mealPhotosErasure } from '../features/meal-photos/erasure.ts'
import { nightscoutErasure } from '../features/nightscout/erasure.ts'
import { pairingErasure } from '../features/pairing/erasure.ts'
import { peopleErasure } from '../features/people/erasure.ts'
import type { People } from '../features/people/people.ts'
import { recordsErasure } from '../features/records/erasure.ts'
import { rulesErasure } from '../features/rules/erasure.ts'
import { sessionsErasure } from '../features/sessions/erasure.ts'
import { visionErasure } from '../features/vision/erasure.ts'
import { whoopErasure } from '../features/whoop/erasure.ts'
import { zonesErasure } from '../features/zones/erasure.ts'
import type { House } from '../house.ts'
import { observationsErasure } from '../store/erasing.ts'
import type { HubTraining } from './training.ts'
import type { HubVision } from './vision.ts'

export type { Erased, Erasure } from '../domain/erasure.ts'

/** Parts of the household that are told, or asked, when somebody is erased. */
export interface ErasedFrom {
  people: People
  accounts: Pick<Accounts, 'reload'>
  vision: HubVision
  training: HubTraining
}

/**
 * Run one after another, in this order: the person is hidden first, so that nothing new comes in; then what is found through
 * other rows goes before those. Every step can be taken again, so one that was cut off is simply begun anew.
 */
export function erasuresOf(
  { store, clock, dataDir }: Pick<House, 'store' | 'clock' | 'dataDir'>,
  { people, accounts, vision, training }: ErasedFrom,
): readonly Erasure[] {
  const { now } = clock
  return [
    peopleErasure({ store, now, people }),
    training.live.erasure,
    around(visionErasure(store), { before: vision.flush }),
    sessionsErasure({ store, files: training.sessions.files }),
    camerasErasure(store),
    mealPhotosErasure({ store, now, folder: join(dataDir, 'meal-photos') }),
    recordsErasure(store),
    ingestErasure(store),
    nightscoutErasure(store),
    importsErasure({ store, folder: join(dataDir, 'imports') }),
    whoopErasure(store),
    rulesErasure(store),
    alertsErasure(store),
    episodesErasure(store),
    anomalyErasure(store),
    calendarErasure(store),
    groupsErasure(store),
    zonesErasure(store),
    jobsErasure(store),
    // What devices sent is found through who wore them.
    observationsErasure(store),
    devicesErasure(store),
    pairingErasure(store),
    consentsErasure(store),
    around(accountsErasure(store), { after: accounts.reload }),
  ]
}

function around(
  { name, erase }: Erasure,
  steps: { before?: () => Promise<void>; after?: () => void },
): Erasure {
  return {
    name,
    async erase(personId) {
      await steps.before?.()
      const erased = await erase(personId)
      steps.after?.()
      return erased
    },
  }
}
