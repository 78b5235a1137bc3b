/** HTTP of the WHOOP connection: begun, finished, looked at, fetched from, ended. */
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Connections } from './connections.ts'
import type { SignIns } from './sign-in.ts'

export interface WhoopRoutesDeps {
  /** Null: not set up, nothing is fetched. */
  whoop: { connections: Connections; signIns: SignIns; disconnect(personId: string): Promise<void> } | null
  /** Where WHOOP sends people back to; empty: the hub's own address as the caller knows it. */
  redirectUri: string
  submit: (personId: string, days: number | undefined, requestedBy: string | null) => Promise<{ id: string }>
  now: () => number
}

const ROLES = ['owner', 'caregiver', 'coach', 'member'] as const
const person = { in: 'query', name: 'person_id', orSelf: true } as const
const READ: Policy = { access: 'person', roles: ROLES, person, action: 'read', class: 'wellness' }
const WRITE: Policy = { access: 'person', roles: ROLES, person, action: 'write', class: 'wellness' }
/** Whoever comes back from WHOOP's page has no token; the state is the proof. */
const OPEN: Policy = { access: 'open' }
const PATH = '/integrations/whoop'
const PersonQuery = Type.Object({ person_id: Type.Optional(Id) }, { additionalProperties: false })
const Text = Type.String({ maxLength: 2048 })
const CallbackQuery = Type.Object(
  { state: Type.Optional(Text), code: Type.Optional(Text), error: Type.Optional(Text) },
  { additionalProperties: true },
)
const CallbackBody = Type.Object({ state: Text, code: Text }, { additionalProperties: false })
const SyncQuery = Type.Object(
  {
    person_id: Type.Optional(Id),
    days: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 365, description: 'How far back; absent: what is new' }),
    ),
  },
  { additionalProperties: false },
)
const Status = Type.Object({
  person_id: Id,
  configured: Type.Boolean(),
  state: Type.Enum(['not_configured', 'not_connected', 'connected', 'connect_again']),
  connected_at: Type.Union([Timestamp, Type.Null()]),
  last_sync_at: Type.Union([Timestamp, Type.Null()]),
  last_error: Type.Union([Type.String(), Type.Null()]),
})
const Begun = Type.Object({ authorize_url: Type.String(), state: Type.String(), expires_at: Timestamp })
const Connected = Type.Object({ connected: Type.Literal(true), person_id: Id })
const Queued = Type.Object({ job_id: Type.String() })

type WhoopOutcome = 'connected' | 'denied' | 'used' | 'late' | 'refused' | 'unreachable' | 'failed'
const OUTCOMES: Partial<Record<string, WhoopOutcome>> = {
  PAIRING_INVALID: 'used',
  PAIRING_EXPIRED: 'late',
  CONFLICT: 'refused',
  OVERLOADED: 'unreachable',
}

const about = (summary: string) => ({ tags: ['whoop'], summary })

export function whoopRoutes(http: Http, deps: WhoopRoutesDeps): void {
  connectRoutes(http, deps)
  callbackRoutes(http, deps)
  syncRoutes(http, deps)
}

function connectRoutes(http: Http, { whoop, redirectUri, now }: WhoopRoutesDeps): void {
  for (const method of ['GET', 'POST'] as const)
    http.route({
      method,
      url: `${PATH}/connect`,
      config: { policy: WRITE },
      schema: {
        ...about('Begin to connect a WHOOP account: the page to send the person to'),
        querystring: PersonQuery,
        response: { 200: Ok(Begun) },
      },
      handler: async (request, reply) => {
        reply.header('cache-control', 'no-store')
        const back = redirectUri === '' ? ownAddress(request) : redirectUri
        const { authorizeUrl, state, expiresAtMs } = await configured(whoop).signIns.begin(
          request.personId,
          back,
        )
        return ok(now(), { authorize_url: authorizeUrl, state, expires_at: iso(expiresAtMs) })
      },
    })
  http.delete(
    PATH,
    {
      config: { policy: WRITE },
      schema: {
        ...about('Disconnect WHOOP: its tokens are forgotten, what was fetched stays'),
        querystring: PersonQuery,
        response: { 200: Ok(Type.Object({}, { additionalProperties: false })) },
      },
    },
    async ({ personId }) => {
      await whoop?.disconnect(personId)
      return ok(now(), {})
    },
  )
}

