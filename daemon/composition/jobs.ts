/** The queue of long work, and the jobs that the hub brings along. */
import { join } from 'node:path'
import type { Feature } from '../domain/route.ts'
import type { Daily } from '../features/daily/daily.ts'
import type { Glucose } from '../features/glucose/glucose.ts'
import { createHealthKit } from '../features/imports/health-kit.ts'
import { createImports } from '../features/imports/imports.ts'
import type { ImportPorts } from '../features/imports/storing.ts'
import type { Ingest } from '../features/ingest/ingest.ts'
import { createJobs, type Jobs } from '../features/jobs/jobs.ts'
import type { People } from '../features/people/people.ts'
import type { Records } from '../features/records/records.ts'
import { aggregateDays } from '../features/tasks/aggregate.ts'
import { createTasks } from '../features/tasks/tasks.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import type { Live } from '../live/live.ts'
import { forgetQuarantine } from '../store/quarantine.ts'
import { createRetentionSetting } from '../store/retention-limits.ts'
import type { Sources } from '../store/sources.ts'
import type { Vitals } from './vitals.ts'

const DAY_MS = 86_400_000

/** Kinds that may be asked for under `/tasks`. */
const TASKS = [
  { path: 'aggregate-daily', kind: 'aggregate-daily', summary: "Add everybody's last days up" },
  {
    path: 'restore-drill',
    kind: 'restore-drill',
    summary: 'Try the newest copies out as if the hub had been lost',
  },
  { path: 'calibrate', kind: 'calibrate', summary: 'Learn anew what is usual for everybody' },
]

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
  { clock, store }: House,
  jobs: Jobs,
  {
    people,
    daily,
    vitals,
    zoneOf,
  }: { people: People; daily: Daily; vitals: Vitals; zoneOf: (personId: string) => string },
) {
  const deps = { now: clock.now, zoneOf, rows: daily.rows, people: () => people.all().map(({ id }) => id) }
  jobs.handle('aggregate-daily', {
    queue: 'low',
    run: async (context) => ({ result: await aggregateDays(deps, context) }),
  })
  jobs.schedule({ kind: 'aggregate-daily', cron: '0 3 * * *' })
  jobs.handle('calibrate', {
    queue: 'low',
    run: async ({ progress, signal }) => ({ result: await vitals.calibrate(progress, signal) }),
  })
  jobs.schedule({ kind: 'calibrate', cron: '0 2 * * *' })
  const retention = createRetentionSetting(store)
  jobs.handle('let-go', {
    queue: 'low',
    async run() {
      const limits = retention.read()
      const quarantined = await forgetQuarantine(store, clock.now() - limits.quarantine_days * DAY_MS)
      return { result: { quarantined, ...(await store.upkeep(limits)) } }
    },
  })
  jobs.schedule({ kind: 'let-go', cron: '10 3 * * *' })
  return createTasks({ jobs, now: clock.now, kinds: TASKS })
}

export interface WaysInDeps {
  jobs: Jobs
  glucose: Glucose
  records: Records
  ingest: Ingest
  sources: Sources
  zoneOf: (personId: string) => string
}

/** Files of other apps and what phones send by themselves, landing by the same parts as everything else. */
export function waysIn(
  { store, clock, dataDir }: House,
  { jobs, glucose, records, ingest, sources, zoneOf }: WaysInDeps,
): Feature[] {
  const tell: ImportPorts['record'] = async (kind, body, { deviceId, ...from }) => {
    const { outcome } = await records.tell(kind, body, { ...from, deviceId })
    return outcome
  }
  return [
    createImports({
      ...{ store, jobs, zoneOf, clock },
      now: clock.now,
      newId: () => newId(clock.now()),
      folder: join(dataDir, 'imports'),
      ports: {
        entryFor: sources.entryFor,
        append: store.observations.append,
        record: tell,
        note: ingest.keepNote,
      },
    }),
    createHealthKit({
      now: clock.now,
      glucose: glucose.take,
      record: tell,
      entryFor: sources.entryFor,
      samples: ingest.take,
    }),
  ]
}
