/** HTTP of sessions: made, listed, changed, removed, and rated by those who played. */
import { type Static, Type } from 'typebox'
import { type Actor, can } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { OpenObject } from '../../domain/person.ts'
import type { Http } from '../../domain/route.ts'
import { Minutes, mayChangeSession, Rpe, SESSION_TYPES, TrainingSession } from '../../domain/session.ts'
import { Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import {
  changeableBy,
  instantOf,
  refuseBeyondReach,
  type SessionParts,
  seenBy,
  TAGS,
  USERS,
} from './parts.ts'
import type { SessionChanges } from './register.ts'
import { sessionView } from './shown.ts'

const Title = Type.Union([Type.String({ maxLength: 200 }), Type.Null()])
const Instant = Type.Union([Type.String({ maxLength: 64 }), Type.Number()], {
  description: 'RFC 3339 with offset, or epoch s or ms',
})
const Players = Type.Array(Id, { maxItems: 64, uniqueItems: true })
export const SessionParams = Type.Object({ sessionId: Id }, { additionalProperties: false })
const Nothing = Type.Object({}, { additionalProperties: false })

const Fields = {
  session_type: Type.Optional(Type.Enum([...SESSION_TYPES])),
  title: Type.Optional(Title),
  group_id: Type.Optional(Type.Union([Id, Type.Null()])),
  player_id: Type.Optional(Id),
  player_ids: Type.Optional(Players),
  started_at: Type.Optional(Instant),
  ended_at: Type.Optional(Type.Union([Instant, Type.Null()])),
  duration_minutes: Type.Optional(Type.Union([Minutes, Type.Null()])),
  metadata: Type.Optional(OpenObject),
  kpis: Type.Optional(Type.Union([OpenObject, Type.Null()])),
}
const NewSession = Type.Object({ id: Type.Optional(Id), ...Fields }, { additionalProperties: false })
const Changes = Type.Object(Fields, { additionalProperties: false })
const Query = Type.Object(
  {
    ...PageQuery.properties,
    player_id: Type.Optional(Id),
    session_type: Type.Optional(Type.Enum([...SESSION_TYPES])),
    from: Type.Optional(Type.String({ maxLength: 64 })),
    to: Type.Optional(Type.String({ maxLength: 64 })),
    q: Type.Optional(Type.String({ maxLength: 100, description: 'Words of the title' })),
  },
  { additionalProperties: false },
)
const Rating = Type.Object(
  { rpe: Rpe, player_id: Type.Optional(Id), duration_minutes: Type.Optional(Minutes) },
  { additionalProperties: false },
)

export function sessionRoutes(http: Http, parts: SessionParts): void {
  readRoutes(http, parts)
  addRoute(http, parts)
  changeRoutes(http, parts)
  rateRoute(http, parts)
}

function readRoutes(http: Http, parts: SessionParts): void {
  const { register, now } = parts
  http.get(
    '/sessions',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Sessions of players whose training I may see, newest first',
        querystring: Query,
        response: { 200: OkPage(TrainingSession) },
      },
    },
    async ({ actor, query }) => {
      const filter = {
        playerId: query.player_id,
        sessionType: query.session_type,
        fromMs: query.from === undefined ? undefined : instantOf('from', query.from),
        toMs: query.to === undefined ? undefined : instantOf('to', query.to),
        q: query.q,
      }
      if (filter.playerId !== undefined) refuseBeyondReach(parts, actor, [filter.playerId])
      const { sessions, total } = register.list(actor, filter, query)
      return okPage(
        now(),
        sessions.map((session) => sessionView(session, actor, now())),
        query,
        total,
      )
    },
  )
  http.get(
    '/sessions/:sessionId',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'One session',
        params: SessionParams,
        response: { 200: Ok(TrainingSession) },
      },
    },
    async ({ actor, params }) => ok(now(), sessionView(seenBy(parts, actor, params.sessionId), actor, now())),
  )
}

function addRoute(http: Http, parts: SessionParts): void {
  const { register, now, newId } = parts
  http.post(
    '/sessions',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Keep a session; without players it is of the signed-in person',
        body: NewSession,
        response: { 201: Ok(TrainingSession) },
      },
    },
    async ({ actor, body }, reply) => {
      const playerIds =
        playersIn(body) ?? (body.group_id == null ? own(actor) : [...parts.playersOf(body.group_id)])
      refuseBeyondReach(parts, actor, playerIds)
      refuseGroup(parts, body.group_id)
      const session = await register.add({
        ...{ title: null, groupId: null, endedAtMs: null, durationMinutes: null, metadata: {}, kpis: null },
        ...{ sessionType: 'training', startedAtMs: now(), live: false, asked: null },
        ...changesOf(body),
        id: body.id ?? newId(),
        createdBy: actor.kind === 'user' ? actor.userId : null,
        playerIds,
      })
      return reply.code(201).send(ok(now(), sessionView(session, actor, now())))
    },
  )
}

