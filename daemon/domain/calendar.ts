/** What is planned: trainings, matches, recovery and school, of a player or of a group. */
import { Type } from 'typebox'
import { Timestamp } from '../kernel/envelope.ts'
import { type Action, type Actor, can } from './access.ts'
import { Id } from './id.ts'

export const EVENT_TYPES = ['training', 'match', 'recovery', 'school'] as const
export type EventType = (typeof EVENT_TYPES)[number]

export interface CalendarEvent {
  id: string
  /** One of the two is null. */
  personId: string | null
  groupId: string | null
  title: string
  eventType: EventType
  startMs: number
  endMs: number
  timezone: string
  rrule: string | null
  drills: readonly unknown[]
  aiGenerated: boolean
  createdBy: string | null
  createdAtMs: number
  updatedAtMs: number
}

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])

/** An event as the API shows it; in a list, one of its occurrences. */
export const ShownEvent = Type.Object(
  {
    id: Type.String(),
    player_id: orNull(Id),
    group_id: orNull(Id),
    title: Type.String(),
    event_type: Type.Enum([...EVENT_TYPES]),
    start_time: Timestamp,
    end_time: Timestamp,
    /** Start of the first of a repeated event. */
    series_start_time: Timestamp,
    timezone: Type.String(),
    rrule: orNull(Type.String()),
    drills: Type.Array(Type.Unknown()),
    ai_generated: Type.Boolean(),
    /** Kept with the person (`school_events`) and changed there. */
    read_only: Type.Boolean(),
    created_at: orNull(Timestamp),
    updated_at: orNull(Timestamp),
  },
  { additionalProperties: false },
)

/** A guideline that a plan lies outside of. */
export const Verdict = Type.Object(
  {
    rule: Type.Enum(['validate_training_load', 'check_recovery_time']),
    check: Type.String(),
    player_id: Id,
    /** Monday of the week, where a week is judged; else the day. */
    date: Type.String(),
    figure: Type.Number(),
    limit: Type.Number(),
    unit: Type.String(),
    source: Type.String(),
    message: Type.String(),
  },
  { additionalProperties: false },
)

/** Whom a plan is for: how access to it is decided. */
export interface PlannedFor {
  personId: string | null
  groupId: string | null
}

export interface GroupSight {
  /** Whether that user coaches the group; false for one that is not there. */
  coaches(actor: Actor, groupId: string): boolean
  playersOf(groupId: string): readonly string[]
}

/**
 * A player's plan is open to whom their training is open to. A group's is read by everybody who may read the training of one of its
 * players, and changed by its coach and the owner.
 */
export function mayPlan(
  actor: Actor,
  action: Action,
  { personId, groupId }: PlannedFor,
  { coaches, playersOf }: GroupSight,
  nowMs: number,
): boolean {
  if (personId !== null) return can(actor, action, personId, 'training', nowMs)
  if (groupId === null) return false
  if (actor.kind === 'local' || (actor.kind === 'user' && actor.role === 'owner')) return true
  if (coaches(actor, groupId)) return true
  return action === 'read' && playersOf(groupId).some((one) => can(actor, 'read', one, 'training', nowMs))
}
