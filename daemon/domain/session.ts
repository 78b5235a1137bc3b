/** A training, a match or anything else that players did together, as the API shows it. */
import { type Static, Type } from 'typebox'
import { Timestamp } from '../kernel/envelope.ts'
import { type Actor, can } from './access.ts'
import { Id } from './id.ts'
import { OpenObject } from './person.ts'

export const SESSION_TYPES = ['training', 'match', 'analysis', 'scan', 'live'] as const
export type SessionType = (typeof SESSION_TYPES)[number]

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])

/** Foster's scale: 0 is rest, 10 the hardest ever. */
export const Rpe = Type.Number({ minimum: 0, maximum: 10 })
export const Minutes = Type.Number({ minimum: 0, maximum: 1440 })

export const Participant = Type.Object(
  {
    player_id: Id,
    /** Of the session, unless the player was there for less. */
    duration_minutes: orNull(Minutes),
    rpe: orNull(Rpe),
    /** RPE × minutes; null while either is unknown. */
    load: orNull(Type.Number()),
    kpis: orNull(OpenObject),
    /** Whether the reader may say how hard it was for them. */
    may_rate: Type.Boolean(),
  },
  { additionalProperties: false },
)
export type Participant = Static<typeof Participant>

export const TrainingSession = Type.Object(
  {
    id: Id,
    session_type: Type.Enum([...SESSION_TYPES]),
    title: orNull(Type.String()),
    group_id: orNull(Id),
    /** The only player, when there is one. */
    player_id: orNull(Id),
    /** Players whose training the reader may see. */
    participants: Type.Array(Participant),
    started_at: Timestamp,
    ended_at: orNull(Timestamp),
    duration_minutes: orNull(Minutes),
    /** Whether pictures are analysed for it now. */
    live: Type.Boolean(),
    /** Whether the reader may ask to film it with their own phone. */
    may_film: Type.Boolean(),
    metadata: OpenObject,
    /** Of the only player, when there is one; each player's stand with the participants. */
    kpis: orNull(OpenObject),
    created_by: orNull(Id),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { additionalProperties: false },
)
export type TrainingSession = Static<typeof TrainingSession>

/** Something that happened at a moment of a session, in a coach's words. */
export const SessionTag = Type.Object(
  { id: Id, label: Type.String(), ts: Timestamp, player_id: orNull(Id) },
  { additionalProperties: false },
)
export type SessionTag = Static<typeof SessionTag>

/** Beyond it, nobody could read the line of marks any more. */
export const MOST_TAGS = 1000

/** What decides who may see a session. */
export interface SessionAccess {
  createdBy: string | null
  playerIds: readonly string[]
}

/** Whether all of it is open: the owner, whoever may see the training of every player, and who made it while it has none. */
export function seesWholeSession(
  actor: Actor,
  { createdBy, playerIds }: SessionAccess,
  nowMs: number,
): boolean {
  if (actor.kind === 'local' || (actor.kind === 'user' && actor.role === 'owner')) return true
  if (actor.kind !== 'user') return false
  if (playerIds.length === 0) return actor.userId === createdBy
  return playerIds.every((personId) => can(actor, 'read', personId, 'training', nowMs))
}

/** Whether it was this actor who began it. */
export function beganSession(actor: Actor, { createdBy }: SessionAccess): boolean {
  return actor.kind === 'user' && actor.userId === createdBy
}

/**
 * Whether its existence is: also to one of its players, who is then told of themselves only, and to who runs it, whoever joined
 * since it began.
 */
export function maySeeSession(
  actor: Actor,
  access: SessionAccess & { live: boolean },
  nowMs: number,
): boolean {
  if (seesWholeSession(actor, access, nowMs) || (access.live && beganSession(actor, access))) return true
  if (actor.kind !== 'user') return false
  return access.playerIds.some((personId) => can(actor, 'read', personId, 'training', nowMs))
}

/** The owner, and whoever made it for as long as they may see all of it. */
export function mayChangeSession(actor: Actor, access: SessionAccess, nowMs: number): boolean {
  if (actor.kind === 'local' || (actor.kind === 'user' && actor.role === 'owner')) return true
  return actor.kind === 'user' && actor.userId === access.createdBy && seesWholeSession(actor, access, nowMs)
}
