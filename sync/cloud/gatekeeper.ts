/**
 * The only door to Electric or the built-in shape server: a hub's identity says which rows it reads, whatever it asks for. Row-level
 * security does not hold behind it, so nothing a client sends beyond a place in its own log passes through.
 */
import type { IncomingMessage } from 'node:http'
import { request as askHttp } from 'node:http'
import { request as askHttps } from 'node:https'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import {
  answerText,
  NONCE_HEADER,
  SERVER_SIGNATURE_HEADER,
  SERVER_TIME_HEADER,
  signText,
} from '../signing.ts'
import { FEED_COLUMNS, FEED_TABLE, PATHS } from '../wire.ts'
import { askedByHubs } from './document.ts'
import type { KnownHub } from './identity.ts'
import type { CloudParts } from './parts.ts'

/** What a client may say; everything else comes from its identity. */
const PASSED = ['offset', 'handle', 'live', 'live_sse', 'cursor', 'log'] as const
const Place = Type.Object(Object.fromEntries(PASSED.map((name) => [name, Type.Optional(Type.String())])))
const Shape = Type.Array(Type.Unknown(), { description: 'Messages; a stream of events with live_sse' })
/** What the client reads; cache headers are ours, because these answers are nobody else's. */
const RETURNED = [
  'content-type',
  'electric-cursor',
  'electric-handle',
  'electric-has-data',
  'electric-offset',
  'electric-schema',
  'electric-up-to-date',
  'electric-snapshot',
  'retry-after',
] as const
/** A stream ends this soon after its hub was taken out of the household, checked twice as often. */
const REVOKED_WITHIN_MS = 60_000
const CONNECT_MS = 10_000
/** Streams that one instance carries; beyond it hubs are told to come back. */
const MAX_STREAMS = 5000

export interface GatekeeperDeps {
  parts: CloudParts
  /** Where shapes are served: Electric, or the built-in server; null while there is neither. */
  shapes: { url: string; secret: string | null } | null
}

/** Adds the route; the identity check is the same as that of every other request of a hub. */
export function gatekeeper({ parts, shapes }: GatekeeperDeps) {
  const open = new Set<() => void>()
  return async (http: FastifyInstance) => {
    http.addHook('preClose', async () => {
      for (const close of open) close()
    })
    const reads = askedByHubs(
      "The household's feed, as Electric serves shapes",
      { 200: Shape },
      { querystring: Place },
    )
    http.get(PATHS.shape, { schema: reads }, async (request, reply) => {
      const hub = await parts.identity.hubOf(
        { method: 'GET', path: request.url, headers: request.headers, body: Buffer.alloc(0) },
        parts.clock.now(),
      )
      const privately = () =>
        reply.header('cache-control', 'private, no-store').header('vary', 'Authorization, homefield-hub')
      if ('status' in hub) {
        parts.metrics.refused.inc({ reason: hub.reason })
        return privately()
          .code(hub.status)
          .send({ ...hub, server_time: parts.clock.now() })
      }
      const waitS = parts.hubLimit.take(hub.id)
      if (waitS > 0)
        return privately().code(429).header('retry-after', String(waitS)).send(refusal('rate', parts))
      if (shapes === null || open.size >= MAX_STREAMS || parts.isStopping())
        return privately().code(503).header('retry-after', '30').send(refusal('unavailable', parts))
      privately()
      return carry(request, reply, hub)
    })
  }

  async function carry(request: FastifyRequest, reply: FastifyReply, hub: KnownHub): Promise<FastifyReply> {
    if (shapes === null) return reply
    const upstream = await ask(shapeAddress(shapes, hub, request.query as Record<string, unknown>)).catch(
      (cause: unknown) => {
        parts.log.warn({ err: cause }, 'the shape server cannot be asked')
        return null
      },
    )
    if (upstream === null)
      return reply.code(503).header('retry-after', '5').send(refusal('unavailable', parts))
    reply.hijack()
    reply.raw.writeHead(upstream.statusCode ?? 502, headersOf(parts, request, reply, upstream))
    reply.raw.flushHeaders()
    const stopWatching = watch(hub, (reason) => {
      parts.metrics.cut.inc({ reason })
      upstream.destroy()
      reply.raw.end()
    })
    const close = () => {
      open.delete(close)
      parts.metrics.streams.set(open.size)
      stopWatching()
      upstream.destroy()
      reply.raw.end()
    }
    open.add(close)
    parts.metrics.streams.set(open.size)
    upstream.once('close', close)
    upstream.once('error', close)
    reply.raw.once('close', close)
    // A reader that is slower than the log holds it back instead of filling our memory.
    upstream.pipe(reply.raw)
    return reply
  }

  /** Asks again and again whether the hub may still read, and this generation of the feed. */
  function watch(hub: KnownHub, cut: (reason: string) => void): () => void {
    let sinceMs = parts.clock.monotonic()
    return parts.clock.every(REVOKED_WITHIN_MS / 2, () => {
      parts.identity.generationOf(hub.id).then(
        (generation) => {
          if (generation === hub.generation) sinceMs = parts.clock.monotonic()
          else cut(generation === null ? 'revoked' : 'erasure')
        },
        () => {
          // Who cannot be checked is not served on trust for longer than the promise says.
          if (parts.clock.monotonic() - sinceMs >= REVOKED_WITHIN_MS) cut('unchecked')
        },
      )
    })
  }
}

