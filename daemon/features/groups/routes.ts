/** HTTP of groups. A group that the caller does not belong to is told like one that is not there. */
import { type Static, Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { GROUP_KINDS, Group, MEMBER_ROLES, Shift, StepMinutes } from '../../domain/group.ts'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { DisplayName, USER_ROLES } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { type GroupDraft, noSuchGroup, type Register } from './register.ts'

const DEFAULT_STEP_MINUTES = 2
const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }
const Nothing = Type.Object({}, { additionalProperties: false })
const Params = Type.Object({ groupId: Id }, { additionalProperties: false })
const MemberParams = Type.Object({ groupId: Id, person: Id }, { additionalProperties: false })
const Fields = {
  timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  step_minutes: Type.Optional(StepMinutes),
  rota: Type.Optional(Type.Array(Shift, { maxItems: 64 })),
}
const Member = Type.Object(
  {
    person_id: Id,
    role: Type.Enum([...MEMBER_ROLES], { default: 'member' }),
    shirt_number: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 999 }), Type.Null()])),
    escalation_order: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 99 }), Type.Null()])),
  },
  { additionalProperties: false },
)
const NewGroup = Type.Object(
  {
    id: Type.Optional(Id),
    name: DisplayName,
    kind: Type.Enum([...GROUP_KINDS], { default: 'family' }),
    ...Fields,
    members: Type.Optional(Type.Array(Member, { maxItems: 64 })),
  },
  { additionalProperties: false },
)
const Changes = Type.Object(
  { name: Type.Optional(DisplayName), kind: Type.Optional(Type.Enum([...GROUP_KINDS])), ...Fields },
  { additionalProperties: false },
)

export interface GroupRoutesDeps {
  register: Register
  clock: Clock
  newId: () => string
  /** The household's zone. */
  timezone: () => string
  /** Whether an alert about this person is climbing its ladder. */
  isClimbing: (personId: string) => boolean
}

export function groupRoutes(http: Http, deps: GroupRoutesDeps): void {
  listRoutes(http, deps)
  changeRoutes(http, deps)
  memberRoutes(http, deps)
}

function find(actor: Actor, id: string, { register }: GroupRoutesDeps): Group {
  const group = register.get(id)
  if (!group || !belongs(actor, group)) throw noSuchGroup()
  return group
}

function listRoutes(http: Http, deps: GroupRoutesDeps): void {
  const { clock, register } = deps
  http.get(
    '/groups',
    {
      config: { policy: USERS },
      schema: {
        tags: ['groups'],
        summary: 'Groups that I belong to',
        querystring: PageQuery,
        response: { 200: OkPage(Group) },
      },
    },
    async ({ actor, query }) => {
      const mine = register.all().filter((group) => belongs(actor, group))
      const page = mine.slice((query.page - 1) * query.per_page, query.page * query.per_page)
      return okPage(clock.now(), page, query, mine.length)
    },
  )
  http.get(
    '/groups/:groupId',
    {
      config: { policy: USERS },
      schema: { tags: ['groups'], summary: 'One group', params: Params, response: { 200: Ok(Group) } },
    },
    async ({ actor, params }) => ok(clock.now(), find(actor, params.groupId, deps)),
  )
}

function changeRoutes(http: Http, deps: GroupRoutesDeps): void {
  const { clock, register, newId, timezone } = deps
  http.post(
    '/groups',
    {
      config: { policy: OWNER },
      schema: { tags: ['groups'], summary: 'Make a group', body: NewGroup, response: { 201: Ok(Group) } },
    },
    async ({ body }, reply) => {
      const id = body.id ?? newId()
      const { members = [], name, kind } = body
      const draft = {
        name: name.trim(),
        kind,
        timezone: body.timezone ?? timezone(),
        stepMinutes: body.step_minutes ?? DEFAULT_STEP_MINUTES,
        rota: body.rota ?? [],
      }
      const group = await register.add(id, draft, members.map(draftOf))
      return reply.code(201).send(ok(clock.now(), group))
    },
  )
  http.route({
    method: ['PATCH', 'PUT'],
    url: '/groups/:groupId',
    config: { policy: OWNER },
    schema: {
      tags: ['groups'],
      summary: 'Change a group; absent fields stay',
      params: Params,
      body: Changes,
      response: { 200: Ok(Group) },
    },
    handler: async ({ actor, params, body }) => {
      // One handler for two methods: the route's type does not carry its schemas through `method: [...]`.
      const { groupId } = params as Static<typeof Params>
      find(actor, groupId, deps)
      return ok(clock.now(), await register.change(groupId, changesOf(body as Static<typeof Changes>)))
    },
  })
  http.delete(
    '/groups/:groupId',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['groups'],
        summary: 'Remove a group; refused while an alert climbs its ladder',
        params: Params,
        response: { 200: Ok(Nothing) },
      },
    },
    async ({ actor, params }) => {
      const { members } = find(actor, params.groupId, deps)
      if (members.some(({ person_id: id }) => id !== null && deps.isClimbing(id))) {
        throw new HubError('CONFLICT', 'An alert is climbing this ladder. Acknowledge or resolve it first.')
      }
      await register.remove(params.groupId)
      return ok(clock.now(), {})
    },
  )
}

function memberRoutes(http: Http, deps: GroupRoutesDeps): void {
  const { clock, register } = deps
  http.post(
    '/groups/:groupId/members',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['groups'],
        summary: 'Add a person, or a user who is none; once more changes role, number and order',
        params: Params,
        body: Member,
        response: { 201: Ok(Group) },
      },
    },
    async ({ actor, params, body }, reply) => {
      find(actor, params.groupId, deps)
      const group = await register.setMember(params.groupId, draftOf(body))
      return reply.code(201).send(ok(clock.now(), group))
    },
  )
  http.delete(
    '/groups/:groupId/members/:person',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['groups'],
        summary: 'Take somebody out of a group',
        params: MemberParams,
        response: { 200: Ok(Group) },
      },
    },
    async ({ actor, params }) => {
      find(actor, params.groupId, deps)
      return ok(clock.now(), await register.removeMember(params.groupId, params.person))
    },
  )
}

function draftOf(member: Static<typeof Member>) {
  return {
    memberId: member.person_id,
    role: member.role,
    shirtNumber: member.shirt_number ?? null,
    escalationOrder: member.escalation_order ?? null,
  }
}

function changesOf({
  name,
  kind,
  timezone,
  step_minutes,
  rota,
}: Static<typeof Changes>): Partial<GroupDraft> {
  return {
    ...(name === undefined ? {} : { name: name.trim() }),
    ...(kind === undefined ? {} : { kind }),
    ...(timezone === undefined ? {} : { timezone }),
    ...(step_minutes === undefined ? {} : { stepMinutes: step_minutes }),
    ...(rota === undefined ? {} : { rota }),
  }
}

/** Owners see every group; others those that they, or the person they are, belong to. */
function belongs(actor: Actor, { members }: Group): boolean {
  if (actor.kind === 'local') return true
  if (actor.kind !== 'user') return false
  return (
    actor.role === 'owner' ||
    members.some(({ member_id: id }) => id === actor.userId || id === actor.personId)
  )
}
