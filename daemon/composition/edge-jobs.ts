/** What the hub does when its cloud asks: by the same parts that do it at night or for the app. */
import type { EdgeJobKind } from '../../sync/edge-jobs.ts'
import type { SyncPorts } from '../../sync/ports.ts'
import type { Daily } from '../features/daily/daily.ts'
import type { People } from '../features/people/people.ts'
import { aggregateDays } from '../features/tasks/aggregate.ts'
import { HubError } from '../kernel/errors.ts'
import type { Vitals } from './vitals.ts'

export interface EdgeJobsDeps {
  now: () => number
  people: People
  daily: Daily
  vitals: Vitals
  zoneOf: (personId: string) => string
}

const USUAL_DAYS = 7
const untold = () => {}

export function edgeJobs({ now, people, daily, vitals, zoneOf }: EdgeJobsDeps): SyncPorts['runJob'] {
  const everybody = () => people.all().map(({ id }) => id)
  const RUNS: Readonly<Record<Exclude<EdgeJobKind, 'send_again'>, SyncPorts['runJob']>> = {
    recompute_daily: (_, personId, { days = USUAL_DAYS }, signal) =>
      aggregateDays(
        {
          now,
          zoneOf,
          rows: daily.rows,
          people: () => (personId === null ? everybody() : [personId]),
          lastDays: days,
        },
        { signal, progress: untold },
      ),
    calibrate: (_, __, ___, signal) => vitals.calibrate(untold, signal),
    async forecast(_, personId, { targets = ['stress', 'sleep_duration'] }) {
      if (personId === null) throw new HubError('VALIDATION_ERROR', 'A forecast is about one person.')
      const { originMs, targets: made, missing } = await vitals.forecast(personId, targets)
      return {
        origin: originMs,
        targets: made.map(({ target, quantiles, basis, points }) => ({ target, quantiles, basis, points })),
        missing,
      }
    },
  }
  return async (kind, personId, params, signal) => {
    if (kind === 'send_again') throw new HubError('INTERNAL', 'The sync sends again by itself.')
    return RUNS[kind](kind, personId, params, signal)
  }
}
