/** The API of a household in the cloud: hubs, calendar, people, groups, consents, erasures, jobs, and what the hubs sent. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Consent, EntityKind } from '../rows.ts'
import type { Queries } from './database.ts'
import { editConsent, editEntity, editingClock, listConsents, listEntities } from './entities.ts'
import { erase, lockHousehold } from './feed.ts'
import { addCode, addToken, listHubs, newId, revokeHub } from './households.ts'
import { type Account, TOKEN_ROLES, type TokenRole } from './identity.ts'
import { listJobs, processJob } from './jobs.ts'
import type { CloudParts } from './parts.ts'
import { HAPPENING_TABLES } from './schema.ts'
import { erasuresOf } from './status.ts'
import { keysOf, openedBody } from './vault.ts'

const Id = Type.String({ pattern: '^[A-Za-z0-9_.:-]{1,64}$' })
const Subject = Type.Union([Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }), Type.Null()])
const Fields = Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9_:-]{0,99}$' }), Type.Unknown(), {
  maxProperties: 200,
})
const Edit = Compile(Type.Object({ id: Type.Optional(Id), subject: Type.Optional(Subject), fields: Fields }))
const Grant = Compile(
  Type.Object({
    id: Type.Optional(Id),
    subject: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
    grantee: Type.String({ minLength: 1, maxLength: 100 }),
    class: Type.Enum(['wellness', 'glucose', 'training', 'media']),
    action: Type.Enum(['read', 'write']),
    expires_at: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
  }),
)
const Erase = Compile(Type.Object({ subject: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) }))
const Offer = Compile(
  Type.Object({
    job_id: Type.Optional(Id),
    kind: Type.String({ minLength: 1, maxLength: 60 }),
    subject: Type.Optional(Subject),
    params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    deadline: Type.Optional(Type.Integer({ description: 'Milliseconds UTC' })),
  }),
)
const NewToken = Compile(
  Type.Object({ role: Type.Enum([...TOKEN_ROLES]), name: Type.String({ minLength: 1, maxLength: 100 }) }),
)

/** The API's name of an entity's kind. */
const KINDS: Readonly<Record<string, EntityKind>> = {
  calendar: 'calendar',
  people: 'person',
  groups: 'group',
}
const PAGE = 500

class Refuse extends Error {
  readonly status: number
  readonly reason: string

  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }
}

interface Params {
  id: string
}

