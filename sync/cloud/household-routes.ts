/** The API of a household in the cloud: hubs, calendar, people, groups, consents, erasures, jobs, and what the hubs sent. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Consent } from '../rows.ts'
import type { Queries } from './database.ts'
import { editConsent, editingClock, listConsents } from './entities.ts'
import { entityRoutes } from './entity-routes.ts'
import { erase, lockHousehold } from './feed.ts'
import {
  Answers,
  Checks,
  checked,
  described,
  Erase,
  Grant,
  KindParams,
  missing,
  NewToken,
  Offer,
  Params,
  Refuse,
  RollupsQuery,
  RowsQuery,
} from './household-bodies.ts'
import { addCode, addToken, listHubs, listTokens, newId, revokeHub, revokeToken } from './households.ts'
import { type Account, TOKEN_ROLES, type TokenRole } from './identity.ts'
import { listJobs, processJob } from './jobs.ts'
import type { CloudParts } from './parts.ts'
import { HAPPENING_TABLES } from './schema.ts'
import { erasuresOf } from './status.ts'
import { keysOf, openedBody } from './vault.ts'

const PAGE = 500

interface ById {
  Params: { id: string }
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

    http.get(
      '/api/household',
      { schema: described('Whose token this is', Answers.household) },
      async (request) => {
        const { household, role } = of(request)
        return { household_id: household, role }
      },
    )
    tokenRoutes(http)
    hubRoutes(http)
    entityRoutes(http, { clock, as, inside })
    consentRoutes(http)
    erasureRoutes(http)
    jobRoutes(http)
    readingRoutes(http)
  }

  function tokenRoutes(http: FastifyInstance): void {
    const path = '/api/household/tokens'
    http.get(path, { schema: described('Who may ask here', Answers.tokens) }, async (request) => ({
      tokens: await listTokens(base.owner, as(request, 'owner').household),
    }))
    http.post(
      path,
      { schema: described('Let somebody ask here', Answers.token, { status: 201, body: NewToken }) },
      async (request, reply) => {
        const { household } = as(request, 'owner')
        const token = await addToken(base.owner, household, checked(Checks.token, request.body), parts.now())
        return reply.code(201).send(token)
      },
    )
    http.delete<ById>(
      `${path}/:id`,
      { schema: described('Take a token back', null, { params: Params }) },
      async (request, reply) => {
        const { household } = as(request, 'owner')
        if (!(await revokeToken(base.owner, household, request.params.id, parts.now()))) throw missing()
        return reply.code(204).send()
      },
    )
  }

  function hubRoutes(http: FastifyInstance): void {
    const path = '/api/household/hubs'
    http.get(path, { schema: described('Hubs of the household', Answers.hubs) }, async (request) => ({
      hubs: await listHubs(base.owner, of(request).household),
    }))
    http.post(
      `${path}/codes`,
      { schema: described('A code with which one hub joins within a day', Answers.code, { status: 201 }) },
      async (request, reply) => {
        const { household } = as(request, 'owner')
        const { code, expiresAtMs } = await addCode(base.owner, parts.key, household, parts.now())
        return reply.code(201).send({ code, expires_at: expiresAtMs })
      },
    )
    http.delete<ById>(
      `${path}/:id`,
      { schema: described('Take a hub out: it reads nothing within a minute', null, { params: Params }) },
      async (request, reply) => {
        const { household } = as(request, 'owner')
        if (!(await revokeHub(base.owner, household, request.params.id, parts.now()))) throw missing()
        return reply.code(204).send()
      },
    )
  }

  function consentRoutes(http: FastifyInstance): void {
    const path = '/api/household/consents'
    http.get(path, { schema: described('Who may see what of whom', Answers.consents) }, async (request) => ({
      consents: await inside(of(request), listConsents),
    }))
    http.post(
      path,
      { schema: described('Grant', Answers.consent, { status: 201, body: Grant }) },
      async (request, reply) => {
        const account = as(request, 'owner')
        const { id = newId(), subject, expires_at = null, ...grant } = checked(Checks.grant, request.body)
        const consent: Consent = {
          subject,
          grant: { ...grant, expires_at, granted: clock.tick() },
          revoked: null,
        }
        const said = await inside(account, (queries, household) =>
          editConsent(queries, household, id, consent, clock),
        )
        if (said === 'erased') throw new Refuse(410, 'erased', 'This person is erased.')
        return reply.code(201).send(said)
      },
    )
    http.delete<ById>(
      `${path}/:id`,
      { schema: described('Withdraw, for good', Answers.consent, { params: Params }) },
      async (request) => {
        const said = await inside(as(request, 'owner'), (queries, household) =>
          editConsent(queries, household, request.params.id, 'revoke', clock),
        )
        if (said === null || said === 'erased') throw missing()
        return said
      },
    )
  }

  function erasureRoutes(http: FastifyInstance): void {
    const path = '/api/household/erasures'
    const listed = described('Who is erased, and which hubs have not done it yet', Answers.erasures)
    http.get(path, { schema: listed }, async (request) => ({
      erasures: await inside(of(request), erasuresOf),
    }))
    http.post(
      path,
      {
        schema: described('Erase a person everywhere, for good', Answers.erasures, {
          status: 202,
          body: Erase,
        }),
      },
      async (request, reply) => {
        const account = as(request, 'owner')
        const { subject } = checked(Checks.erase, request.body)
        const erasure = { subject, requested_at: parts.now(), requested_by: `cloud:${account.tokenId}` }
        await inside(account, async (queries, household) => {
          await lockHousehold(queries, household, 'exclusive')
          await erase(queries, household, erasure, parts.now())
        })
        return reply.code(202).send({ erasures: await inside(account, erasuresOf) })
      },
    )
  }

  function jobRoutes(http: FastifyInstance): void {
    const path = '/api/household/jobs'
    const jobsOf = (account: Account) =>
      inside(account, (queries, household) => listJobs(queries, household, parts.now()))
    http.get(path, { schema: described('What hubs were asked to do', Answers.jobs) }, async (request) => ({
      jobs: await jobsOf(of(request)),
    }))
    http.get<ById>(
      `${path}/:id`,
      { schema: described('One of the jobs', Answers.job, { params: Params }) },
      async (request) => {
        const found = (await jobsOf(of(request))).find(({ job_id: id }) => id === request.params.id)
        if (!found) throw missing()
        return found
      },
    )
    http.post(
      path,
      { schema: described('Ask a hub to do something', Answers.job, { status: 202, body: Offer }) },
      async (request, reply) => {
        const account = as(request, 'editor')
        const { job_id = newId(), ...offer } = checked(Checks.offer, request.body)
        const done = await inside(account, (queries, household) =>
          processJob(queries, household, null, { job_id, ...offer }, parts.now()),
        )
        if ('job' in done) return reply.code(202).send(done.job)
        if (done.fault === 'invalid') throw new Refuse(400, 'invalid', done.told)
        if (done.fault === 'full') throw new Refuse(429, 'full', 'Too many jobs are open.')
        throw new Refuse(410, 'erased', 'This person is erased.')
      },
    )
  }

  function readingRoutes(http: FastifyInstance): void {
    http.get<{ Params: { kind: string }; Querystring: { after?: string } }>(
      '/api/household/rows/:kind',
      {
        schema: described(`What hubs sent: ${HAPPENING_TABLES.join(', ')}`, Answers.rows, {
          params: KindParams,
          querystring: RowsQuery,
        }),
      },
      async (request) => {
        const { kind } = request.params
        if (!HAPPENING_TABLES.some((table) => table === kind)) throw missing()
        return inside(of(request), (queries, household) =>
          rowsOf(queries, household, kind, request.query.after ?? ''),
        )
      },
    )
    http.get<{ Querystring: Record<string, string> }>(
      '/api/household/rollups',
      { schema: described('Hours or days added up', Answers.rollups, { querystring: RollupsQuery }) },
      async (request) =>
        inside(of(request), (queries, household) => rollupsOf(queries, household, request.query)),
    )
  }
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
    return reply.code(status).send({ error: { reason, message }, ...(isOurs ? cause.more : {}) })
  }
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

/** Of two hubs that saw one device in one bucket the one that covered more of it speaks; hubs are never added up. */
async function rollupsOf(queries: Queries, household: string, query: Record<string, string>) {
  const { subject, metric, level = 'hour', from, to } = checked(Checks.rollups, query)
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
