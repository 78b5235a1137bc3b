/** WHOOP, with its fetch as a job: every half hour for everybody who is connected, and at once when somebody asks. */
import type { Jobs } from '../features/jobs/jobs.ts'
import type { Records } from '../features/records/records.ts'
import { createWhoop, type Whoop } from '../features/whoop/whoop.ts'
import type { House } from '../house.ts'
import type { Sources } from '../store/sources.ts'

const KIND = 'whoop.sync'
const EVERY_HALF_HOUR = '*/30 * * * *'

export function openWhoop(
  house: House,
  { jobs, records, sources }: { jobs: Jobs; records: Records; sources: Sources },
): Whoop {
  const { store, clock, secret, config } = house
  const whoop = createWhoop({
    ...{ store, clock, secret, fetch, settings: config.whoop },
    records: { tell: records.tell, takeBack: records.takeBack },
    entry: () => sources.entryFor('whoop'),
    submit: (personId, days, requestedBy) =>
      jobs.submit(
        KIND,
        { personId, ...(days === undefined ? {} : { days }) },
        { personId, class: 'wellness', requestedBy, uniqueKey: `${KIND} ${personId}` },
      ),
  })
  jobs.handle(KIND, {
    queue: 'default',
    async run({ job, signal, progress }) {
      const { personId, days }: { personId?: unknown; days?: unknown } = Object(job.payload)
      const range = typeof days === 'number' ? { days } : {}
      const result = await whoop.run(typeof personId === 'string' ? personId : null, {
        ...range,
        signal,
        progress,
      })
      return { result }
    },
  })
  if (whoop.isConfigured) jobs.schedule({ kind: KIND, cron: EVERY_HALF_HOUR })
  return whoop
}