function refusal(reason: string, parts: CloudParts) {
  return { reason, message: 'Shapes are not served right now.', server_time: parts.clock.now() }
}

/** Table, columns and condition are the household's, written here and nowhere else. */
export function shapeAddress(
  { url, secret }: { url: string; secret: string | null },
  { household, generation }: Pick<KnownHub, 'household' | 'generation'>,
  asked: Readonly<Record<string, unknown>>,
): URL {
  const address = new URL('/v1/shape', url)
  for (const name of PASSED) {
    const value = asked[name]
    if (typeof value === 'string' && /^[\w.:-]{0,200}$/.test(value)) address.searchParams.set(name, value)
  }
  address.searchParams.set('table', FEED_TABLE)
  address.searchParams.set('columns', FEED_COLUMNS.join(','))
  address.searchParams.set('where', 'household_id = $1 AND hlc <> $2')
  address.searchParams.set('params[1]', household)
  // True of every row: only makes the shape another one after an erasure, whose log nobody may read on.
  address.searchParams.set('params[2]', `generation-${generation}`)
  address.searchParams.set('replica', 'full')
  if (secret !== null) address.searchParams.set('secret', secret)
  return address
}

function ask(address: URL): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = (address.protocol === 'https:' ? askHttps : askHttp)(address, { method: 'GET' }, resolve)
    asking.once('error', reject)
    asking.once('socket', (socket) => {
      socket.setTimeout(0)
      if (socket.connecting) {
        const timer = setTimeout(
          () => asking.destroy(new Error('The shape server does not answer.')),
          CONNECT_MS,
        )
        socket.once('connect', () => clearTimeout(timer))
        socket.once('close', () => clearTimeout(timer))
      }
    })
    asking.end()
  })
}

function headersOf(
  { clock, key }: CloudParts,
  request: FastifyRequest,
  reply: FastifyReply,
  upstream: IncomingMessage,
): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(reply.getHeaders())) headers[name] = String(value)
  for (const name of RETURNED) {
    const value = upstream.headers[name]
    if (typeof value === 'string') headers[name] = value
  }
  // Bytes that have not come yet cannot be signed: the head is, so that no portal can stand in for us.
  const nonce = String(request.headers[NONCE_HEADER] ?? '')
  const timeMs = clock.now()
  const text = answerText({ status: upstream.statusCode ?? 502, nonce, body: Buffer.alloc(0), timeMs })
  headers[SERVER_TIME_HEADER] = String(timeMs)
  headers[SERVER_SIGNATURE_HEADER] = signText(key.pem, text)
  return headers
}
