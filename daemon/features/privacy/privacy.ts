/** What people may ask of the hub about themselves: all of it in one file, to be forgotten, and how long things are kept. */
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { createRetentionSetting } from '../../store/retention-limits.ts'
import type { Store } from '../../store/store.ts'
import type { CrowdDeps } from './anonymised.ts'
import { createErasing, type ErasingDeps } from './erasing.ts'
import { createExporting, type ExportingDeps } from './exporting.ts'
import { privacyRoutes } from './routes.ts'

export interface PrivacyDeps extends Omit<ExportingDeps, 'folder' | 'now'>, ErasingDeps {
  store: Store
  clock: Clock
  log: Log
  /** Where archives wait to be fetched. */
  exportFolder: string
  people: CrowdDeps['people']
}

export interface Privacy {
  feature: Feature
  /** Erases archives that wait for somebody. */
  erasure: { name: string; erase(personId: string): Promise<{ rows: number; files: number }> }
}

const SWEEP_MS = 3_600_000

export function createPrivacy(deps: PrivacyDeps): Privacy {
  const { store, clock, log } = deps
  const exporting = createExporting({ ...deps, now: clock.now, folder: deps.exportFolder })
  const erasing = createErasing(deps)
  const retention = createRetentionSetting(store)
  const sweep = () =>
    void exporting
      .sweep()
      .catch((cause: unknown) => log.warn({ cause: messageOf(cause) }, 'old archives stay'))
  let stop = () => {}
  return {
    erasure: {
      name: 'privacy',
      async erase(personId) {
        const gone = await exporting.sweep(personId)
        return { rows: gone, files: gone }
      },
    },
    feature: {
      name: 'privacy',
      routes: (http) =>
        privacyRoutes(http, {
          ...{ store, now: clock.now, exporting, erasing, retention },
          people: deps.people,
        }),
      start() {
        sweep()
        stop = clock.every(SWEEP_MS, sweep)
      },
      stop: () => stop(),
    },
  }
}