/** Every route asks for a household's token; what it may do depends on the token's role. */
export function householdRoutes(parts: CloudParts) {
  const { base, identity } = parts
  const clock = editingClock(parts.now, newId().slice(0, 8))
  const accounts = new WeakMap<FastifyRequest, Account>()
  const of = (request: FastifyRequest): Account => {
    const account = accounts.get(request)
    if (!account) throw new Refuse(401, 'token', 'A token of the household is needed.')
    return account
  }
  /** The account, when its role is at least that one. */
  const as = (request: FastifyRequest, role: TokenRole): Account => {
    const account = of(request)
    if (TOKEN_ROLES.indexOf(account.role) < TOKEN_ROLES.indexOf(role))
      throw new Refuse(403, 'role', `This needs a token of the role ${role}.`)
    return account
  }
  const inside = <Result>(account: Account, work: (queries: Queries, household: string) => Promise<Result>) =>
    base.household(account.household, (queries) => work(queries, account.household))

  return async (http: FastifyInstance) => {
    http.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'private, no-store').header('vary', 'Authorization')
      const account = await identity.accountOf(request.headers.authorization)
      const waitS = parts.accountLimit.take(account?.tokenId ?? request.ip)
      if (waitS > 0) {
        reply.header('retry-after', String(waitS))
        throw new Refuse(429, 'rate', 'Too many requests: wait.')
      }
      if (!account) throw new Refuse(401, 'token', 'A token of the household is needed.')
      accounts.set(request, account)
    })
    http.setErrorHandler(answerFault(parts))

    http.get('/api/household', async (request) => {
      const { household, role } = of(request)
      return { household_id: household, role }
    })
    http.post('/api/household/tokens', async (request, reply) => {
      const { household } = as(request, 'owner')
      return reply
        .code(201)
        .send(await addToken(base.owner, household, checked(NewToken, request.body), parts.now()))
    })
    http.get('/api/household/hubs', async (request) => ({
      hubs: await listHubs(base.owner, of(request).household),
    }))
    http.post('/api/household/hubs/codes', async (request, reply) => {
      const { household } = as(request, 'owner')
      const { code, expiresAtMs } = await addCode(base.owner, parts.key, household, parts.now())
      return reply.code(201).send({ code, expires_at: expiresAtMs })
    })
    http.delete<{ Params: Params }>('/api/household/hubs/:id', async (request, reply) => {
      const { household } = as(request, 'owner')
      if (!(await revokeHub(base.owner, household, request.params.id, parts.now()))) throw missing()
      return reply.code(204).send()
    })

    for (const [name, kind] of Object.entries(KINDS)) entityRoutes(http, name, kind)

    http.get('/api/household/consents', async (request) => ({
      consents: await inside(of(request), listConsents),
    }))
    http.post('/api/household/consents', async (request, reply) => {
      const { id = newId(), subject, expires_at = null, ...grant } = checked(Grant, request.body)
      const consent: Consent = {
        subject,
        grant: { ...grant, expires_at, granted: clock.tick() },
        revoked: null,
      }
      const said = await inside(as(request, 'owner'), (queries, household) =>
        editConsent(queries, household, id, consent, clock),
      )
      return reply.code(201).send(said)
    })
    http.delete<{ Params: Params }>('/api/household/consents/:id', async (request) => {
      const said = await inside(as(request, 'owner'), (queries, household) =>
        editConsent(queries, household, request.params.id, 'revoke', clock),
      )
      if (!said) throw missing()
      return said
    })

    http.get('/api/household/erasures', async (request) => ({
      erasures: await inside(of(request), erasuresOf),
    }))
    http.post('/api/household/erasures', async (request, reply) => {
      const account = as(request, 'owner')
      const { subject } = checked(Erase, request.body)
      const erasure = { subject, requested_at: parts.now(), requested_by: `cloud:${account.tokenId}` }
      await inside(account, async (queries, household) => {
        await lockHousehold(queries, household, 'exclusive')
        await erase(queries, household, erasure, parts.now())
      })
      return reply.code(202).send({ erasures: await inside(account, erasuresOf) })
    })

    http.get('/api/household/jobs', async (request) => ({
      jobs: await inside(of(request), (queries, household) => listJobs(queries, household, parts.now())),
    }))
    http.post('/api/household/jobs', async (request, reply) => {
      const { job_id = newId(), ...offer } = checked(Offer, request.body)
      const done = await inside(as(request, 'editor'), (queries, household) =>
        processJob(queries, household, null, { job_id, ...offer }, parts.now()),
      )
      if ('job' in done) return reply.code(202).send(done.job)
      if (done.fault === 'invalid') throw new Refuse(400, 'invalid', done.told)
      if (done.fault === 'full') throw new Refuse(429, 'full', 'Too many jobs are open.')
      throw new Refuse(410, 'erased', 'This person is erased.')
    })
    http.get<{ Params: { kind: string }; Querystring: { after?: string } }>(
      '/api/household/rows/:kind',
      async (request) => {
        const { kind } = request.params
        if (!HAPPENING_TABLES.some((table) => table === kind)) throw missing()
        return inside(of(request), (queries, household) =>
          rowsOf(queries, household, kind, request.query.after ?? ''),
        )
      },
    )
    http.get<{ Querystring: Record<string, string> }>('/api/household/rollups', async (request) =>
      inside(of(request), (queries, household) => rollupsOf(queries, household, request.query)),
    )
  }

  function entityRoutes(http: FastifyInstance, name: string, kind: EntityKind): void {
    const path = `/api/household/${name}`
    const edit = async (
      request: FastifyRequest,
      id: string,
      fields: Record<string, unknown>,
      subject: string | null,
      creates: boolean,
    ) => {
      const done = await inside(as(request, 'editor'), (queries, household) =>
        editEntity(queries, household, { kind, id, subject, fields, creates }, clock),
      )
      if ('entity' in done) return done.entity
      throw done.fault === 'erased' ? new Refuse(410, 'erased', 'This person is erased.') : missing()
    }
    http.get(path, async (request) => ({
      [name]: await inside(of(request), (queries, household) => listEntities(queries, household, kind)),
    }))
    http.post(path, async (request, reply) => {
      const { id = newId(), subject = null, fields } = checked(Edit, request.body)
      return reply.code(201).send(await edit(request, id, fields, subject, true))
    })
    http.patch<{ Params: Params }>(`${path}/:id`, async (request) => {
      const { fields } = checked(Edit, request.body)
      return edit(request, request.params.id, fields, null, false)
    })
    http.delete<{ Params: Params }>(`${path}/:id`, async (request, reply) => {
      await edit(request, request.params.id, { deleted: true }, null, false)
      return reply.code(204).send()
    })
  }
}

