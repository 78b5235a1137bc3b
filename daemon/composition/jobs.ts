/** The queue of long work, and the jobs that the hub brings along. */
import type { Daily } from '../features/daily/daily.ts'
import { createJobs, type Jobs } from '../features/jobs/jobs.ts'
import type { People } from '../features/people/people.ts'
import { aggregateDays } from '../features/tasks/aggregate.ts'
import { createTasks } from '../features/tasks/tasks.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import type { Live } from '../live/live.ts'

/** Kinds that may be asked for under `/tasks`. */
const TASKS = [{ path: 'aggregate-daily', kind: 'aggregate-daily', summary: "Add everybody's last days up" }]

export interface JobsAreaDeps {
  live: Live
  /** The hub's time zone. */
  timezone: () => string
}

/** The queue itself: parts that have long work register it before the hub starts. */
export function createQueue({ store, clock, log }: House, { live, timezone }: JobsAreaDeps): Jobs {
  return createJobs({
    store,
    clock,
    log: log.child({ part: 'jobs' }),
    newId: () => newId(clock.now()),
    zone: timezone,
    random: Math.random,
    notify: (data, about) => void live.publish('jobs', 'job', data, about),
  })
}

/** Work of the night, at the hours that the household's clock shows. */
export function nightWork(
  { clock }: House,
  jobs: Jobs,
  { people, daily, zoneOf }: { people: People; daily: Daily; zoneOf: (personId: string) => string },
) {
  const deps = { now: clock.now, zoneOf, rows: daily.rows, people: () => people.all().map(({ id }) => id) }
  jobs.handle('aggregate-daily', {
    queue: 'low',
    run: async (context) => ({ result: await aggregateDays(deps, context) }),
  })
  jobs.schedule({ kind: 'aggregate-daily', cron: '0 3 * * *' })
  return createTasks({ jobs, now: clock.now, kinds: TASKS })
}
