import { createHash } from 'node:crypto'
import compress from '@fastify/compress'
import type { Http } from '../domain/route.ts'
import { HubError } from '../kernel/errors.ts'
import { renameFields, type SeedPaths, withDataOnTop } from './aliases.ts'

/** Smaller answers cost more to compress than they save. */
const COMPRESS_ABOVE_BYTES = 1024
const DEPTH_MAX = 64
const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

declare module 'fastify' {
  interface FastifyRequest {
    /** SHA-256 of the JSON body as sent, after decompression; empty when there was none. */
    bodyHash: string
  }
}

/**
 * Takes JSON only: a form or `text/plain` is what a foreign page can send without asking, so both answer 415. The limit
 * of a route counts inflated bytes.
 */
export async function readBodies(http: Http): Promise<void> {
  await http.register(compress, {
    threshold: COMPRESS_ABOVE_BYTES,
    encodings: ['br', 'gzip'],
    requestEncodings: ['gzip', 'br', 'deflate'],
    onUnsupportedRequestEncoding: (encoding) =>
      new HubError(
        'UNSUPPORTED_MEDIA',
        `Content-Encoding ${encoding} is not taken. Use gzip, br or deflate.`,
      ),
    onInvalidRequestPayload: (encoding) =>
      new HubError('VALIDATION_ERROR', `The body is not valid ${encoding}. Send it again.`),
  })
  http.removeAllContentTypeParsers()
  http.decorateRequest('bodyHash', '')
  const parse = http.getDefaultJsonParser('error', 'error')
  http.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (request.headers['idempotency-key'] !== undefined) {
      request.bodyHash = createHash('sha256').update(body).digest('hex')
    }
    // Clients that always name JSON also do so where there is nothing to send.
    if (body.length === 0) done(null, null)
    else if (isTooDeep(body))
      done(new HubError('VALIDATION_ERROR', `The body is nested deeper than ${DEPTH_MAX}.`))
    else void parse(request, body.toString('utf8'), done)
  })
}

/** Counts open brackets outside of texts, before a parser or a serialiser recurses into them. */
function isTooDeep(json: Buffer): boolean {
  let depth = 0
  let inText = false
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at]
    if (inText) {
      if (byte === BACKSLASH) at += 1
      else if (byte === QUOTE) inText = false
    } else if (byte === QUOTE) inText = true
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1
      if (depth > DEPTH_MAX) return true
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1
  }
  return false
}

/** Lets the seeds' field names and paths mean ours, once for every route. */
export function speakSeedDialects(http: Http, seedPaths: SeedPaths): void {
  http.addHook('preValidation', async (request) => {
    const { schema } = request.routeOptions
    const clash = renameFields(request.query, schema?.querystring) ?? renameFields(request.body, schema?.body)
    if (clash === null) return
    throw new HubError(
      'VALIDATION_ERROR',
      `${clash} contradicts the field it stands for. Send one of the two.`,
      {
        details: [{ path: clash, message: 'contradicts the field it stands for' }],
      },
    )
  })
  http.addHook('preSerialization', async (request, _reply, payload) =>
    seedPaths.isSeed(request.raw) && request.routeOptions.config.envelope !== false
      ? withDataOnTop(payload)
      : payload,
  )
}
