import type { Store } from './store.ts'

/** The entry that stands for values which no device measured: typed in, or sent by a program without a device. */
export const MANUAL_DEVICE_ID = 'manual'

/** Who this hub is, made at first start and kept in its database. */
export interface HubRecord {
  hubId: string
  /** The newest instant the store knows, null on a new hub: no true clock stands before it. */
  newestInstantMs: number | null
}

/** A packed day counts from its start: late enough for a clock, and its values need not be read. */
const NEWEST = `
  SELECT max(atMs) AS atMs FROM (
    SELECT max(ts) AS atMs FROM observation UNION ALL SELECT max(day) FROM sealed_day
  )`

/** Reads the hub's id and makes what every hub has; `freshId` is taken on the first start only. */
export async function ensureHub(store: Store, freshId: string, nowMs: number): Promise<HubRecord> {
  await store.write([
    {
      sql: `INSERT INTO meta (name, value) VALUES ('hub_id', :freshId) ON CONFLICT (name) DO NOTHING`,
      params: { freshId },
    },
    {
      sql: `INSERT INTO device (id, name, type, created_at) VALUES (:id, 'Entered by hand', 'hub', :nowMs)
        ON CONFLICT (id) DO NOTHING`,
      params: { id: MANUAL_DEVICE_ID, nowMs },
    },
  ])
  const hub = store.get<{ hubId: string }>(`SELECT value AS hubId FROM meta WHERE name = 'hub_id'`)
  const newest = store.get<{ atMs: number | null }>(NEWEST)
  return { hubId: hub?.hubId ?? freshId, newestInstantMs: newest?.atMs ?? null }
}
