/** What the hub answers, as far as the app reads it; names are the API's. */
import type { Level } from '../../domain/observation.ts'
import type { PairingStatus } from '../../domain/pairing.ts'
import type { Tokens } from '../../domain/user.ts'

export type { Device } from '../../domain/device.ts'
export type { PairingRequest } from '../../domain/pairing.ts'
export type { Person, PersonKind } from '../../domain/person.ts'
export type { GrantView as Grant, Tokens, User } from '../../domain/user.ts'

export interface Welcome {
  claimed: boolean
  hub_name: string
  version: string
  ca_sha256: string
  fingerprint_words: string[]
  https_url: string
  ca_url: string
  /** Null when the hub listens for no devices over TLS. */
  mqtts_port: number | null
}

/** What of signing in concerns the app after it has put the tokens away. */
export type SignedInUser = Tokens['user']

export interface Me extends SignedInUser {
  email: string | null
}

export interface Quarantined {
  id: number
  at: string
  topic: string
  code: string
  reason: string
  payload_bytes: number
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

export interface Connecting {
  id: string
  poll_token: string
  words: string[]
  expires_at: string
}

export interface ConnectAnswer {
  id: string
  status: PairingStatus
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
  paired_at: string | null
  last_seen: string | null
}
