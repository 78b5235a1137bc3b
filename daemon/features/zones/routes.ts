/** HTTP of community zones. Who belongs is for owners; how they are together is for everybody who is signed in. */
import { type Static, Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { checkedShape, outlinesOf, Shape } from '../../domain/place.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { DisplayName, USER_ROLES } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, OkPage, ok, okPage, PageQuery, Timestamp } from '../../kernel/envelope.ts'
import { LEAST_PEOPLE } from './anonymity.ts'
import { type Community, FALSE_ALARM_HOURS, type ZoneStatus } from './community.ts'
import { noSuchZone, type Register, type Zone } from './register.ts'

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }
const Nothing = Type.Object({}, { additionalProperties: false })
const Params = Type.Object({ zoneId: Id }, { additionalProperties: false })
const Members = Type.Array(Id, { maxItems: 500 })
const View = Type.Object({
  id: Id,
  name: Type.String(),
  ...Shape.properties,
  /** Corners of the polygon or of each cell, latitude and longitude. */
  outlines: Type.Array(Type.Array(Type.Array(Type.Number()))),
  by_position: Type.Boolean(),
  /** Persons who belong by hand; null for those who are no owners. */
  members: Type.Union([Members, Type.Null()]),
  created_at: Timestamp,
  updated_at: Timestamp,
})
const Status = Type.Object({
  zone_id: Id,
  name: Type.String(),
  /** `hidden`: fewer than five people, or another zone of nearly the same people is shown already. */
  status: Type.Enum(['hidden', 'calm', 'distress']),
  message: Type.String(),
  /** A band, never the number. */
  people: Type.Union([Type.String(), Type.Null()]),
  since: Type.Union([Timestamp, Type.Null()]),
  as_of: Timestamp,
  least_people: Type.Integer(),
  method: Type.String(),
  /** At most so many in a month of thirty days when nothing is wrong. */
  false_alarms_per_month: Type.Number(),
})
const Fields = {
  ...Shape.properties,
  by_position: Type.Optional(Type.Boolean()),
  members: Type.Optional(Members),
}
const NewZone = Type.Object(
  { id: Type.Optional(Id), name: DisplayName, ...Fields },
  { additionalProperties: false },
)
const Changes = Type.Object({ name: Type.Optional(DisplayName), ...Fields }, { additionalProperties: false })

export interface ZoneRoutesDeps {
  register: Register
  community: Community
  clock: Clock
  newId: () => string
}

export function zoneRoutes(http: Http, deps: ZoneRoutesDeps): void {
  readRoutes(http, deps)
  changeRoutes(http, deps)
}

function readRoutes(http: Http, { register, community, clock }: ZoneRoutesDeps): void {
  const find = (id: string) => {
    const zone = register.get(id)
    if (!zone) throw noSuchZone()
    return zone
  }
  http.get(
    '/community/zones',
    {
      config: { policy: USERS },
      schema: {
        tags: ['groups'],
        summary: 'Community zones',
        querystring: PageQuery,
        response: { 200: OkPage(View) },
      },
    },
    async ({ actor, query }) => {
      const all = register.all()
      const page = all.slice((query.page - 1) * query.per_page, query.page * query.per_page)
      const shown = page.map((zone) => zoneView(zone, actor))
      return okPage(clock.now(), shown, query, all.length)
    },
  )
  http.get(
    '/community/zones/:zoneId',
    {
      config: { policy: USERS },
      schema: { tags: ['groups'], summary: 'One zone', params: Params, response: { 200: Ok(View) } },
    },
    async ({ actor, params }) => ok(clock.now(), zoneView(find(params.zoneId), actor)),
  )
  http.get(
    '/community/zones/:zoneId/status',
    {
      config: { policy: USERS },
      schema: {
        tags: ['groups'],
        summary: 'Whether the people of a zone leave their own pattern together; nothing of fewer than five',
        params: Params,
        response: { 200: Ok(Status) },
      },
    },
    async ({ params }) => {
      const zone = find(params.zoneId)
      return ok(clock.now(), statusView(zone, community.status(zone.id), clock.now()))
    },
  )
}

function changeRoutes(http: Http, { register, clock, newId }: ZoneRoutesDeps): void {
  http.post(
    '/community/zones',
    {
      config: { policy: OWNER },
      schema: { tags: ['groups'], summary: 'Make a zone', body: NewZone, response: { 201: Ok(View) } },
    },
    async ({ actor, body }, reply) => {
      const { polygon, cells, members = [] } = body
      const shape = checkedShape({ ...(polygon && { polygon }), ...(cells && { cells }) })
      const zone = await register.add(body.id ?? newId(), {
        ...{ name: body.name.trim(), shape, members, isByPosition: body.by_position ?? false },
      })
      return reply.code(201).send(ok(clock.now(), zoneView(zone, actor)))
    },
  )
  http.route({
    method: ['PATCH', 'PUT'],
    url: '/community/zones/:zoneId',
    config: { policy: OWNER },
    schema: {
      tags: ['groups'],
      summary: 'Change a zone; absent fields stay',
      params: Params,
      body: Changes,
      response: { 200: Ok(View) },
    },
    handler: async ({ actor, params, body }) => {
      // One handler for two methods: the route's type does not carry its schemas through `method: [...]`.
      const { zoneId } = params as Static<typeof Params>
      const { polygon, cells, ...changes } = body as Static<typeof Changes>
      const before = register.get(zoneId)
      if (!before) throw noSuchZone()
      const isMoved = polygon !== undefined || cells !== undefined
      const zone = await register.change(zoneId, {
        name: changes.name?.trim() ?? before.name,
        shape: isMoved
          ? checkedShape({ ...(polygon && { polygon }), ...(cells && { cells }) })
          : before.shape,
        isByPosition: changes.by_position ?? before.isByPosition,
        members: changes.members ?? before.members,
      })
      return ok(clock.now(), zoneView(zone, actor))
    },
  })
  http.delete(
    '/community/zones/:zoneId',
    {
      config: { policy: OWNER },
      schema: { tags: ['groups'], summary: 'Remove a zone', params: Params, response: { 200: Ok(Nothing) } },
    },
    async ({ params }) => {
      await register.remove(params.zoneId)
      return ok(clock.now(), {})
    },
  )
}

function zoneView(zone: Zone, actor: Actor) {
  const isOwner = actor.kind === 'local' || (actor.kind === 'user' && actor.role === 'owner')
  return {
    ...{ id: zone.id, name: zone.name, ...zone.shape, by_position: zone.isByPosition },
    outlines: outlinesOf(zone.shape),
    members: isOwner ? zone.members : null,
    ...{ created_at: iso(zone.createdAtMs), updated_at: iso(zone.updatedAtMs) },
  }
}

const MESSAGES = {
  hidden: `Nothing is shown: fewer than ${LEAST_PEOPLE} people are counted here now, or so few that one could be told apart.`,
  calm: 'The people here are as they usually are.',
  distress: 'Several people here are unlike their own usual at the same time. It is no diagnosis.',
} as const

export function statusView({ id, name }: Zone, { state, people, sinceMs }: ZoneStatus, nowMs: number) {
  return {
    ...{ zone_id: id, name, status: state, message: MESSAGES[state], people },
    ...{ since: sinceMs === null ? null : iso(sinceMs), as_of: iso(nowMs), least_people: LEAST_PEOPLE },
    method: 'Berk–Jones scan over the p-values of the last hour',
    false_alarms_per_month: 720 / FALSE_ALARM_HOURS,
  }
}
