/** HTTP of privacy: archive, erasure, retention and the view of everybody together. */
import { createReadStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { RetentionLimits } from '../../domain/retention.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { RetentionSetting } from '../../store/retention-limits.ts'
import type { Store } from '../../store/store.ts'
import { type CrowdDeps, crowdDays, K_MIN } from './anonymised.ts'
import type { Erasing } from './erasing.ts'
import type { Exporting, PersonalExport } from './exporting.ts'

export interface PrivacyRoutesDeps {
  store: Pick<Store, 'write' | 'observations'>
  now: () => number
  exporting: Exporting
  erasing: Erasing
  retention: RetentionSetting
  people: CrowdDeps['people']
}

const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }
/** Owners for everybody, others for themselves: the handler decides. */
const SELF: Policy = { access: 'signed-in', roles: ['owner', 'caregiver', 'coach', 'member'] }
const OF_PERSON: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member'],
  person: { in: 'body', name: 'person_id' },
  action: 'read',
  class: 'any',
}
const OPEN: Policy = { access: 'open' }
const TAGS = ['privacy']
const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(of: T) => Type.Union([of, Type.Null()])
const PersonBody = Type.Object({ person_id: Id }, { additionalProperties: false })
const Params = Type.Object({ exportId: Id }, { additionalProperties: false })
const Ticket = Type.Object({ ticket: Type.String({ maxLength: 64 }) }, { additionalProperties: false })
const One = Type.Object({
  id: Type.String(),
  person_id: Type.String(),
  asked_at: Timestamp,
  ready: Type.Boolean(),
  bytes: Maybe(Type.Integer()),
  expires_at: Maybe(Timestamp),
  fetched: Type.Boolean(),
})
const Erased = Type.Object({ person_id: Type.String(), at: Timestamp, by: Maybe(Type.String()) })
const Question = Type.Object({
  token: Type.String(),
  expires_at: Timestamp,
  holds: Type.Object({ values: Type.Integer(), records: Type.Integer(), sessions: Type.Integer() }),
})
const Confirm = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 64 }) },
  { additionalProperties: false },
)
const Changes = Type.Partial(RetentionLimits, { additionalProperties: false })
const CrowdQuery = Type.Object(
  {
    metric: Type.String({ maxLength: 64 }),
    days: Type.Integer({ minimum: 1, maximum: 90, default: 14 }),
  },
  { additionalProperties: false },
)
const Crowd = Type.Object({
  metric: Type.String(),
  k: Type.Integer(),
  days: Type.Array(Type.Object({ day: Type.String(), people: Type.Integer(), mean: Type.Number() })),
})

export function privacyRoutes(http: Http, deps: PrivacyRoutesDeps): void {
  exportRoutes(http, deps)
  archiveRoutes(http, deps)
  eraseRoutes(http, deps)
  retentionRoutes(http, deps)
  http.get(
    '/privacy/anonymised',
    {
      config: { policy: OWNER },
      schema: {
        tags: TAGS,
        summary: `Days of a metric over everybody, where at least ${K_MIN} people have values`,
        querystring: CrowdQuery,
        response: { 200: Ok(Crowd) },
      },
    },
    async ({ query }) => {
      const days = await crowdDays(query.metric, query.days, deps.now(), deps)
      return ok(deps.now(), { metric: query.metric, k: K_MIN, days })
    },
  )
}

function exportRoutes(http: Http, { now, exporting }: PrivacyRoutesDeps): void {
  http.post(
    '/privacy/export',
    {
      config: { policy: OF_PERSON, proof: true },
      schema: {
        tags: TAGS,
        summary: 'Everything about one person in one archive; follow it under /jobs',
        body: PersonBody,
        response: { 202: Ok(Type.Object({ export_id: Type.String(), job_id: Type.String() })) },
      },
    },
    async ({ actor, body }, reply) => {
      if (!isOwnersOrOwn(actor, body.person_id))
        throw new HubError('FORBIDDEN', 'Only an owner or the person may take all of it along.')
      const { exportId, jobId } = await exporting.begin(body.person_id, userOf(actor))
      return reply.code(202).send(ok(now(), { export_id: exportId, job_id: jobId }))
    },
  )
  http.get(
    '/privacy/export',
    {
      config: { policy: SELF },
      schema: {
        tags: TAGS,
        summary: 'Archives that were asked for, newest first',
        response: { 200: Ok(Type.Array(One)) },
      },
    },
    async ({ actor }) =>
      ok(now(), exporting.list(isOwner(actor) ? 'anybody' : userOf(actor)).map(exportView)),
  )
}

