/** What the hub answers about sessions, as far as their screens read it; names are the API's. */
import type { KpiReason, Kpis } from '../../../../domain/kpi.ts'

export type { KpiReason, Kpis } from '../../../../domain/kpi.ts'
export type { SessionTag, TrainingSession } from '../../../../domain/session.ts'

import type { SessionTag } from '../../../../domain/session.ts'

export interface SeenCamera {
  camera_id: string
  status: 'online' | 'offline' | 'gone'
  calibrated: boolean
  moved: boolean
  recording: 'off' | 'recording' | 'waiting' | 'stopped'
  recording_reason: 'camera_away' | 'no_coded_video' | 'no_space' | 'minor_joined' | 'not_written' | null
  /** Pictures that came and could not be kept. */
  recording_lost: number
}

/** Room on the hub's disk for video. */
export interface Room {
  free_bytes: number
  kept_free_bytes: number
  has_room: boolean
}

export interface SeenTrack {
  camera_id: string
  track_id: number
  player_id: string | null
  speed: number | null
  reason: KpiReason | null
  /** Lost players whom it may be, nearest first; one alone where it is clear. */
  maybe: string[]
}

export interface PlayerMetrics {
  player_id: string
  tracks: { camera_id: string; track_id: number }[]
  kpis: Kpis
}

/** A phone that wants to film, or does. */
export interface SeenPhone {
  user_id: string
  name: string
  state: 'waiting' | 'taken' | 'refused'
  camera_id: string | null
}

export interface LiveMetrics {
  session_id: string
  at: string
  elapsed_s: number
  cameras: SeenCamera[]
  players: PlayerMetrics[]
  tracks: SeenTrack[]
  phones: SeenPhone[]
  recording: boolean
  pictures: number
  /** Steps of 100 ms that the disk did not take. */
  lost: number
}

export interface LiveStatus {
  state: 'running' | 'stopped'
  metrics: LiveMetrics | null
}

export interface Timeline {
  started_at: string
  ended_at: string | null
  tags: SessionTag[]
  tracks: { camera_id: string; track_id: number; player_id: string | null }[]
  gaps: { from: string; to: string | null; reason: string; camera_id: string | null }[]
}

export interface Paths {
  tracks: {
    camera_id: string
    track_id: number
    player_id: string | null
    from: string
    t_ms: number[]
    x: number[]
    y: number[]
  }[]
}

export interface Heat {
  cell_m: number
  x0: number
  y0: number
  columns: number
  rows: number
  seconds: number[]
}

export interface Speed {
  from: string | null
  t_ms: number[]
  /** m/s. */
  max: (number | null)[]
}

/** A file of a session. */
export interface Attached {
  id: string
  name: string
  media_type: string
  bytes: number
  /** The camera that it was recorded from, and what time it shows. */
  camera_id: string | null
  from: string | null
  to: string | null
}

export interface Compared {
  players: { player_id: string; rpe: number | null; duration_minutes: number | null; kpis: Kpis | null }[]
}
