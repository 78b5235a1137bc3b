import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../domain/access.ts'
import type { Http, Policy } from '../domain/route.ts'
import { HubError } from '../kernel/errors.ts'
import { senderOf } from '../kernel/sender.ts'
import { isLoopback } from './origin.ts'
import { checkRole } from './policy.ts'
import { type Allowance, createRateLimiter } from './rate-limit.ts'

/** Turns a credential into who is asking; both throw HubError UNAUTHENTICATED or TOKEN_EXPIRED. */
export interface Authenticator {
  fromBearer(token: string): Actor | Promise<Actor>
  fromApiKey(key: string): Actor | Promise<Actor>
  /** Who stands behind a secret of the shapes that uploaders send; null for a text of another shape. */
  fromUploader?(secret: string): Actor | null
  /** Whether this sign-in gave its password within the last minutes. */
  isProven(signInId: string): boolean
  /** Whether somebody owns this hub yet. */
  isClaimed(): boolean
}

export interface AuthenticateDeps {
  authenticator: Authenticator
  monotonic: () => number
  rateLimitPerMinute: number
  deviceRateLimitPerMinute: number
  isLocal: (request: FastifyRequest['raw']) => boolean
  /** Came in without TLS, where nobody but an uploader may show who he is. */
  isPlain: (request: FastifyRequest['raw']) => boolean
}

const LOCAL: Actor = { kind: 'local', role: 'owner' }
const ANONYMOUS: Actor = { kind: 'anonymous' }
/** What applies off loopback when the owner turned the limit off, which only loopback honours. */
const DEFAULT_PER_MINUTE = 100

/** Says who is asking, holds everybody to their share, and refuses roles that a route is not for. */
export function authenticateRequests(http: Http, deps: AuthenticateDeps): void {
  const limiter = createRateLimiter({ monotonic: deps.monotonic })
  http.decorateRequest('actor')
  http.addHook('onRequest', async (request, reply) => {
    request.actor = deps.isLocal(request.raw) ? LOCAL : ANONYMOUS
    if (request.actor.kind === 'local') return
    const policy = request.routeOptions.config.policy
    if (!deps.authenticator.isClaimed() && !isOpenBeforeClaim(request)) {
      throw new HubError(
        'NOT_CLAIMED',
        'Nobody owns this hub yet. Open /app and enter the claim code it shows at start.',
      )
    }
    const failed = await identify(request, deps, policy)
    const limit = limitOf(request, deps)
    if (isApi(request) && limit !== null) hold(limiter.take(keyOf(request), limit), reply)
    if (failed) throw failed.cause
    if (policy) checkRole(request.actor, policy)
  })
}

function isOpenBeforeClaim(request: FastifyRequest): boolean {
  const policy = request.routeOptions.config.policy
  return policy?.access === 'open' && policy.beforeClaim === true
}

/** A refused credential counts against the caller's address before it is answered: guessing is not free. */
async function identify(
  request: FastifyRequest,
  { authenticator, isPlain }: AuthenticateDeps,
  policy: Policy | undefined,
): Promise<{ cause: unknown } | null> {
  // Open routes take no notice of credentials, so that a stale one does not stand in the way of signing in; nor does what
  // is not there.
  if (!policy || policy.access === 'open' || policy.access === 'local') return null
  try {
    const uploader = request.routeOptions.config.uploader === true ? uploaderOf(request, authenticator) : null
    request.actor = uploader ?? (isPlain(request.raw) ? ANONYMOUS : await whoAsks(request, authenticator))
    return null
  } catch (cause) {
    return { cause }
  }
}

async function whoAsks(request: FastifyRequest, authenticator: Authenticator): Promise<Actor> {
  const bearer = /^Bearer +([^ ]+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return authenticator.fromBearer(bearer)
  const key = request.headers['x-api-key']
  if (typeof key === 'string' && key !== '') return authenticator.fromApiKey(key)
  return ANONYMOUS
}

/** Nightscout's uploaders sign in with a header of their own, in the query, or with a token made for them. */
function uploaderOf(request: FastifyRequest, authenticator: Authenticator): Actor | null {
  const bearer = /^Bearer +([^ ]+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const asked = (part: unknown, name: string) =>
    typeof part === 'object' && part !== null ? Reflect.get(part, name) : undefined
  const { query, params } = request
  const inUrl: unknown[] = [asked(query, 'token'), asked(query, 'secret'), asked(params, 'token')]
  const sent = [request.headers['api-secret'], bearer, ...inUrl].find(
    (place) => typeof place === 'string' && place !== '',
  )
  return typeof sent === 'string' ? (authenticator.fromUploader?.(sent) ?? null) : null
}

/** By route: `/%61pi/…` and `https://hub/api/…` are other spellings of the same path. */
function isApi({ routeOptions, url }: FastifyRequest): boolean {
  return (routeOptions.url ?? url).startsWith('/api/')
}

function keyOf({ actor, ip }: FastifyRequest): string {
  switch (actor.kind) {
    case 'user':
      return `user:${actor.userId}`
    case 'device':
      return `device:${actor.deviceId}`
    default:
      return `address:${senderOf(ip)}`
  }
}

/** Requests a minute, null for no limit. */
function limitOf({ actor, ip }: FastifyRequest, deps: AuthenticateDeps): number | null {
  const set = actor.kind === 'device' ? deps.deviceRateLimitPerMinute : deps.rateLimitPerMinute
  if (set > 0) return set
  return isLoopback(ip) ? null : DEFAULT_PER_MINUTE
}

function hold(allowance: Allowance, reply: FastifyReply): void {
  reply.header('x-ratelimit-limit', String(allowance.limit))
  reply.header('x-ratelimit-remaining', String(allowance.remaining))
  reply.header('x-ratelimit-reset', String(allowance.resetS))
  if (allowance.allowed) return
  throw new HubError('RATE_LIMITED', `Too many requests. Try again in ${allowance.resetS} s.`, {
    retryAfterS: allowance.resetS,
  })
}