function missing(): Refuse {
  return new Refuse(404, 'missing', 'There is no such thing in this household.')
}

function answerFault(parts: CloudParts) {
  return async (cause: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const isOurs = cause instanceof Refuse
    const statusCode = cause instanceof Error && 'statusCode' in cause ? Number(cause.statusCode) : 503
    const status = isOurs ? cause.status : statusCode
    const reason = isOurs ? cause.reason : status < 500 ? 'invalid' : 'unavailable'
    parts.metrics.refused.inc({ reason })
    if (status >= 500)
      parts.log.error({ err: cause, route: request.routeOptions.url }, 'a request of an account failed')
    if (status === 503) reply.header('retry-after', '5')
    const message =
      isOurs || status < 500 ? String((cause as Error).message) : 'The service cannot do this right now.'
    return reply.code(status).send({ error: { reason, message } })
  }
}

interface BodyCheck<Value> {
  Check(value: unknown): value is Value
  Errors(value: unknown): readonly { instancePath: string; message: string }[]
}

function checked<Value>(check: BodyCheck<Value>, body: unknown): Value {
  if (check.Check(body)) return body
  const [error] = check.Errors(body)
  throw new Refuse(400, 'invalid', `${error?.instancePath || 'body'} ${error?.message ?? 'does not fit'}`)
}

/** A page of what the hubs sent of a kind, opened; `next` asks for the page behind it. */
async function rowsOf(queries: Queries, household: string, kind: string, after: string) {
  const { rows } = await queries.query<{
    hub: string
    key: string
    subject: string | null
    body: Record<string, unknown>
  }>(
    `SELECT hub_id AS hub, key, subject, body FROM ${kind}
     WHERE household_id = $1 AND body IS NOT NULL AND key > $2 ORDER BY key, hub_id LIMIT ${PAGE}`,
    [household, after],
  )
  const keys = await keysOf(queries, household)
  return {
    rows: rows.map(({ hub, key, subject, body }) => ({ hub, key, ...openedBody(keys, subject, body) })),
    next: rows.length === PAGE ? (rows.at(-1)?.key ?? null) : null,
  }
}

const RollupsAsked = Compile(
  Type.Object({
    subject: Type.String({ minLength: 1 }),
    metric: Type.String({ minLength: 1 }),
    level: Type.Optional(Type.Enum(['hour', 'day'])),
    from: Type.String({ pattern: '^-?\\d{1,15}$' }),
    to: Type.String({ pattern: '^-?\\d{1,15}$' }),
  }),
)

/** Of two hubs that saw one device in one bucket the one that covered more of it speaks; hubs are never added up. */
async function rollupsOf(queries: Queries, household: string, query: Record<string, string>) {
  const { subject, metric, level = 'hour', from, to } = checked(RollupsAsked, query)
  const { rows } = await queries.query(
    `SELECT DISTINCT ON (device, start) device, start, hub_id AS hub, scale, n, sum, sum_sq, min, min_at, max, max_at, first, first_at,
       last, last_at, covered_ms, sum_v_dt, n_diff, sum_sq_diff, encode(bins, 'base64') AS bins
     FROM rollup_${level}
     WHERE household_id = $1 AND subject = $2 AND metric = $3 AND start >= $4 AND start < $5 AND n IS NOT NULL
     ORDER BY device, start, covered_ms DESC, n DESC, hub_id LIMIT 10000`,
    [household, subject, metric, Number(from), Number(to)],
  )
  return { rollups: rows }
}
