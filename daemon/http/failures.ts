import type { ServerResponse } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Http } from '../domain/route.ts'
import { iso } from '../kernel/envelope.ts'
import { type ErrorCode, HubError } from '../kernel/errors.ts'

/** How long a caller should wait when the answer itself does not know better. */
const RETRY_AFTER_S = 5

/** The body of a refusal, shared by every listener. */
export function failureBody(error: HubError, nowMs: number) {
  return {
    success: false as const,
    error: { code: error.code, message: error.message, details: error.details },
    timestamp: iso(nowMs),
  }
}

/** Puts every error of the server into the envelope; what nobody expected is logged once and told to nobody. */
export function answerFailures(http: Http, now: () => number): void {
  http.setErrorHandler((error, request, reply) => {
    const known = error instanceof HubError ? error : fromFramework(error)
    if (known) return answer(known, reply, now())
    request.log.error({ err: error, route: request.routeOptions.url }, 'request failed')
    return answer(
      new HubError('INTERNAL', `Something went wrong in the hub. Its log has more under ${request.id}.`),
      reply,
      now(),
    )
  })
  http.setNotFoundHandler((request: FastifyRequest) => {
    throw new HubError(
      'NOT_FOUND',
      `There is no ${request.method} ${pathOf(request.url)}. See /docs for what there is.`,
    )
  })
}

/** Refuses a request whose URL the router could not even read; no hook has run. */
export function refuseUnroutable(
  response: ServerResponse,
  cause: Error,
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): void {
  const error = new HubError('VALIDATION_ERROR', `The URL could not be read: ${cause.message}.`)
  response.writeHead(error.status, { ...headers, 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(failureBody(error, nowMs)))
}

function answer(error: HubError, reply: FastifyReply, nowMs: number): FastifyReply {
  const retryAfterS =
    error.retryAfterS ?? (error.status === 429 || error.status === 503 ? RETRY_AFTER_S : null)
  if (retryAfterS !== null) reply.header('retry-after', String(retryAfterS))
  if (error.code === 'UNAUTHENTICATED' || error.code === 'TOKEN_EXPIRED') {
    reply.header('www-authenticate', 'Bearer realm="homefield"')
  }
  reply.removeHeader('etag')
  return reply.code(error.status).type('application/json; charset=utf-8').send(failureBody(error, nowMs))
}

/** Fastify's own refusals in our words; null for an error that is not one of them. */
function fromFramework(error: unknown): HubError | null {
  if (!(error instanceof Error)) return null
  const { statusCode, code: name }: Partial<FastifyError> = error
  const code = name === 'FST_ERR_CTP_INVALID_MEDIA_TYPE' ? 'UNSUPPORTED_MEDIA' : codeOf(statusCode)
  return code === null ? null : new HubError(code, wordsFor(code, error), { cause: error })
}

/** A file that may not be served is not there; every other refusal below 500 is about what the caller sent. */
function codeOf(status: number | undefined): ErrorCode | null {
  switch (status) {
    case 403:
    case 404:
      return 'NOT_FOUND'
    case 413:
      return 'TOO_LARGE'
    case 415:
      return 'UNSUPPORTED_MEDIA'
    default:
      return status !== undefined && status >= 400 && status < 500 ? 'VALIDATION_ERROR' : null
  }
}

function wordsFor(code: ErrorCode, error: Error): string {
  switch (code) {
    case 'TOO_LARGE':
      return 'The body is larger than this route takes, counted after decompression. Send it in smaller parts.'
    case 'UNSUPPORTED_MEDIA':
      return 'Send JSON as application/json, plain or compressed with gzip, br or deflate.'
    case 'NOT_FOUND':
      return 'There is nothing here.'
    default:
      return `The request could not be read: ${error.message}.`
  }
}

function pathOf(url: string): string {
  return url.split('?', 1)[0]?.slice(0, 200) ?? '/'
}
