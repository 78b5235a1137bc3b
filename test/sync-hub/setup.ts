/** A hub with a real database and the real way to the cloud, for the tests of the hub's side. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { METRICS, metricByKey, metricNamed } from '../../daemon/domain/metric.ts'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { newId } from '../../daemon/kernel/ids.ts'
import { createSealing } from '../../daemon/kernel/sealing.ts'
import { createStore } from '../../daemon/store/open.ts'
import type { Store } from '../../daemon/store/store.ts'
import { NO_FAILPOINTS } from '../../sync/failpoint.ts'
import { createHubSync, type HubSync } from '../../sync/hub.ts'
import type { SyncPorts } from '../../sync/ports.ts'

export const HOUR_MS = 3_600_000

export const SILENT = { info() {}, warn() {}, error() {} }

export interface SyncedHub {
  store: Store
  sync: HubSync
  erasing: string[]
  changed: Set<string>
  addPerson(id: string, name: string): Promise<void>
  addEvent(id: string, personId: string, title: string): Promise<void>
  /** A closed hour of the person's pulse, as the writer stores it. */
  addHour(personId: string, startMs: number, n?: number): Promise<void>
  /** Ends the program without a word and starts it again on the same database. */
  restart(more?: Partial<SyncPorts>): Promise<SyncedHub>
  stop(): Promise<void>
}

const PULSE = metricNamed('heart_rate')?.key ?? 1

export async function syncedHub(
  more: Partial<SyncPorts> = {},
  folder = mkdtempSync(join(tmpdir(), 'homefield-sync-')),
  secret = randomBytes(32),
): Promise<SyncedHub> {
  const clock = { ...systemClock(), ...more.clock }
  const store = await createStore({ path: join(folder, 'homefield.db'), now: clock.now, onFailure: () => {} })
  const erasing: string[] = []
  const changed = new Set<string>()
  const sync = createHubSync({
    ...{ store, clock, log: SILENT, fetch, random: Math.random, version: '1.0.0', failpoints: NO_FAILPOINTS },
    seals: createSealing(secret, 'homefield sync v1'),
    newId: () => newId(clock.now()),
    limits: { rows: 500, bytesPerDay: 0, bulkHours: null, waitingBulk: 10_000 },
    hubName: () => 'Clubhouse',
    metric: metricByKey,
    metricsOf: (dataClass) => METRICS.filter((metric) => metric.class === dataClass).map(({ key }) => key),
    hourOfDay: () => 12,
    canRepeat: () => true,
    isZone: () => true,
    erase: async (personId) => void erasing.push(personId),
    runJob: async () => ({}),
    changed: (kinds) => {
      for (const kind of kinds) changed.add(kind)
    },
    told: () => {},
    turn: () => new Promise((resolve) => void setImmediate(resolve)),
    ...more,
  })
  sync.start()
  let isStopped = false
  const device = 'watch-1'
  await store.write([
    {
      sql: `INSERT INTO device (id, name, type, created_at) VALUES (:device, 'Watch', 'watch', 0) ON CONFLICT (id) DO NOTHING`,
      params: { device },
    },
  ])
  return {
    store,
    sync,
    erasing,
    changed,
    async addPerson(id, name) {
      await store.write([
        {
          sql: `INSERT INTO person (id, name, timezone, created_at, updated_at) VALUES (:id, :name, 'Europe/Berlin', :nowMs, :nowMs)`,
          params: { id, name, nowMs: clock.now() },
        },
      ])
    },
    async addEvent(id, personId, title) {
      await store.write([
        {
          sql: `INSERT INTO calendar_event (id, person_key, title, event_type, start_at, end_at, timezone, created_at, updated_at)
            SELECT :id, key, :title, 'training', :nowMs, :nowMs + 3600000, 'Europe/Berlin', :nowMs, :nowMs FROM person WHERE id = :personId`,
          params: { id, personId, title, nowMs: clock.now() },
          expect: 1,
        },
      ])
    },
    async addHour(personId, startMs, n = 3600) {
      await store.write([
        {
          sql: `INSERT INTO rollup (level, person, metric, start, device, n, sum, sum_sq, min, min_at, max, max_at, first, first_at,
              last, last_at, covered_ms, sum_v_dt, n_diff, sum_sq_diff, bins, rev)
            SELECT 60, p.key, :metric, :startMs, d.key, :n, 280000, 22000000, 55, :startMs, 121, :startMs, 70, :startMs, 75,
              :startMs, 3600000, NULL, 3599, 1200, x'010203', 1 FROM person p, device d WHERE p.id = :personId AND d.id = :device
            ON CONFLICT (level, person, metric, start, device) DO UPDATE SET n = excluded.n, rev = rollup.rev + 1`,
          params: { metric: PULSE, startMs, n, personId, device },
          expect: 1,
        },
      ])
    },
    async restart(again = {}) {
      isStopped = true
      await sync.stop()
      await store.close()
      return syncedHub({ ...more, ...again }, folder, secret)
    },
    async stop() {
      if (isStopped) return
      isStopped = true
      await sync.stop()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Waits until something is so; the test's own time limit ends what never is. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50))
}
