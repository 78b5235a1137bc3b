/** A hub's way to the cloud in the bench's own process: a real database in a folder of its own, and the part that sends. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { METRICS, metricByKey } from '../../daemon/domain/metric.ts'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { newId } from '../../daemon/kernel/ids.ts'
import { createSealing } from '../../daemon/kernel/sealing.ts'
import { createStore } from '../../daemon/store/open.ts'
import type { Store } from '../../daemon/store/store.ts'
import { NO_FAILPOINTS } from '../../sync/failpoint.ts'
import { createHubSync, type HubSync } from '../../sync/hub.ts'
import { temporaryData } from './hub-process.ts'

export interface BenchHub {
  store: Store
  sync: HubSync
  path: string
  /** Resolves when the cloud has acknowledged everything. */
  drained(): Promise<void>
  close(): Promise<void>
}

const LOOK_MS = 10

export async function benchHub(address: string, code: string): Promise<BenchHub> {
  const path = join(temporaryData(), 'homefield.db')
  const clock = systemClock()
  const store = await createStore({ path, now: clock.now, onFailure: () => {} })
  const sync = createHubSync({
    ...{ store, clock, log: { info() {}, warn() {}, error() {} }, fetch, random: Math.random, version: '1' },
    ...{ failpoints: NO_FAILPOINTS, newId: () => newId(clock.now()), hubName: () => 'Bench' },
    seals: createSealing(randomBytes(32), 'homefield sync v1'),
    limits: { rows: 1000, bytesPerDay: 0, bulkHours: null, waitingBulk: 1_000_000 },
    metric: metricByKey,
    metricsOf: (dataClass) => METRICS.filter((metric) => metric.class === dataClass).map(({ key }) => key),
    ...{ hourOfDay: () => 12, canRepeat: () => true, isZone: () => true },
    ...{ erase: async () => {}, changed: () => {}, told: () => {}, runJob: async () => ({}) },
    turn: () => new Promise((resolve) => void setImmediate(resolve)),
  })
  const joined = await sync.enrol(address, code)
  if (!('household' in joined)) throw new Error(joined.told)
  let isClosed = false
  return {
    ...{ store, sync, path },
    async drained() {
      const waits = () =>
        (['now', 'state', 'bulk'] as const).some((lane) => sync.state.waiting(lane, 1).length > 0)
      while (waits()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    },
    async close() {
      if (isClosed) return
      isClosed = true
      await sync.stop()
      await store.close()
    },
  }
}
