/** What the hub answers, as far as the app reads it; names are the API's. */
import type { DataClass, UserRole } from '../../domain/access.ts'
import type { Level } from '../../domain/observation.ts'

export interface Welcome {
  claimed: boolean
  hub_name: string
  version: string
  ca_sha256: string
  fingerprint_words: string[]
  https_url: string
  ca_url: string
}

export interface SignedInUser {
  id: string
  name: string
  role: UserRole
  person_id: string | null
}

export interface Tokens {
  access_token: string
  /** Absent when the hub put it into the cookie. */
  refresh_token?: string
  expires_in: number
  user: SignedInUser
}

export interface Grant {
  id: string
  user_id: string
  person_id: string
  class: DataClass
  action: 'read' | 'write'
  expires_at: string | null
  created_at: string
}

export interface Me extends SignedInUser {
  email: string | null
  preferences: Record<string, unknown>
  grants: Omit<Grant, 'id' | 'user_id' | 'created_at'>[]
}

export type PersonKind = 'child' | 'teen' | 'adult'

export interface Person {
  id: string
  name: string
  kind: PersonKind
  birth_date: string | null
  age: number | null
  timezone: string
}

export interface Device {
  id: string
  name: string
  type: string
  person_id: string | null
  online: boolean
  battery: number | null
  last_seen: string | null
  paired_at: string | null
  revoked: boolean
  quarantined: number
}

export interface Quarantined {
  id: string
  at: string
  topic: string
  code: string
  reason: string
  payload_bytes: number
  payload_base64: string | null
}

export interface Reading {
  value: number | string
  unit: string
  ts: string
  source: string
  device: string
}

export type Latest = Record<string, Reading>

export interface RawPoint {
  ts: string
  value: number | string
  source: string
  device: string
  quality: number | null
  revision: number
}

export interface LevelPoint {
  ts: string
  count: number
  min: number
  max: number
  mean: number
  p50: number
}

export interface Observations<Point> {
  metric: string
  unit: string
  level: 'raw' | Level
  points: Point[]
  next_from: string | null
}

export interface PairingOffer {
  id: string
  code: string
  token: string
  url: string
  expires_at: string
  qr_svg: string
}

export interface PairingRequest {
  id: string
  device_name: string
  device_type: string
  role: string
  person_id: string | null
  words: string[]
  status: string
  created_at: string
  expires_at: string
}

export interface Connecting {
  id: string
  poll_token: string
  words: string[]
  expires_at: string
}

export interface ConnectAnswer {
  id: string
  status: 'waiting' | 'approved' | 'denied' | 'expired'
  words: string[]
  tokens?: Tokens
  device?: { id: string; api_key: string }
}

export interface PairedDevice {
  id: string
  name: string
  type: string
  role: string
  user_id: string | null
  person_id: string | null
  paired_at: string
  last_seen: string | null
}

export interface User {
  id: string
  name: string
  email: string | null
  role: UserRole
  person_id: string | null
  disabled: boolean
  created_at: string
}