function archiveRoutes(http: Http, { now, exporting }: PrivacyRoutesDeps): void {
  http.post(
    '/privacy/export/:exportId/ticket',
    {
      config: { policy: SELF, proof: true },
      schema: {
        tags: TAGS,
        summary: 'A link that fetches the archive once, within five minutes',
        params: Params,
        response: { 201: Ok(Type.Object({ url: Type.String() })) },
      },
    },
    async ({ actor, params }, reply) => {
      const found = exporting.find(params.exportId)
      if (!found || !(isOwner(actor) || (found.askedBy !== null && found.askedBy === userOf(actor))))
        throw new HubError('NOT_FOUND', 'There is no archive with this id.')
      const url = `/api/v1/privacy/export/${found.id}/archive?ticket=${exporting.ticket(found.id)}`
      return reply.code(201).header('cache-control', 'no-store').send(ok(now(), { url }))
    },
  )
  http.get(
    '/privacy/export/:exportId/archive',
    {
      exposeHeadRoute: false,
      config: { policy: OPEN, envelope: false },
      schema: {
        tags: TAGS,
        summary: 'The archive, by a link of its ticket; it is gone once fetched',
        params: Params,
        querystring: Ticket,
        response: {
          200: { description: 'A ZIP file', content: { 'application/zip': { schema: Type.Unknown() } } },
        },
      },
    },
    async ({ params, query }, reply) => {
      const found = await exporting.fetch(params.exportId, query.ticket)
      if (!found) throw new HubError('NOT_FOUND', 'This link was used or is too old. Ask for another.')
      const file = createReadStream(found.file)
      // Only one that arrived whole is gone: a phone that lost the network asks for another link.
      void finished(reply.raw, { cleanup: true }).then(found.done, () => undefined)
      return reply
        .header('content-type', 'application/zip')
        .header('content-length', found.bytes)
        .header('content-disposition', `attachment; filename="${found.name}"`)
        .header('cache-control', 'no-store')
        .send(file)
    },
  )
}

function eraseRoutes(http: Http, { now, erasing }: PrivacyRoutesDeps): void {
  http.post(
    '/privacy/erase',
    {
      config: { policy: OWNER, proof: true },
      schema: {
        tags: TAGS,
        summary: 'First step of erasing a person: what would go, and the token of the second',
        body: PersonBody,
        response: { 200: Ok(Question) },
      },
    },
    async ({ body }, reply) => {
      const { token, expiresAtMs, holds } = erasing.ask(body.person_id)
      reply.header('cache-control', 'no-store')
      return ok(now(), { token, expires_at: iso(expiresAtMs), holds })
    },
  )
  http.post(
    '/privacy/erase/confirm',
    {
      config: { policy: OWNER, proof: true },
      schema: {
        tags: TAGS,
        summary: 'Second step: erases for good; follow it under /jobs',
        body: Confirm,
        response: { 202: Ok(Type.Object({ person_id: Type.String(), job_id: Type.String() })) },
      },
    },
    async ({ body, actor }, reply) => {
      const { personId, jobId } = await erasing.confirm(body.token, userOf(actor))
      return reply.code(202).send(ok(now(), { person_id: personId, job_id: jobId }))
    },
  )
  http.get(
    '/privacy/erase',
    {
      config: { policy: OWNER },
      schema: { tags: TAGS, summary: 'Who was erased when', response: { 200: Ok(Type.Array(Erased)) } },
    },
    async () =>
      ok(
        now(),
        erasing.list().map(({ personId, atMs, by }) => ({ person_id: personId, at: iso(atMs), by })),
      ),
  )
}

function retentionRoutes(http: Http, { store, now, retention }: PrivacyRoutesDeps): void {
  http.get(
    '/privacy/retention',
    {
      config: { policy: OWNER },
      schema: {
        tags: TAGS,
        summary: 'For how many days what is kept',
        response: { 200: Ok(RetentionLimits) },
      },
    },
    async () => ok(now(), retention.read()),
  )
  http.patch(
    '/privacy/retention',
    {
      config: { policy: OWNER, proof: true },
      schema: {
        tags: TAGS,
        summary: 'Keep things longer or shorter; what is older goes in the following night',
        body: Changes,
        response: { 200: Ok(RetentionLimits) },
      },
    },
    async ({ body }) => {
      const plan = retention.plan({ ...retention.read(), ...body })
      await store.write(plan.writes)
      plan.committed()
      return ok(now(), plan.result)
    },
  )
}

function isOwner(actor: Actor): boolean {
  return actor.kind === 'local' || (actor.kind === 'user' && actor.role === 'owner')
}

function isOwnersOrOwn(actor: Actor, personId: string): boolean {
  return isOwner(actor) || (actor.kind === 'user' && actor.personId === personId)
}

function userOf(actor: Actor): string | null {
  return actor.kind === 'user' ? actor.userId : null
}

function exportView(one: PersonalExport) {
  const { id, personId, askedAtMs, readyAtMs, bytes, expiresAtMs, fetchedAtMs } = one
  return {
    ...{ id, person_id: personId, asked_at: iso(askedAtMs), ready: readyAtMs !== null, bytes },
    ...{ expires_at: expiresAtMs === null ? null : iso(expiresAtMs), fetched: fetchedAtMs !== null },
  }
}
