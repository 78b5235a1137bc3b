/** What the hub answers about the cloud. */
export const CLASSES = ['wellness', 'glucose', 'training', 'media'] as const
export type Class = (typeof CLASSES)[number]

export interface Leaves {
  class: Class
  raw: boolean
}

export interface LaneStanding {
  lane: 'now' | 'state' | 'bulk'
  waiting: number
  pushed_at: string | null
  /** Since the hub joined. */
  rows: number
  bytes: number
  bytes_today: number
  problem: string | null
  next_try_in_seconds: number | null
}

export interface CloudStanding {
  state: 'off' | 'on' | 'paused' | 'revoked' | 'forked'
  household: string | null
  address: string | null
  enrolled_at: string | null
  pulled_at: string | null
  conflicts: number
  lanes: LaneStanding[]
  bytes_today: number
  bytes_a_day_limit: number | null
  bulk_hours: string | null
  people: { person_id: string; leaves: Leaves[] }[]
  gaps: { series: string; from: string; to: string; why: string; rows: number }[]
  set_aside: { kind: string; reason: string; at: string }[]
  erasures: {
    person_id: string
    requested_at: string
    requested_by: 'hub' | 'cloud'
    hub_purged_at: string | null
    cloud_purged_at: string | null
  }[]
  jobs: {
    kind: string
    person_id: string | null
    state: 'running' | 'done' | 'failed'
    taken_at: string
    ended_at: string | null
  }[]
}
