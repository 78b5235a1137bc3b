/** What the hub answers about days, nights and glucose, as far as these screens read it; names are the API's. */
import type { LevelPoint, RawPoint } from '../../net/answers.ts'

export interface Lane {
  metric: string
  unit: string
  level: 'raw' | '1m' | '15m' | '1h' | '1d'
  points: (LevelPoint | RawPoint)[]
}

export interface Timeline {
  date: string
  timezone: string
  from: string
  to: string
  lanes: Lane[]
  notes: {
    ts: string
    context: Record<string, unknown> | null
    interaction: Record<string, unknown> | null
  }[]
}

export interface GlucoseReading {
  timestamp: string
  /** mg/dL */
  value: number
  source: string
  censored?: 'low' | 'high'
}

export interface Night {
  id: string
  sleep_start: string
  sleep_end: string
  wake_date: string
  duration_minutes: number
  deep_sleep_minutes: number | null
  rem_sleep_minutes: number | null
  light_sleep_minutes: number | null
  awake_minutes: number | null
  quality_score: number | null
  /** The hypnogram, where the record brings it. */
  stages?: { stage: string; start: string; end: string }[]
  source: string
}

export interface Meal {
  id: string
  timestamp: string
  meal_type: 'breakfast' | 'lunch' | 'dinner' | 'snack' | null
  carbs_grams: number | null
  calories: number | null
  description: string | null
  source: string
  /** Absent in what was kept by an older version. */
  has_photo?: boolean
}

export interface Activity {
  id: string
  timestamp: string
  activity_type: string
  duration_minutes: number | null
  intensity: 'light' | 'moderate' | 'vigorous' | null
}

/** A training or match that took place. */
export interface Session {
  id: string
  session_type: 'training' | 'match' | 'analysis' | 'scan' | 'live'
  title: string | null
  started_at: string
  ended_at: string | null
  duration_minutes: number | null
  participants: { player_id: string; rpe: number | null }[]
}

/** Something that somebody was told of. */
export interface Episode {
  id: string
  title: string
  severity: 'tip' | 'warning' | 'urgent'
  started_at: string
  last_evidence_at: string
  resolved_at: string | null
}

export interface Mood {
  id: string
  timestamp: string
  rating: number
  notes: string | null
  context: Record<string, unknown> | null
}

export interface Journal {
  date: string
  energy: number | null
  soreness: number | null
  sleep_feeling?: number | null
  source: string
}

export interface DailyRow {
  date: string
  total_sleep_minutes: number | null
}

export interface ProfileBin {
  minute_of_day: number
  readings: number
  days: number
  p5: number | null
  p25: number | null
  p50: number | null
  p75: number | null
  p95: number | null
}

type Shortage = 'no_readings' | 'one_reading' | 'under_14_days' | 'under_70_percent_wear'

export interface GlucoseSummary {
  date: string
  days: number
  from: string
  to: string
  readings: number
  avg_glucose: number | null
  std_glucose: number | null
  cv: number | null
  gmi: number | null
  wear_percent: number | null
  very_low_percent: number | null
  low_percent: number | null
  time_in_range_percent: number | null
  high_percent: number | null
  very_high_percent: number | null
  tight_range_percent: number | null
  /** Of the range that the person aims at. */
  time_in_target_percent?: number | null
  sufficient: boolean
  shortages: Shortage[]
  profile?: ProfileBin[]
}

export interface Overload {
  status: 'ok' | 'insufficient_data' | 'needs_opt_in'
  score: number | null
  baseline: number
  as_of: string | null
  factors: { factor: string; label: string; weight: number; z: number; contribution: number }[]
  missing: { factor: string; reason: string; message: string }[]
  trend: 'rising' | 'falling' | 'steady' | null
  persistently_high: boolean
  history: { date: string; score: number | null }[]
  recommendations: { factor: string | null; text: string }[]
  note: string
  method: string
}

export interface Import {
  id: string
  job_id: string
  person_id: string
  kind: string
  file_name: string | null
  bytes: number
  status: string | null
  progress: number | null
  error: string | null
  accepted: number
  duplicates: number
  revised: number
  skipped: number
  created_at: string
}

export interface Skipped {
  where: string
  reason: string
  count: number
}

export interface JobEvent {
  id: string
  kind: string
  status: string
  progress: number
  stage: string | null
  error: string | null
}

/** Whether uploaders may come in without TLS. */
export interface PlainUploads {
  open: boolean
  urls: string[]
  expires_at: string | null
}

export interface WhoopStatus {
  configured: boolean
  state: 'not_configured' | 'not_connected' | 'connected' | 'connect_again'
  connected_at: string | null
  last_sync_at: string | null
  last_error: string | null
}
