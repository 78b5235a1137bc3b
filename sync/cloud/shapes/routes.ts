/** Electric's HTTP protocol over the shapes, as recorded from the real service (version 1.7.12). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { CloudClock } from '../parts.ts'
import {
  type Asked,
  BadRequest,
  conditionOf,
  countOf,
  definitionOf,
  faulty,
  type Query,
  readAsked,
  subsetOfQuery,
  textsOf,
} from './query.ts'
import { BEFORE, EMPTY_LOG, isAfter, type Offset, type Shape, SNAPSHOT_END, writeOffset } from './shape.ts'
import type { Shapes } from './shapes.ts'
import { schemaHeader } from './table.ts'
import { orderSql } from './where.ts'

export interface ShapeRoutesDeps {
  shapes: Shapes
  clock: CloudClock
  /** Asked of every request as `secret`; null asks nobody. */
  secret: string | null
  /** How long a poll waits for news, and a stream lasts. */
  pollMs?: number
  streamMs?: number
  /** How long an offset beyond the log is waited for. */
  beyondMs?: number
  /** How often a stream that has nothing to tell says that it is there. */
  aliveMs?: number
  /** Bytes of log in one answer. */
  chunkBytes?: number
  /** Whether `DELETE` ends a shape. */
  deletes?: boolean
}

/** Clients take the version of the protocol from here. */
const SERVER = 'ElectricSQL/1.7.12'
const EXPOSED =
  'electric-cursor,electric-handle,electric-has-data,electric-offset,electric-schema,electric-up-to-date,electric-internal-known-error,retry-after'
const JSON_TYPE = 'application/json; charset=utf-8'
const CACHE = {
  snapshot: 'public, max-age=604800, s-maxage=3600, stale-while-revalidate=2629746',
  log: 'public, max-age=60, stale-while-revalidate=300',
  live: 'public, max-age=5, stale-while-revalidate=5',
  stream: 'public, max-age=59',
  refetch: 'public, max-age=60, must-revalidate',
  ended: 'public, max-age=1, must-revalidate',
} as const
const MUST_REFETCH = { headers: { control: 'must-refetch' } }
/** Live requests of one interval share a cursor, so that a cache can answer them together. */
const CURSOR_SECONDS = 20
const CURSOR_EPOCH_SECONDS = Date.UTC(2024, 9, 9) / 1000

