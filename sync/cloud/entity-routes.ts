/** Calendar, people and groups as accounts in the cloud read and edit them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { HybridClock } from '../clock.ts'
import type { EntityKind } from '../rows.ts'
import type { Queries } from './database.ts'
import { editEntity, findEntity, listEntities } from './entities.ts'
import { fieldsFault, newFault } from './fields.ts'
import {
  Checks,
  checked,
  described,
  Edit,
  Entity,
  entitiesNamed,
  IfMatch,
  missing,
  Params,
  Refuse,
} from './household-bodies.ts'
import { newId } from './households.ts'
import type { Account, TokenRole } from './identity.ts'

/** The API's name of an entity's kind. */
const KINDS: Readonly<Record<string, EntityKind>> = {
  calendar: 'calendar',
  people: 'person',
  groups: 'group',
}

export interface EntityRoutesDeps {
  clock: HybridClock
  /** The account, when its role is at least that one. */
  as(request: FastifyRequest, role: TokenRole): Account
  inside<Result>(
    account: Account,
    work: (queries: Queries, household: string) => Promise<Result>,
  ): Promise<Result>
}

export function entityRoutes(http: FastifyInstance, deps: EntityRoutesDeps): void {
  for (const [name, kind] of Object.entries(KINDS)) routesOf(http, name, kind, deps)
}

function routesOf(
  http: FastifyInstance,
  name: string,
  kind: EntityKind,
  { clock, as, inside }: EntityRoutesDeps,
): void {
  const path = `/api/household/${name}`
  const tagged = (reply: FastifyReply, entity: { revision: string }) =>
    reply.header('etag', `"${entity.revision}"`).send(entity)
  const edit = async (
    request: FastifyRequest,
    asked: { id: string; fields: Record<string, unknown>; subject: string | null; creates: boolean },
  ) => {
    const account = as(request, 'editor')
    const { fields, subject, creates } = asked
    const fault = fieldsFault(kind, fields) ?? (creates ? newFault(kind, subject, fields) : null)
    if (fault !== null) throw new Refuse(400, 'invalid', fault)
    const done = await inside(account, (queries, household) =>
      editEntity(queries, household, { kind, revision: revisionIn(request), ...asked }, clock),
    )
    if (!('entity' in done))
      throw done.fault === 'missing' ? missing() : new Refuse(410, 'erased', 'This person is erased.')
    if (!('fault' in done)) return done.entity
    const current = { current: done.entity }
    if (done.fault === 'exists')
      throw new Refuse(409, 'exists', 'There is one with this id: edit it, or leave the id away.', current)
    throw new Refuse(412, 'changed', 'Somebody has edited this meanwhile: read it again.', current)
  }
  const listed = described(`All ${name}`, entitiesNamed(name))
  http.get(path, { schema: listed }, async (request) => ({
    [name]: await inside(as(request, 'viewer'), (queries, household) =>
      listEntities(queries, household, kind),
    ),
  }))
  http.get<{ Params: { id: string } }>(
    `${path}/:id`,
    { schema: described(`One of ${name}`, Entity, { params: Params }) },
    async (request, reply) => {
      const found = await inside(as(request, 'viewer'), (queries, household) =>
        findEntity(queries, household, kind, request.params.id),
      )
      if (!found) throw missing()
      return tagged(reply, found)
    },
  )
  http.post(
    path,
    { schema: described(`Add to ${name}`, Entity, { status: 201, body: Edit }) },
    async (request, reply) => {
      const { id = newId(), subject = null, fields } = checked(Checks.edit, request.body)
      return tagged(reply.code(201), await edit(request, { id, fields, subject, creates: true }))
    },
  )
  http.patch<{ Params: { id: string } }>(
    `${path}/:id`,
    { schema: described(`Edit one of ${name}`, Entity, { params: Params, headers: IfMatch, body: Edit }) },
    async (request, reply) => {
      const { fields } = checked(Checks.edit, request.body)
      const { id } = request.params
      return tagged(reply, await edit(request, { id, fields, subject: null, creates: false }))
    },
  )
  http.delete<{ Params: { id: string } }>(
    `${path}/:id`,
    { schema: described(`Delete one of ${name}`, null, { params: Params, headers: IfMatch }) },
    async (request, reply) => {
      const { id } = request.params
      await edit(request, { id, fields: { deleted: true }, subject: null, creates: false })
      return reply.code(204).send()
    },
  )
}

/** What the caller has read, when it says so. */
function revisionIn(request: FastifyRequest): string | null {
  const said = request.headers['if-match']
  return typeof said === 'string' && said !== '*' ? said.replaceAll(/^W\/|"/g, '') : null
}