function callbackRoutes(http: Http, { whoop, submit, now }: WhoopRoutesDeps): void {
  const finish = async (state: string | undefined, code: string | undefined) => {
    if (!state || !code)
      throw new HubError(
        'VALIDATION_ERROR',
        'WHOOP did not allow it, or this is no answer of WHOOP’s. Connect again.',
      )
    const personId = await configured(whoop).signIns.finish(state, code)
    await submit(personId, undefined, null)
    return personId
  }
  http.get(
    `${PATH}/callback`,
    {
      config: { policy: OPEN },
      schema: {
        ...about('Where WHOOP sends people back to'),
        querystring: CallbackQuery,
        response: {
          200: Ok(Connected),
          303: Type.Null({ description: 'To a browser: the page of the app that says what became of it' }),
        },
      },
    },
    async ({ query, headers }, reply) => {
      // A browser is shown a page of the app; everybody else the answer itself.
      if (headers.accept?.includes('text/html')) {
        const about = query.state && whoop ? whoop.signIns.waitingFor(query.state) : null
        const outcome = await finish(query.state, query.code).then(
          () => 'connected' as const,
          outcomeOf(query.error),
        )
        return reply.redirect(pageOf(about, outcome), 303)
      }
      const personId = await finish(query.state, query.code)
      return ok(now(), { connected: true as const, person_id: personId })
    },
  )
  http.post(
    `${PATH}/callback`,
    {
      config: { policy: OPEN },
      schema: {
        ...about('Finish connecting with a code that was copied by hand'),
        body: CallbackBody,
        response: { 200: Ok(Connected) },
      },
    },
    async ({ body }) =>
      ok(now(), { connected: true as const, person_id: await finish(body.state, body.code) }),
  )
}

/** Why a sign-in came to nothing, in one word for the app's page; it has the sentences. */
function outcomeOf(refusal: string | undefined) {
  return (cause: unknown): WhoopOutcome => {
    if (refusal === 'access_denied') return 'denied'
    return cause instanceof HubError ? (OUTCOMES[cause.code] ?? 'failed') : 'failed'
  }
}

function pageOf(personId: string | null, outcome: WhoopOutcome): string {
  const page = personId === null ? '/app/health' : `/app/health/${encodeURIComponent(personId)}/whoop`
  return `${page}?whoop=${outcome}`
}

function syncRoutes(http: Http, { whoop, submit, now }: WhoopRoutesDeps): void {
  http.get(
    `${PATH}/status`,
    {
      config: { policy: READ },
      schema: {
        ...about('Whether WHOOP is connected, and what became of the last fetch'),
        querystring: PersonQuery,
        response: { 200: Ok(Status) },
      },
    },
    async ({ personId }) => {
      const found = whoop?.connections.find(personId) ?? null
      const state = found ? (found.state === 'broken' ? 'connect_again' : 'connected') : 'not_connected'
      return ok(now(), {
        person_id: personId,
        configured: whoop !== null,
        state: whoop ? state : ('not_configured' as const),
        connected_at: found ? iso(found.connectedAtMs) : null,
        last_sync_at: found?.syncedUntilMs == null ? null : iso(found.syncedUntilMs),
        last_error: found?.lastError ?? null,
      })
    },
  )
  http.post(
    `${PATH}/sync`,
    {
      config: { policy: WRITE },
      schema: {
        ...about('Fetch from WHOOP now; the job says how it goes'),
        querystring: SyncQuery,
        response: { 202: Ok(Queued) },
      },
    },
    async ({ personId, query, actor }, reply) => {
      const found = configured(whoop).connections.find(personId)
      if (!found) throw new HubError('CONFLICT', 'WHOOP is not connected for this person. Connect it first.')
      if (found.state === 'broken')
        throw new HubError('CONFLICT', 'WHOOP no longer takes the saved sign-in. Connect WHOOP again.')
      const { id } = await submit(personId, query.days, actor.kind === 'user' ? actor.userId : null)
      return reply.code(202).send(ok(now(), { job_id: id }))
    },
  )
}

function configured(whoop: WhoopRoutesDeps['whoop']): NonNullable<WhoopRoutesDeps['whoop']> {
  if (whoop) return whoop
  throw new HubError(
    'CONFLICT',
    'WHOOP is not set up. Register a client at WHOOP and set whoop.clientId and whoop.clientSecret.',
  )
}

/** The host was checked to be one of the hub's own before any handler runs. */
function ownAddress({ headers }: FastifyRequest): string {
  return `https://${headers.host ?? 'localhost'}/api/v1${PATH}/callback`
}
