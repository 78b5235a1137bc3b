/** What the hub answers about privacy and backups. */
export interface AuditEntry {
  seq: number
  at: string
  act: string
  who: { kind: 'user' | 'device' | 'local' | 'hub' | 'anonymous'; id: string | null; name: string | null }
  person_id: string | null
  class: string | null
}

export interface Verified {
  whole: boolean
  entries: number
  problem: string | null
}

export interface PersonalExport {
  id: string
  person_id: string
  asked_at: string
  ready: boolean
  bytes: number | null
  fetched: boolean
}

export interface Question {
  token: string
  holds: { values: number; records: number; sessions: number }
}

export interface Retention {
  raw_days: { wellness: number; glucose: number; training: number }
  minute_row_days: number
  minute_days: number
  movement_days: number
  minors_video_days: number
  quarantine_days: number
  audit_days: number
}

export interface Backup {
  id: string
  at: string
  bytes: number
  sealed_for: 'key' | 'passphrase'
  on_this_box: boolean
  erased_since: number
}

export interface Backups {
  key: { words: string[]; made_at: string } | null
  backups: Backup[]
}

export interface Job {
  status: 'queued' | 'started' | 'finished' | 'failed' | 'cancelled'
  progress: number
  result: unknown
  error: string | null
}
