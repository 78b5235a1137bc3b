/** HTTP of moments that somebody marks, or takes away, while looking back at a session. */
import { type Static, Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import type { Http } from '../../domain/route.ts'
import { MOST_TAGS, mayChangeSession, SessionTag, seesWholeSession } from '../../domain/session.ts'
import { iso, Ok, ok } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { instantOf, type SessionParts, seenBy, TAGS, USERS } from './parts.ts'
import { noSuchSession, type StoredSession } from './register.ts'
import { SessionParams } from './routes.ts'

const closed = { additionalProperties: false }
const TagParams = Type.Object({ sessionId: Id, tagId: Id }, closed)
const NewTag = Type.Object(
  {
    label: Type.String({ minLength: 1, maxLength: 200 }),
    ts: Type.Union([Type.String({ maxLength: 64 }), Type.Number()]),
    player_id: Type.Optional(Id),
  },
  closed,
)
const Nothing = Type.Object({}, closed)
const INSERT = `INSERT INTO session_tag (id, session_key, at, label, person_key, created_by)
  VALUES (:id, :key, :atMs, :label, (SELECT key FROM person WHERE id = :personId), :createdBy)`
const COUNT = 'SELECT count(*) AS count FROM session_tag WHERE session_key = :key'
const MADE_BY = 'SELECT created_by AS createdBy FROM session_tag WHERE session_key = :key AND id = :tagId'
const REMOVE = 'DELETE FROM session_tag WHERE session_key = :key AND id = :tagId'

export function tagRoutes(http: Http, parts: SessionParts): void {
  addRoute(http, parts)
  removeRoute(http, parts)
}

function addRoute(http: Http, parts: SessionParts): void {
  const { store, now, newId } = parts
  http.post(
    '/sessions/:sessionId/tags',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Mark a moment of a session that is over',
        params: SessionParams,
        body: NewTag,
        response: { 201: Ok(SessionTag) },
      },
    },
    async ({ actor, params, body }, reply) => {
      const session = whole(parts, actor, params.sessionId)
      const personId = body.player_id ?? null
      if (personId !== null && !session.playerIds.includes(personId))
        throw new HubError('NOT_FOUND', 'This person took no part in the session.')
      const atMs = momentOf(body, session, now())
      const { key } = session
      if ((store.get<{ count: number }>(COUNT, { key })?.count ?? 0) >= MOST_TAGS)
        throw new HubError('CONFLICT', `A session has at most ${MOST_TAGS} marks. Take some away first.`)
      const tag = { id: newId(), label: body.label, personId, atMs }
      const createdBy = actor.kind === 'user' ? actor.userId : null
      await store.write([{ sql: INSERT, params: { ...tag, key, createdBy }, expect: 1 }])
      return reply
        .code(201)
        .send(ok(now(), { id: tag.id, label: tag.label, ts: iso(atMs), player_id: personId }))
    },
  )
}

function removeRoute(http: Http, parts: SessionParts): void {
  const { store, now } = parts
  http.delete(
    '/sessions/:sessionId/tags/:tagId',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Take a mark away',
        params: TagParams,
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ actor, params: { sessionId, tagId } }) => {
      const session = whole(parts, actor, sessionId)
      const { key } = session
      const known = store.get<{ createdBy: string | null }>(MADE_BY, { key, tagId })
      if (!known) throw new HubError('NOT_FOUND', 'The session has no such mark.')
      const isOwn = actor.kind === 'user' && actor.userId === known.createdBy
      if (!isOwn && !mayChangeSession(actor, session, now()))
        throw new HubError('FORBIDDEN', 'Only who made this mark or this session may take it away.')
      await store.write([{ sql: REMOVE, params: { key, tagId } }])
      return ok(now(), {})
    },
  )
}

/** Marks speak of everybody in the session, so whoever sees only a part of it leaves them alone. */
function whole(parts: SessionParts, actor: Parameters<typeof seenBy>[1], id: string): StoredSession {
  const session = seenBy(parts, actor, id)
  if (seesWholeSession(actor, session, parts.now())) return session
  throw noSuchSession()
}

function momentOf({ ts }: Static<typeof NewTag>, session: StoredSession, nowMs: number): number {
  const atMs = instantOf('ts', ts)
  if (atMs >= session.startedAtMs && atMs <= (session.endedAtMs ?? nowMs)) return atMs
  const message = 'lies outside of the session'
  throw new HubError('VALIDATION_ERROR', `ts: ${message}.`, { details: [{ path: 'ts', message }] })
}