export function shapeRoutes(deps: ShapeRoutesDeps) {
  const { shapes, clock, pollMs = 20_000, streamMs = 60_000, beyondMs = 10_000, aliveMs = 21_000 } = deps
  const chunkBytes = deps.chunkBytes ?? 10 * 1024 * 1024
  let marks = 0
  /** Two answers that say nothing new are still two answers to a cache. */
  const nextMark = () => {
    marks += 1
    return marks
  }

  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const asked = await readAsked(shapes, request.query as Query)
    const { definition, handle, offset } = asked
    const shape = shapes.of(definition)
    if (offset !== BEFORE && offset !== 'now' && handle !== shape.handle) return refetch(reply, shape.handle)
    const snapshot = await shape.ready
    head(reply, shape)
    if (offset === BEFORE) {
      const etag = etagOf(shape, offset, SNAPSHOT_END)
      reply.header('cache-control', CACHE.snapshot).header('electric-has-data', 'true')
      reply.header('electric-offset', writeOffset(SNAPSHOT_END)).header('etag', etag)
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      reply.header('electric-schema', schemaHeader(definition.columns))
      return reply.send(`[${[...snapshot.rows, snapshot.end].join(',\n')}]`)
    }
    if (offset === 'now') return now(reply, shape)
    return asked.isStream ? stream(reply, shape, asked, offset) : log(request, reply, shape, asked, offset)
  }

  const now = (reply: FastifyReply, shape: Shape) => {
    const end = shape.end()
    reply
      .header('cache-control', CACHE.log)
      .header('electric-has-data', 'false')
      .header('electric-up-to-date', '')
    reply.header('electric-schema', schemaHeader(shape.definition.columns))
    reply.header('electric-offset', writeOffset(end)).header('etag', etagOf(shape, 'now', end, nextMark()))
    return reply.send(`[${upToDate()}]`)
  }

  const log = async (
    request: FastifyRequest,
    reply: FastifyReply,
    shape: Shape,
    { isLive, query }: Asked,
    offset: Offset,
  ): Promise<FastifyReply> => {
    if (isAfter(offset, endOf(shape, offset)) && !(await more(reply, shape, offset, beyondMs)))
      throw shape.isOver() ? ENDED : new BadRequest('offset', 'out of bounds for this shape')
    let found = shape.after(offset, chunkBytes)
    if (isLive && found.messages.length === 0) {
      await more(reply, shape, offset, pollMs)
      found = shape.after(offset, chunkBytes)
    }
    if (shape.isOver()) return ended(reply)
    const isIdle = isLive && found.messages.length === 0
    const end = found.messages.length > 0 ? found.end : restOf(offset)
    const etag = etagOf(shape, offset, end, isIdle ? nextMark() : null)
    reply.header('electric-offset', writeOffset(end)).header('etag', etag)
    reply.header('electric-has-data', isIdle ? 'false' : 'true')
    reply.header('cache-control', isLive ? CACHE.live : CACHE.log)
    if (isLive) reply.header('electric-cursor', cursorAfter(clock.now(), query['cursor']))
    if (found.isAll) reply.header('electric-up-to-date', '')
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    if (!isLive) reply.header('electric-schema', schemaHeader(shape.definition.columns))
    return reply.send(`[${[...found.messages, ...(found.isAll ? [upToDate()] : [])].join(',\n')}]`)
  }

  /** Server-sent events until the time is over, the reader leaves or the shape ends. */
  const stream = (reply: FastifyReply, shape: Shape, { query }: Asked, start: Offset): FastifyReply => {
    let offset = start
    reply.hijack()
    const headers = { ...reply.getHeaders() } as Record<string, string>
    reply.raw.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream',
      'cache-control': CACHE.stream,
      connection: 'keep-alive',
      'electric-offset': writeOffset(offset),
      'electric-cursor': cursorAfter(clock.now(), query['cursor']),
      'electric-schema': schemaHeader(shape.definition.columns),
    })
    reply.raw.flushHeaders()
    const say = (json: string) => void reply.raw.write(`data: ${json}\n\n`)
    let forget = () => {}
    const pump = () => {
      const { messages, end } = shape.after(offset, Number.POSITIVE_INFINITY)
      for (const message of messages) say(message)
      if (messages.length > 0) {
        offset = end
        say(upToDate())
      }
      if (shape.isOver()) {
        say(JSON.stringify(MUST_REFETCH))
        return finish()
      }
      forget = shape.onMore(pump)
    }
    const finish = () => {
      forget()
      stopAlive()
      stopLife()
      reply.raw.end()
    }
    const stopAlive = clock.every(aliveMs, () => void reply.raw.write(': keep-alive\n\n'))
    const stopLife = clock.after(streamMs, finish)
    reply.raw.once('close', finish)
    reply.raw.on('error', finish)
    // A reader who knows everything hears so at once.
    if (shape.after(offset, 1).messages.length === 0) say(upToDate())
    pump()
    return reply
  }

  /** True when there is something behind the offset; false when the time is over or the reader left. */
  const more = (reply: FastifyReply, shape: Shape, offset: Offset, waitMs: number): Promise<boolean> =>
    new Promise((resolve) => {
      const settle = (isThere: boolean) => {
        forget()
        cancel()
        reply.raw.off('close', left)
        resolve(isThere)
      }
      const left = () => settle(false)
      const look = () => {
        if (shape.isOver()) return settle(false)
        if (isAfter(endOf(shape, offset), offset)) return settle(true)
        forget = shape.onMore(look)
      }
      let forget = shape.onMore(look)
      const cancel = clock.after(waitMs, () => settle(false))
      reply.raw.once('close', left)
    })

  const subset = async (
    query: Query,
    body: Record<string, unknown>,
    reply: FastifyReply,
  ): Promise<FastifyReply> => {
    const definition = await definitionOf(shapes, query)
    const shape = shapes.of(definition)
    await shape.ready
    const names = new Set(definition.table.columns.map(({ name }) => name))
    const given = (name: string) => (typeof body[name] === 'string' ? body[name] : undefined)
    const params =
      typeof body['params'] === 'object' && body['params'] !== null ? textsOf(body['params']) : {}
    const order = given('order_by')
    const part = await shapes.subset(definition, {
      whereSql: conditionOf(given('where'), params, names, 'where')?.sql ?? null,
      orderSql: order === undefined ? null : faulty('order_by', () => orderSql(order, names)),
      limit: countOf(body['limit'], 'limit'),
      offset: countOf(body['offset'], 'offset'),
    })
    head(reply, shape)
      .header('cache-control', 'no-cache')
      .header('electric-offset', writeOffset(SNAPSHOT_END))
    reply.header('electric-snapshot', 'true').header('electric-schema', schemaHeader(definition.columns))
    return reply.send(`{"metadata":${JSON.stringify(part.metadata)},"data":[${part.data.join(',')}]}`)
  }
  const upToDate = () =>
    JSON.stringify({ headers: { control: 'up-to-date', global_last_seen_lsn: String(shapes.reached()) } })

  return async (http: FastifyInstance) => {
    http.addHook('onRequest', async (request, reply) => {
      reply.header('access-control-expose-headers', EXPOSED).header('electric-server', SERVER)
      if (request.method === 'OPTIONS') return
      reply.header('content-type', JSON_TYPE).header('vary', 'accept-encoding')
      if (deps.secret !== null && (request.query as Query)['secret'] !== deps.secret)
        await reply.code(401).send(JSON.stringify({ message: 'Unauthorized - Invalid API secret' }))
    })
    http.setErrorHandler(async (cause, _, reply) => {
      if (cause === ENDED) return ended(reply)
      const isBad = cause instanceof BadRequest
      reply.removeHeader('electric-handle')
      const text = isBad
        ? { message: 'Invalid request', errors: cause.errors }
        : { message: 'The database cannot be asked right now.' }
      if (!isBad) reply.header('retry-after', '5')
      reply
        .header('cache-control', 'no-store')
        .header('surrogate-control', 'no-store')
        .header('content-type', JSON_TYPE)
      return reply.code(isBad ? 400 : 503).send(JSON.stringify(text))
    })
    http.options('/v1/shape', async (_, reply) => reply.code(204).send())
    http.get('/v1/shape', (request, reply) => {
      const query = request.query as Query
      const part = subsetOfQuery(query)
      return part ? subset(query, part, reply) : answer(request, reply)
    })
    http.post('/v1/shape', (request, reply) =>
      subset(request.query as Query, (request.body ?? {}) as Record<string, unknown>, reply),
    )
    http.delete('/v1/shape', async (request, reply) => {
      const query = request.query as Query
      if (!deps.deletes) return reply.code(404).send(JSON.stringify({ message: 'Not found' }))
      const shape = query['handle']
        ? shapes.byHandle(query['handle'])
        : shapes.of(await definitionOf(shapes, query))
      if (!shape) throw new BadRequest('handle', 'is unknown')
      shape.rotate()
      reply.header('cache-control', 'no-cache').header('electric-has-data', 'true')
      return reply.code(202).send('')
    })
    http.get('/v1/health', async (_, reply) =>
      reply
        .code(shapes.isFollowing() ? 200 : 503)
        .send(JSON.stringify({ status: shapes.isFollowing() ? 'active' : 'waiting' })),
    )
  }
}

