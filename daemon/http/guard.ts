import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Http } from '../domain/route.ts'
import { HubError } from '../kernel/errors.ts'
import { hostIsOurs, isAllowedOrigin, isCrossSite } from './origin.ts'

/** Everything from the hub's own origin, nothing inline, no framing, and script sinks behind Trusted Types. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
  "object-src 'none'; require-trusted-types-for 'script'"

/**
 * The one worker that runs WebAssembly may compile it: a worker has the policy of its own file, so no page needs the leave, and
 * nothing else may be evaluated in either.
 */
export const SENSOR_SECURITY_POLICY = CONTENT_SECURITY_POLICY.replace(
  "script-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
)

/**
 * Headers of every answer. No Strict-Transport-Security: under it a browser offers no way past a certificate it does not
 * trust yet, which would lock a household out of its own hub.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

export interface GuardDeps {
  /** Names and addresses that are the hub's, as bare hosts; they change with the network. */
  ownHosts: () => ReadonlySet<string>
  allowedOrigins: readonly string[]
  /** Whether the request came through the control socket, where no browser can be. */
  isLocal: (request: IncomingMessage) => boolean
}

/** Refuses foreign names and foreign pages before anything else looks at the request, upgrades included. */
export function guardAgainstForeignPages(http: Http, deps: GuardDeps): void {
  http.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS)
    if (deps.isLocal(request.raw)) return
    const { host, origin } = request.headers
    if (!hostIsOurs(host, deps.ownHosts(), request.socket.localAddress)) {
      throw new HubError(
        'WRONG_HOST',
        'This hub does not answer to that name. Use its own name or address, or add the name to http.hostnames.',
      )
    }
    refuseForeignPage(request, deps)
    if (origin === undefined) return
    reply.header('vary', 'Origin')
    if (isAllowedOrigin(origin, deps.allowedOrigins)) return answerCors(request, reply, origin)
    return undefined
  })
}

function refuseForeignPage(request: FastifyRequest, deps: GuardDeps): void {
  const from = {
    method: request.method,
    upgrade: request.headers.upgrade !== undefined,
    host: request.headers.host,
    origin: request.headers.origin,
    secFetchSite: header(request, 'sec-fetch-site'),
    localAddress: request.socket.localAddress,
  }
  if (!isCrossSite(from, deps.allowedOrigins)) return
  throw new HubError(
    'CROSS_SITE',
    'A page of another site may not do this. Open the hub directly, or add the origin to http.allowedOrigins.',
  )
}

/** Lets an allowed origin in with its bearer token; cookies of the hub stay out of reach of other sites. */
function answerCors(request: FastifyRequest, reply: FastifyReply, origin: string): FastifyReply | undefined {
  delete request.headers.cookie
  reply.header('access-control-allow-origin', origin)
  reply.header('access-control-expose-headers', 'x-request-id, retry-after, etag, idempotency-replayed')
  if (request.method !== 'OPTIONS' || !header(request, 'access-control-request-method')) return undefined
  reply.header('access-control-allow-methods', 'GET, HEAD, POST, PUT, PATCH, DELETE')
  reply.header('access-control-allow-headers', 'authorization, content-type, idempotency-key, if-none-match')
  reply.header('access-control-max-age', '600')
  return reply.code(204).send()
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
