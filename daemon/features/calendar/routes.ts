/** HTTP of planned events. */
import { Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import {
  type CalendarEvent,
  EVENT_TYPES,
  type PlannedFor,
  ShownEvent,
  Verdict,
} from '../../domain/calendar.ts'
import { Id } from '../../domain/id.ts'
import { parseInstant } from '../../domain/instant.ts'
import type { Http } from '../../domain/route.ts'
import { iso, Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { blank, EventChanges, merged, NewEvent, refused } from './draft.ts'
import { type Occurrence, occurrencesOf, type Window } from './expand.ts'
import { authorizePlan, type CalendarParts, eventFor, plannedFor, plannedOf, TAGS, USERS } from './parts.ts'
import { verdictsOn } from './warn.ts'

const DAY_MS = 86_400_000
const USUAL_WINDOW_MS = 28 * DAY_MS
const WINDOW_MAX_MS = 400 * DAY_MS
const Params = Type.Object({ eventId: Id }, { additionalProperties: false })
const Nothing = Type.Object({}, { additionalProperties: false })
const Edge = Type.Optional(
  Type.String({ maxLength: 64, description: 'RFC 3339 with offset, or epoch s or ms' }),
)
const Query = Type.Object(
  {
    ...PageQuery.properties,
    player_id: Type.Optional(Id),
    group_id: Type.Optional(Id),
    event_type: Type.Optional(Type.Enum([...EVENT_TYPES])),
    from: Edge,
    to: Edge,
  },
  { additionalProperties: false },
)
const Saved = Type.Object(
  { ...ShownEvent.properties, warnings: Type.Array(Verdict) },
  { additionalProperties: false },
)
const Judged = Type.Object(
  { ok: Type.Boolean(), verdicts: Type.Array(Verdict) },
  { additionalProperties: false },
)

export function eventRoutes(http: Http, parts: CalendarParts): void {
  listRoute(http, parts)
  addRoute(http, parts)
  validateRoute(http, parts)
  oneRoutes(http, parts)
}

export function shownOccurrence({ event, startMs, endMs, readOnly }: Occurrence) {
  return {
    id: event.id,
    player_id: event.personId,
    group_id: event.groupId,
    title: event.title,
    event_type: event.eventType,
    start_time: iso(startMs),
    end_time: iso(endMs),
    series_start_time: iso(event.startMs),
    timezone: event.timezone,
    rrule: event.rrule,
    drills: [...event.drills],
    ai_generated: event.aiGenerated,
    read_only: readOnly,
    created_at: readOnly ? null : iso(event.createdAtMs),
    updated_at: readOnly ? null : iso(event.updatedAtMs),
  }
}

export function shownEvent(event: CalendarEvent) {
  return shownOccurrence({ event, startMs: event.startMs, endMs: event.endMs, readOnly: false })
}

function listRoute(http: Http, parts: CalendarParts): void {
  const { now, person, table } = parts
  http.get(
    '/calendar/events',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary:
          'What is planned, each time that a repeated event comes; the next four weeks unless asked otherwise',
        querystring: Query,
        response: { 200: OkPage(ShownEvent) },
      },
    },
    async (request) => {
      const { query, actor } = request
      const window = windowOf(query, now())
      let found: Occurrence[]
      if (query.player_id !== undefined) {
        authorizePlan(request, 'read', { personId: query.player_id, groupId: null }, parts)
        const player = person(query.player_id)
        found = player ? plannedOf(player, window, parts) : []
      } else if (query.group_id !== undefined) {
        const of = { personId: null, groupId: query.group_id }
        authorizePlan(request, 'read', of, parts)
        found = occurrencesOf(table.within(of, window), window)
      } else found = plannedFor(actor, window, parts)
      const wanted = found
        .filter(({ event }) => query.event_type === undefined || event.eventType === query.event_type)
        .sort((a, b) => a.startMs - b.startMs)
      const from = (query.page - 1) * query.per_page
      return okPage(
        now(),
        wanted.slice(from, from + query.per_page).map(shownOccurrence),
        query,
        wanted.length,
      )
    },
  )
}

