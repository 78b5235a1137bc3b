/** Puts the way to the cloud together: off until an owner joins a household there. */
import { failpointsFrom } from '../../sync/failpoint.ts'
import { createHubSync } from '../../sync/hub.ts'
import type { SyncPorts } from '../../sync/ports.ts'
import { LANES } from '../../sync/rows.ts'
import type { Erasure } from '../domain/erasure.ts'
import { METRICS, metricByKey } from '../domain/metric.ts'
import { parseRecurrence } from '../domain/recurrence.ts'
import type { Feature } from '../domain/route.ts'
import { isZone, wallClockMs } from '../domain/zone.ts'
import type { Jobs } from '../features/jobs/jobs.ts'
import type { People } from '../features/people/people.ts'
import type { SyncStanding } from '../features/sync/parts.ts'
import { createSync } from '../features/sync/sync.ts'
import type { House } from '../house.ts'
import { newId } from '../kernel/ids.ts'
import { createSealing } from '../kernel/sealing.ts'
import type { Live } from '../live/live.ts'

export interface SyncAreaDeps {
  people: People
  jobs: Jobs
  live: Live
  timezone: () => string
  hubName: () => string
  runJob: SyncPorts['runJob']
  /** Tables of these kinds were changed below the parts that keep a copy. */
  changed: (kinds: ReadonlySet<string>) => void
  fetch?: typeof fetch
}

const ERASE = 'erase-person'
const ROWS_A_BATCH = 1000
const TELL_MS = 500
const HOUR_MS = 3_600_000

export function openSync(
  house: House,
  { people, jobs, live, timezone, hubName, runJob, changed, fetch: ask = fetch }: SyncAreaDeps,
): { feature: Feature; erasure: Erasure } {
  const { store, clock, log: all, secret, version, config } = house
  const log = all.child({ part: 'sync' })
  let isTelling = false
  const told = () => {
    if (isTelling) return
    isTelling = true
    clock.after(TELL_MS, () => {
      isTelling = false
      live.publish('sync', 'sync_update', { state: standing().state }, { personId: null, class: 'any' })
    })
  }
  const sync = createHubSync({
    ...{ store, clock, log, fetch: ask, version, hubName, runJob, changed, told, isZone },
    seals: createSealing(secret, 'homefield sync v1'),
    random: Math.random,
    newId: () => newId(clock.now()),
    failpoints: failpointsFrom(house.failpoint?.at, () => house.failpoint?.end()),
    limits: {
      rows: ROWS_A_BATCH,
      bytesPerDay: config.sync.dailyMegabytes * 1_000_000,
      bulkHours: hoursIn(config.sync.bulkHours),
      waitingBulk: config.sync.waitingChunks,
    },
    metric: metricByKey,
    metricsOf: (dataClass) => METRICS.filter((metric) => metric.class === dataClass).map(({ key }) => key),
    hourOfDay: () => Math.floor(wallClockMs(clock.now(), timezone()) / HOUR_MS) % 24,
    canRepeat: (rrule) => !('wrong' in parseRecurrence(rrule)),
    async erase(personId) {
      await store.write([
        {
          sql: 'INSERT INTO erasures (person_id, at, by) VALUES (:personId, :nowMs, NULL) ON CONFLICT (person_id) DO NOTHING',
          params: { personId, nowMs: clock.now() },
        },
      ])
      await jobs.submit(ERASE, { person_id: personId }, { requestedBy: null, uniqueKey: `erase ${personId}` })
    },
    turn: () => new Promise((resolve) => void setImmediate(resolve)),
  })

  function standing(): SyncStanding {
    const identity = sync.identity()
    const state = identity === null ? 'off' : (identity.stopped ?? (identity.paused ? 'paused' : 'on'))
    return {
      ...{ identity, state },
      lanes: LANES.map((name) => ({
        ...sync.state.lane(name),
        ...sync.lanes.last(name),
        depth: sync.state.depth(name),
      })),
      choices: sync.choices(),
      limits: {
        bytesPerDay: config.sync.dailyMegabytes * 1_000_000,
        bulkHours: config.sync.bulkHours || null,
      },
    }
  }

  return {
    feature: createSync({
      ...{ store, now: clock.now, standing, enrol: sync.enrol, leave: sync.leave, pause: sync.pause },
      choose: (personId, choices) => sync.choose(personId, choices),
      people: () => people.all().map(({ id }) => id),
      start: sync.start,
      stop: sync.stop,
    }),
    erasure: {
      name: 'cloud',
      erase: async (personId) => ({ rows: await sync.erased(personId), files: 0 }),
    },
  }
}

function hoursIn(text: string): readonly [number, number] | null {
  const [from, to] = text.split('-').map(Number)
  return text === '' || from === undefined || to === undefined ? null : [from, to]
}
