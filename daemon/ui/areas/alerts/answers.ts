/** What the hub answers about alerts, as far as these screens read it. */
import type { Alert, Delivery } from '../../../domain/alert.ts'
import type { Episode, TimelineRow } from '../../../domain/episode.ts'
import type { RuleDraft } from '../../../domain/rule.ts'

export type { Alert, Delivery } from '../../../domain/alert.ts'
export type { Group, GroupMember, Shift } from '../../../domain/group.ts'

export interface AlertDetail extends Alert {
  deliveries: Delivery[]
}

/** A live event on the topic `alerts`: the alert, and the users whose app rings for it now. */
export interface AlertEvent extends Alert {
  ring: string[]
}

export interface Reach {
  person_id: string
  name: string | null
  heard: boolean
  message: string | null
  recipients: {
    user_id: string | null
    person_id: string | null
    name: string | null
    step: number
    would_hear: boolean
    channels: {
      channel: Delivery['channel']
      device_id: string | null
      would_hear: boolean
      last_proof: string | null
    }[]
  }[]
}

/** How I want to be told. */
export interface HowToTell {
  /** Wall-clock times; an end at or before the start is in the morning after. */
  quiet: { from: string; to: string } | null
}

/** Web Push: the household's switch, and my browsers. */
export interface PushState {
  enabled: boolean
  has_words: boolean
  public_key: string | null
  subscriptions: {
    id: string
    name: string
    endpoint_sha256: string
    accepted_at: string | null
    failure: string | null
  }[]
}

export interface Zone {
  id: string
  name: string
  /** Corners of the polygon or of each cell; empty where people belong by hand only. */
  outlines: [lat: number, lon: number][][]
  polygon?: [lat: number, lon: number][]
  /** Cells of the H3 grid. */
  cells?: string[]
  /** Who belongs by hand; null for those who are no owners. */
  members: string[] | null
}

export interface ZoneStatus {
  status: 'hidden' | 'calm' | 'distress'
  people: string | null
  since: string | null
}

export interface EpisodeDetail extends Episode {
  timeline: TimelineRow[]
}

/** Why an episode is there, in words. */
export interface Analysis {
  text: string
  recommendation: string
  note: string
}

export interface Rule extends RuleDraft {
  id: string
  person_id: string
  revision: number
}

export interface Presets {
  presets: { id: string; title: string; description: string; rule: RuleDraft }[]
  not_enough_data: string[]
}

export interface Tried {
  values: number
  total: number
  firings: { fired_at: string; ended_at: string | null; value: number }[]
}
