/** HTTP of feeds: made and revoked by people, fetched by calendars that know nothing but the address. */
import { Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { mayPlan } from '../../domain/calendar.ts'
import { Id } from '../../domain/id.ts'
import type { Http } from '../../domain/route.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { refused } from './draft.ts'
import { occurrencesOf } from './expand.ts'
import { feedText } from './feed-text.ts'
import type { Feed, Feeds } from './feeds.ts'
import { authorizePlan, type CalendarParts, plannedOf, TAGS, USERS } from './parts.ts'

export interface FeedRoutesDeps extends CalendarParts {
  feeds: Feeds
  /** A user as they may ask now; null for one who is gone. */
  readerOf: (userId: string) => Actor | null
}

const DAY_MS = 86_400_000
const BACK_MS = 30 * DAY_MS
const AHEAD_MS = 365 * DAY_MS
const orNullId = Type.Union([Id, Type.Null()])
const Nothing = Type.Object({}, { additionalProperties: false })
const FeedShown = Type.Object(
  { id: Id, player_id: orNullId, group_id: orNullId, created_at: Timestamp },
  { additionalProperties: false },
)
const NewFeed = Type.Object(
  { player_id: Type.Optional(Id), group_id: Type.Optional(Id) },
  { additionalProperties: false },
)
const Told = Type.Object({ ...FeedShown.properties, path: Type.String() }, { additionalProperties: false })
const FeedParams = Type.Object({ feedId: Id }, { additionalProperties: false })
const Token = Type.Object(
  { token: Type.String({ minLength: 20, maxLength: 100 }) },
  { additionalProperties: false },
)

export function feedRoutes(http: Http, deps: FeedRoutesDeps): void {
  keepRoutes(http, deps)
  fetchRoute(http, deps)
}

function keepRoutes(http: Http, deps: FeedRoutesDeps): void {
  const { feeds, now } = deps
  http.get(
    '/calendar/feeds',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: 'Feeds that I made; their addresses were told once',
        response: { 200: Ok(Type.Array(FeedShown)) },
      },
    },
    async ({ actor }) => ok(now(), actor.kind === 'user' ? feeds.of(actor.userId).map(shown) : []),
  )
  http.post(
    '/calendar/feeds',
    {
      config: { policy: USERS },
      schema: {
        tags: TAGS,
        summary: "An address for another calendar, of a player's or a group's plan; told this once",
        body: NewFeed,
        response: { 201: Ok(Told) },
      },
    },
    async (request, reply) => {
      const { player_id: personId = null, group_id: groupId = null } = request.body
      if ((personId === null) === (groupId === null))
        throw refused('VALIDATION_ERROR', 'player_id', 'or group_id says whose plan it is, one of the two')
      authorizePlan(request, 'read', { personId, groupId }, deps)
      const { actor } = request
      if (actor.kind !== 'user') throw new HubError('FORBIDDEN', 'Feeds belong to users: sign in as one.')
      const { feed, token } = await feeds.add(actor.userId, { personId, groupId })
      const path = `/api/v1/calendar/feed.ics?token=${token}`
      return reply.code(201).send(ok(now(), { ...shown(feed), path }))
    },
  )
  http.delete(
    '/calendar/feeds/:feedId',
    {
      config: { policy: USERS },
      schema: { tags: TAGS, summary: 'Revoke a feed', params: FeedParams, response: { 200: Ok(Nothing) } },
    },
    async ({ actor, params }) => {
      const feed = feeds.find(params.feedId)
      const mine = actor.kind === 'user' && (actor.role === 'owner' || feed?.userId === actor.userId)
      if (!feed || !(mine || actor.kind === 'local')) throw noFeed()
      await feeds.remove(feed.id)
      return ok(now(), {})
    },
  )
}

function fetchRoute(http: Http, deps: FeedRoutesDeps): void {
  const { feeds, now, readerOf, groups, person, table } = deps
  http.get(
    '/calendar/feed.ics',
    {
      config: { policy: { access: 'open' }, envelope: false },
      schema: {
        tags: TAGS,
        summary: 'A plan as iCalendar, a month back and a year ahead, for as long as its maker may read it',
        querystring: Token,
        response: {
          200: { description: 'iCalendar', content: { 'text/calendar': { schema: Type.String() } } },
        },
      },
    },
    async ({ query }, reply) => {
      const feed = feeds.byToken(query.token)
      const reader = feed && readerOf(feed.userId)
      if (!feed || !reader || !mayPlan(reader, 'read', feed, groups, now())) throw noFeed()
      const window = { fromMs: now() - BACK_MS, toMs: now() + AHEAD_MS }
      const player = feed.personId === null ? null : person(feed.personId)
      const planned = player
        ? plannedOf(player, window, deps)
        : occurrencesOf(table.within(feed, window), window)
      return reply
        .header('content-type', 'text/calendar; charset=utf-8')
        .header('x-content-type-options', 'nosniff')
        .send(feedText('Homefield', planned, now()))
    },
  )
}

function noFeed(): HubError {
  return new HubError('NOT_FOUND', 'There is no such feed.')
}

function shown({ id, personId, groupId, createdAtMs }: Feed) {
  return { id, player_id: personId, group_id: groupId, created_at: iso(createdAtMs) }
}