function windowOf({ from, to }: { from?: string; to?: string }, nowMs: number): Window {
  const edge = (path: string, text: string | undefined, otherwise: number) => {
    if (text === undefined) return otherwise
    const parsed = parseInstant(text, 'UTC')
    if ('atMs' in parsed) return parsed.atMs
    throw refused('VALIDATION_ERROR', path, parsed.wrong)
  }
  const fromMs = edge('from', from, nowMs - DAY_MS)
  const toMs = edge('to', to, fromMs + USUAL_WINDOW_MS)
  if (toMs <= fromMs || toMs - fromMs > WINDOW_MAX_MS)
    throw refused('OUT_OF_RANGE', 'to', 'lies after from, by 400 days at most')
  return { fromMs, toMs }
}

/** Whom a new event is for: one player, one group, or the one who sends it. */
function plannedForOf(body: NewEvent, actor: Actor): PlannedFor {
  const { player_id: personId = null, group_id: groupId = null } = body
  if ((personId === null) !== (groupId === null)) return { personId, groupId }
  const self = actor.kind === 'user' ? actor.personId : null
  if (personId === null && self !== null) return { personId: self, groupId: null }
  throw refused('VALIDATION_ERROR', 'player_id', 'or group_id says whom the event is for, one of the two')
}

function draftOf(
  body: NewEvent,
  of: PlannedFor,
  actor: Actor,
  { now, newId, person, groups }: CalendarParts,
) {
  const { id, player_id: _player, group_id: _group, ...sent } = body
  const timezone =
    of.personId === null
      ? groups.all().find((group) => group.id === of.groupId)?.timezone
      : person(of.personId)?.timezone
  const createdBy = actor.kind === 'user' ? actor.userId : null
  const nowMs = now()
  return merged(blank(id ?? newId(), of, { timezone: timezone ?? 'UTC', createdBy, nowMs }), sent, nowMs)
}

function addRoute(http: Http, parts: CalendarParts): void {
  const { now, table, tell } = parts
  http.post(
    '/calendar/events',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Plan something; guidelines that it lies outside of come back as warnings',
        body: NewEvent,
        response: { 201: Ok(Saved) },
      },
    },
    async (request, reply) => {
      const of = plannedForOf(request.body, request.actor)
      authorizePlan(request, 'write', of, parts)
      const event = draftOf(request.body, of, request.actor, parts)
      const warnings = verdictsOn(event, request.actor, parts)
      await table.add(event)
      tell('created', event)
      return reply.code(201).send(ok(now(), { ...shownEvent(event), warnings }))
    },
  )
}

function validateRoute(http: Http, parts: CalendarParts): void {
  http.post(
    '/calendar/validate',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary:
          'What guidelines say of a plan, without keeping it; with the id of an event, of it in its place',
        body: NewEvent,
        response: { 200: Ok(Judged) },
      },
    },
    async (request) => {
      const of = plannedForOf(request.body, request.actor)
      authorizePlan(request, 'read', of, parts)
      const verdicts = verdictsOn(draftOf(request.body, of, request.actor, parts), request.actor, parts)
      return ok(parts.now(), { ok: verdicts.length === 0, verdicts })
    },
  )
}

function oneRoutes(http: Http, parts: CalendarParts): void {
  const { now, table, tell } = parts
  const url = '/calendar/events/:eventId'
  const about = (summary: string) => ({ tags: TAGS, summary, params: Params })
  http.get(
    url,
    {
      config: { policy: USERS },
      schema: { ...about('One planned event, as it was first'), response: { 200: Ok(ShownEvent) } },
    },
    async (request) => ok(now(), shownEvent(eventFor(request, request.params.eventId, 'read', parts))),
  )
  http.route({
    method: ['PATCH', 'PUT'],
    url,
    config: { policy: USERS },
    schema: {
      ...about('Change a planned event, all of a repeated one; absent fields stay'),
      params: Params,
      body: EventChanges,
      response: { 200: Ok(Saved) },
    },
    handler: async (request) => {
      const before = eventFor(request, request.params.eventId, 'write', parts)
      const event = merged(before, request.body, now())
      const warnings = verdictsOn(event, request.actor, parts)
      await table.change(event)
      tell('updated', event)
      return ok(now(), { ...shownEvent(event), warnings })
    },
  })
  http.delete(
    url,
    {
      config: { policy: USERS },
      schema: { ...about('Take a planned event off, all of a repeated one'), response: { 200: Ok(Nothing) } },
    },
    async (request) => {
      const event = eventFor(request, request.params.eventId, 'write', parts)
      await table.remove(event.id)
      tell('deleted', event)
      return ok(now(), {})
    },
  )
}
