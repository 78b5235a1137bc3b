/** A session as its reader may see it: players whose training is closed to them are left out. */
import { sessionLoad } from '../../../models/series/load.ts'
import { type Actor, can } from '../../domain/access.ts'
import { mayChangeSession, type Participant, type TrainingSession } from '../../domain/session.ts'
import { iso } from '../../kernel/envelope.ts'
import type { StoredParticipant, StoredSession } from './register.ts'

export function sessionView(session: StoredSession, actor: Actor, nowMs: number): TrainingSession {
  const participants = session.participants
    .filter(({ personId }) => can(actor, 'read', personId, 'training', nowMs))
    .map((participant) => participantView(participant, session, { actor, nowMs }))
  const [only] = session.participants.length === 1 ? participants : []
  return {
    id: session.id,
    session_type: session.sessionType,
    title: session.title,
    group_id: session.groupId,
    player_id: only?.player_id ?? null,
    participants,
    started_at: iso(session.startedAtMs),
    ended_at: session.endedAtMs === null ? null : iso(session.endedAtMs),
    duration_minutes: session.durationMinutes,
    live: session.live,
    may_film:
      session.live && session.playerIds.some((personId) => can(actor, 'write', personId, 'training', nowMs)),
    metadata: session.metadata,
    // What a client sent about a session of several is about all of them.
    kpis: only?.kpis ?? (participants.length === session.participants.length ? session.kpis : null),
    created_by: session.createdBy,
    created_at: iso(session.createdAtMs),
    updated_at: iso(session.updatedAtMs),
  }
}

function participantView(
  { personId, durationMinutes, rpe, kpis }: StoredParticipant,
  session: StoredSession,
  { actor, nowMs }: { actor: Actor; nowMs: number },
): Participant {
  const minutes = durationMinutes ?? session.durationMinutes
  return {
    player_id: personId,
    duration_minutes: minutes,
    rpe,
    load: rpe === null || minutes === null ? null : sessionLoad(rpe, minutes),
    kpis,
    may_rate: can(actor, 'write', personId, 'training', nowMs) || mayChangeSession(actor, session, nowMs),
  }
}