function changeRoutes(http: Http, parts: SessionParts): void {
  const { register, files, now } = parts
  http.route({
    method: ['PATCH', 'PUT'],
    url: '/sessions/:sessionId',
    config: { policy: USERS },
    schema: {
      tags: TAGS,
      summary: 'Change a session; absent fields stay',
      params: SessionParams,
      body: Changes,
      response: { 200: Ok(TrainingSession) },
    },
    handler: async ({ actor, params, body }) => {
      // One handler for two methods: the route's type does not carry its schemas through `method: [...]`.
      const { sessionId } = params as Static<typeof SessionParams>
      const sent = body as Static<typeof Changes>
      changeableBy(parts, actor, sessionId)
      const playerIds = playersIn(sent)
      refuseBeyondReach(parts, actor, playerIds ?? [])
      refuseGroup(parts, sent.group_id)
      const changes = { ...changesOf(sent), ...(playerIds ? { playerIds } : {}) }
      return ok(now(), sessionView(await register.change(sessionId, changes), actor, now()))
    },
  })
  http.delete(
    '/sessions/:sessionId',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Remove a session with its files',
        params: SessionParams,
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ actor, params: { sessionId } }) => {
      const session = changeableBy(parts, actor, sessionId)
      if (session.live) throw new HubError('CONFLICT', 'The session is running. Stop it first.')
      await files.removeAll(session.key)
      await register.remove(sessionId)
      return ok(now(), {})
    },
  )
}

function rateRoute(http: Http, parts: SessionParts): void {
  const { register, now } = parts
  http.post(
    '/sessions/:sessionId/rpe',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary:
          'How hard it was, 0 to 10, told by a player for themselves or by who may write their training',
        params: SessionParams,
        body: Rating,
        response: { 200: Ok(TrainingSession) },
      },
    },
    async ({ actor, params, body }) => {
      const session = seenBy(parts, actor, params.sessionId)
      const personId = body.player_id ?? own(actor)[0]
      if (personId === undefined)
        throw new HubError('VALIDATION_ERROR', 'Say who this is about: player_id is missing.', {
          details: [{ path: 'player_id', message: 'is missing' }],
        })
      refuseBeyondReach(parts, actor, [personId])
      if (!session.playerIds.includes(personId))
        throw new HubError('NOT_FOUND', 'This person took no part in the session.')
      if (!can(actor, 'write', personId, 'training', now()) && !mayChangeSession(actor, session, now()))
        throw new HubError('FORBIDDEN', 'Players rate their own session.')
      const rated = await register.rate(session.id, personId, {
        rpe: body.rpe,
        durationMinutes: body.duration_minutes ?? null,
      })
      return ok(now(), sessionView(rated, actor, now()))
    },
  )
}

function own(actor: Actor): string[] {
  return actor.kind === 'user' && actor.personId !== null ? [actor.personId] : []
}

function playersIn(body: Static<typeof Changes>): string[] | null {
  if (body.player_ids === undefined && body.player_id === undefined) return null
  return [...new Set([...(body.player_id === undefined ? [] : [body.player_id]), ...(body.player_ids ?? [])])]
}

function refuseGroup({ groupExists }: SessionParts, groupId: string | null | undefined): void {
  if (groupId != null && !groupExists(groupId))
    throw new HubError('NOT_FOUND', 'There is no group with this id.')
}

function changesOf(body: Static<typeof Changes>): Omit<SessionChanges, 'playerIds'> {
  const changes: Omit<SessionChanges, 'playerIds'> = {}
  if (body.session_type !== undefined) changes.sessionType = body.session_type
  if (body.title !== undefined) changes.title = body.title
  if (body.group_id !== undefined) changes.groupId = body.group_id
  if (body.started_at !== undefined) changes.startedAtMs = instantOf('started_at', body.started_at)
  if (body.ended_at !== undefined)
    changes.endedAtMs = body.ended_at === null ? null : instantOf('ended_at', body.ended_at)
  if (body.duration_minutes !== undefined) changes.durationMinutes = body.duration_minutes
  if (body.metadata !== undefined) changes.metadata = body.metadata
  if (body.kpis !== undefined) changes.kpis = body.kpis
  return changes
}