const ENDED = new Error('The shape ended while somebody waited for it.')

function head(reply: FastifyReply, shape: Shape): FastifyReply {
  return reply.header('electric-handle', shape.handle)
}

function refetch(reply: FastifyReply, handle: string): FastifyReply {
  reply
    .header('electric-handle', handle)
    .header('cache-control', CACHE.refetch)
    .header('etag', `"${handle}::"`)
  return reply.code(409).send(JSON.stringify([MUST_REFETCH]))
}

/** The shape ended under the reader: the next one's handle is learned by asking again. */
function ended(reply: FastifyReply): FastifyReply {
  for (const name of ['electric-handle', 'electric-offset', 'etag']) reply.removeHeader(name)
  reply.header('cache-control', CACHE.ended).header('content-type', JSON_TYPE)
  return reply.code(409).send(JSON.stringify([MUST_REFETCH]))
}

function etagOf(shape: Shape, from: Offset | 'now', to: Offset, mark: number | null = null): string {
  const start = from === 'now' ? 'now' : writeOffset(from)
  return `"${shape.handle}:${start}:${writeOffset(to)}${mark === null ? '' : `:${mark}`}"`
}

/** Where a reader is who read everything and found nothing: the end of the snapshot becomes the end of an empty log. */
function restOf(offset: Offset): Offset {
  return offset.lsn === 0n ? EMPTY_LOG : offset
}

/** A shape whose log is empty ends where its snapshot does, for whoever stands there. */
function endOf(shape: Shape, offset: Offset): Offset {
  const end = shape.end()
  return end === EMPTY_LOG && offset.lsn === 0n ? offset : end
}

function cursorAfter(nowMs: number, before: string | undefined): string {
  const seconds = Math.floor(nowMs / 1000) - CURSOR_EPOCH_SECONDS
  const cursor = Math.ceil(seconds / CURSOR_SECONDS) * CURSOR_SECONDS
  const last = Number(before || '0')
  return String(last >= cursor ? last + 1 + (last % 97) : cursor)
}
