import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Http } from '../domain/route.ts'

/**
 * Gives GET answers an ETag and answers 304 when the caller has that state already. The envelope's own timestamp changes
 * with every answer and says nothing about the data, so it is left out of the tag.
 */
export function tagAnswers(http: Http): void {
  http.addHook('onSend', async (request, reply, payload) => {
    if (!reply.hasHeader('cache-control')) {
      reply.header('cache-control', request.method === 'GET' ? 'private, no-cache' : 'no-store')
    }
    if (typeof payload !== 'string' || !isTaggable(request, reply)) return payload
    const tag = `W/"${createHash('sha256').update(withoutTimestamp(payload)).digest('base64url').slice(0, 27)}"`
    reply.header('etag', tag)
    if (!matches(request.headers['if-none-match'], tag)) return payload
    reply.code(304).removeHeader('content-length').removeHeader('content-type')
    return null
  })
}

function isTaggable(request: FastifyRequest, reply: FastifyReply): boolean {
  return (
    (request.method === 'GET' || request.method === 'HEAD') &&
    reply.statusCode === 200 &&
    !reply.hasHeader('etag') &&
    reply.getHeader('cache-control') !== 'no-store'
  )
}

/** The envelope's timestamp is the last one in the text: data stands before it, and on seed paths it is put last. */
function withoutTimestamp(payload: string): string {
  const at = payload.lastIndexOf('"timestamp":"')
  if (at < 0) return payload
  const end = payload.indexOf('"', at + 13)
  return payload.slice(0, at) + payload.slice(end)
}

function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  const bare = tag.replace(/^W\//, '')
  return header.split(',').some((one) => {
    const seen = one.trim()
    return seen === '*' || seen.replace(/^W\//, '') === bare
  })
}
