/** Speaks Nightscout, so that uploaders and followers of that family use the hub as they are. */
import type { Actor } from '../../domain/access.ts'
import type { Feature } from '../../domain/route.ts'
import { createQuarantine } from '../../store/quarantine.ts'
import type { Store } from '../../store/store.ts'
import { createEntries, type EntriesDeps } from './entries.ts'
import { createLastWords } from './last-words.ts'
import { createRefusals } from './refusals.ts'
import { followRoutes } from './routes-follow.ts'
import { nightscoutV1 } from './routes-v1.ts'
import { nightscoutV3 } from './routes-v3.ts'
import { createTokens, type TokensDeps } from './tokens.ts'
import { createTreatmentTable } from './treatment-table.ts'
import { createTreatments, type Meals } from './treatments.ts'

export interface NightscoutDeps extends Pick<EntriesDeps, 'glucose' | 'wearerAt'>, TokensDeps {
  store: Pick<Store, 'all' | 'get' | 'write' | 'observations'>
  meals: Meals
  version: string
}

export interface Nightscout {
  feature: Feature
  /** Who stands behind a secret of an uploader's form; null for any other text. Throws UNAUTHENTICATED. */
  fromUploader(secret: string): Actor | null
}

export function createNightscout(deps: NightscoutDeps): Nightscout {
  const { store, now, version, wearerAt, meals } = deps
  const tokens = createTokens(deps)
  const keepRefused = createRefusals({ quarantine: createQuarantine(store), now })
  const entries = createEntries({ ...deps, keepRefused })
  const table = createTreatmentTable({ store, now })
  const treatments = createTreatments({ table, store, now, wearerAt, meals, keepRefused })
  const lastWords = createLastWords({ store, now, keepRefused })
  const routes = { entries, treatments, lastWords, now, version }
  return {
    fromUploader: tokens.whoIs,
    feature: {
      name: 'nightscout',
      routes: (http) => nightscoutV1(http, routes),
      rootRoutes(http) {
        followRoutes(http, { ...routes, tokens })
        nightscoutV3(http, routes)
      },
    },
  }
}
