/** What the hub answers about itself, as far as this area reads it. */
export interface Snapshot {
  newest_at: string | null
  bytes: number
  problem: string | null
}

export interface Part {
  name: string
  state: 'up' | 'starting' | 'degraded' | 'down'
  detail: string | null
}

export interface Storage {
  database_bytes: number
  disk_encrypted: boolean | null
  free_bytes: number
  total_bytes: number
  days_left: number | null
  written_a_day_bytes: number | null
  written_days: { day: string; bytes: number; counted_share: number }[]
  card_years: number | null
  card_used_share: number | null
  room: { state: 'roomy' | 'low' | 'full' | 'stuck'; reserve_bytes: number; refused_rows: number }
  snapshots: Snapshot
  restore_drill: Drilled | null
}

/** What the last trial of the copies found. */
export interface Drilled {
  at: string
  persons: number | null
  values: number | null
  problem: string | null
}

export interface Recovered {
  at: string
  snapshot_at: string
  values_read_from_it: number | null
  hours_lost: number | null
}

export interface HubState {
  version: string
  node: string
  started_at: string
  memory_bytes: number
  parts: Part[]
  storage: Storage
  clock: {
    state: 'unset' | 'guessed' | 'set'
    jumps: { at: string; by_ms: number }[]
    moved_values: number
  }
  recovered: Recovered | null
  plain_uploads: { port: number; expires_at: string } | null
}
