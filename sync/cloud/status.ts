/** What the cloud knows of a hub's lanes and of the household's erasures. */
import type { StatusAnswer } from '../wire.ts'
import type { Cloudbase, Queries } from './database.ts'
import type { KnownHub } from './identity.ts'

interface LaneRow {
  lane: string
  epoch: number
  watermark: number
  applied_at: number | null
  rows: number
  bytes: number
  quarantined: number
  last_error: string | null
}

export async function statusOf(
  base: Cloudbase,
  hub: KnownHub,
): Promise<Omit<StatusAnswer, 'server_time' | 'schema'>> {
  return base.household(hub.household, async (queries) => {
    const { rows } = await queries.query<LaneRow>(
      `SELECT lane, epoch, watermark, applied_at, rows, bytes, quarantined, last_error FROM hub_lane
       WHERE hub_id = $1 ORDER BY lane`,
      [hub.id],
    )
    return {
      hub_id: hub.id,
      household_id: hub.household,
      epoch: hub.epoch,
      lanes: rows,
      erasures: await erasuresOf(queries, hub.household),
    }
  })
}

/** Every erasure, when the cloud had purged the person and which hubs have not said yet that they have. */
export async function erasuresOf(queries: Queries, household: string): Promise<StatusAnswer['erasures']> {
  const { rows } = await queries.query<{
    subject: string
    requested_at: number
    purged_at: number
    waiting: string[]
  }>(
    `SELECT e.subject, e.requested_at, e.purged_at,
       array(SELECT h.id FROM hub h WHERE h.household_id = e.household_id AND h.revoked_at IS NULL
         AND NOT EXISTS (SELECT FROM erasure_done d WHERE d.household_id = h.household_id AND d.hub_id = h.id AND d.key = e.subject)
         ORDER BY h.id) AS waiting
     FROM erasure e WHERE e.household_id = $1 ORDER BY e.requested_at, e.subject`,
    [household],
  )
  return rows.map(({ subject, requested_at, purged_at, waiting }) => ({
    subject,
    requested_at,
    cloud_purged_at: purged_at,
    hubs_waiting: waiting,
  }))
}
