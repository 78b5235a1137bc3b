/** What the hub answers about plans, as far as these pages read it. */
import type { Static } from 'typebox'
import type { ShownEvent, Verdict } from '../../../../domain/calendar.ts'

export type Entry = Static<typeof ShownEvent>
export type Guideline = Static<typeof Verdict>
export type Kind = Entry['event_type']
export const KINDS: readonly Kind[] = ['training', 'match', 'recovery', 'school']

export interface Team {
  id: string
  name: string
}

export interface Feed {
  id: string
  player_id: string | null
  created_at: string
}

export interface Reason {
  code:
    | 'free'
    | 'rest_to_nearest'
    | 'only_sport_that_day'
    | 'school_event_that_day'
    | 'after_school_assumed'
    | 'load_rising'
  figure: number | null
  from: { kind: 'event' | 'session'; id: string; title: string | null; at: string | null }[]
}

export interface Suggestion {
  start_time: string
  end_time: string
  reasons: Reason[]
}

export interface Recommendation {
  suggestions: Suggestion[]
  left_out: { reason: string; times: number }[]
}
