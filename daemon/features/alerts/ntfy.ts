/**
 * The part of the ntfy protocol that its phone app subscribes with: JSON stream, Server-Sent Events, poll with `since`, and
 * the sign-in check. Publishing, attachments, actions and WebSocket are not served. Server address for the app:
 * `https://<hub>/api/v1/ntfy`; topic and token come from `POST /alerts/ntfy`, the token is the password of any user name.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { AlertKind } from '../../domain/alert.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { USER_ROLES } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Ok, ok } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { sameSecret, tokenHash } from '../../kernel/secrets.ts'
import type { Store } from '../../store/store.ts'
import type { StoredAlert } from './table.ts'

export interface NtfyDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  clock: Clock
  nameOf: (by: string) => string | null
}

export interface Ntfy {
  routes(http: Http): void
  /** Writes an alert to the user's open streams; false when there are none. */
  hand(userId: string, alert: StoredAlert, round: number): boolean
  stop(): void
}

interface Stream {
  userId: string
  isSse: boolean
  reply: FastifyReply
  topic: string
  close(): void
}

type Told = Pick<StoredAlert, 'id' | 'kind' | 'title' | 'message' | 'personId' | 'state'> & {
  round: number
  sentAtMs: number
}

const STREAMS_MAX = 64
const BUFFERED_BYTES_MAX = 256 * 1024
const KEEPALIVE_MS = 45_000
const KEPT_MS = 12 * 3_600_000
const PRIORITY: Readonly<Record<AlertKind, number>> = { tip: 2, warning: 4, urgent: 5 }

const FIND = `SELECT u.id AS userId, s.token_hash AS tokenHash FROM ntfy_subscription s JOIN user u ON u.key = s.user_key
  WHERE s.topic_hash = :topicHash AND u.disabled_at IS NULL`
const KEEP = `INSERT INTO ntfy_subscription (user_key, topic_hash, token_hash, created_at)
  SELECT key, :topicHash, :tokenHash, :nowMs FROM user WHERE id = :userId
  ON CONFLICT (user_key) DO UPDATE SET topic_hash = :topicHash, token_hash = :tokenHash, created_at = :nowMs, heard_at = NULL`
const FORGET = 'DELETE FROM ntfy_subscription WHERE user_key = (SELECT key FROM user WHERE id = :userId)'
const HEARD = `UPDATE ntfy_subscription SET heard_at = :nowMs WHERE user_key = (SELECT key FROM user WHERE id = :userId)`
const PAST = `SELECT a.id, a.kind, a.title, a.message, a.state, p.id AS personId, d.round, d.sent_at AS sentAtMs
  FROM delivery d JOIN alert a ON a.seq = d.alert_seq JOIN person p ON p.key = a.person_key AND p.deleted_at IS NULL
  WHERE d.recipient = :recipient AND d.channel = 'ntfy' AND d.sent_at > :sinceMs
  ORDER BY d.sent_at, a.seq, d.round LIMIT 200`
const DELIVERED = `UPDATE delivery SET state = 'delivered', delivered_at = coalesce(delivered_at, :nowMs)
  WHERE recipient = :recipient AND channel = 'ntfy' AND state = 'sent'`

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const Params = Type.Object(
  { topic: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) },
  { additionalProperties: false },
)
/** What the app may say in a query; what the hub does not serve is taken and has no effect, as the protocol's clients expect. */
const Query = Type.Object({
  poll: Type.Optional(Type.String({ maxLength: 8 })),
  since: Type.Optional(Type.String({ maxLength: 64 })),
  auth: Type.Optional(Type.String({ maxLength: 512 })),
})
const Lines = (type: string) => ({ description: 'Messages', content: { [type]: { schema: Type.String() } } })

export function createNtfy(deps: NtfyDeps): Ntfy {
  const { store, clock } = deps
  const streams = new Set<Stream>()

  /** The user behind topic and token; throws UNAUTHENTICATED alike for either being wrong. */
  function userOf(topic: string, request: FastifyRequest, auth: string | undefined): string {
    const found = store.get<{ userId: string; tokenHash: Uint8Array }>(FIND, { topicHash: tokenHash(topic) })
    const token = tokenIn(request.headers.authorization ?? decoded(auth))
    if (!found || token === null || !sameSecret(found.tokenHash, tokenHash(token))) {
      throw new HubError(
        'UNAUTHENTICATED',
        'This topic and token do not belong together. Make new ones in the app.',
      )
    }
    return found.userId
  }

  function messageOf(told: Told, topic: string): object {
    return {
      id: messageId(told),
      time: Math.floor(told.sentAtMs / 1000),
      event: 'message',
      topic,
      title: `${deps.nameOf(`person:${told.personId}`) ?? ''}: ${told.title}`,
      message: told.message === '' ? told.title : told.message,
      priority: PRIORITY[told.kind],
      tags: told.kind === 'urgent' ? ['rotating_light'] : ['bell'],
    }
  }

  function past(userId: string, since: string | undefined): Told[] {
    const recipient = `user:${userId}`
    const nowMs = clock.now()
    const oldestMs = nowMs - KEPT_MS
    if (since === undefined || since === 'none') return []
    const window = sinceMs(since, nowMs)
    const all = store.all<Told>(PAST, { recipient, sinceMs: Math.max(window ?? oldestMs, oldestMs) })
    if (since === 'latest') return all.slice(-1)
    const position = window === null ? all.findIndex((told) => messageId(told) === since) : -1
    return all.slice(position + 1)
  }

  async function heard(userId: string): Promise<void> {
    const nowMs = clock.now()
    await store.write([
      { sql: HEARD, params: { userId, nowMs } },
      { sql: DELIVERED, params: { recipient: `user:${userId}`, nowMs } },
    ])
  }

  function open(stream: Omit<Stream, 'close'>, first: readonly object[]): void {
    if (streams.size >= STREAMS_MAX) throw new HubError('OVERLOADED', 'Too many subscriptions are open.')
    const { raw } = stream.reply
    stream.reply.hijack()
    raw.writeHead(200, {
      'content-type': stream.isSse
        ? 'text/event-stream; charset=utf-8'
        : 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store',
    })
    const opened: Stream = { ...stream, close: () => raw.end() }
    const stopKeepalive = clock.every(KEEPALIVE_MS, () =>
      write(opened, beat(clock, stream.topic, 'keepalive')),
    )
    raw.once('close', () => {
      stopKeepalive()
      streams.delete(opened)
    })
    streams.add(opened)
    for (const message of [beat(clock, stream.topic, 'open'), ...first]) write(opened, message)
  }

  function subscribeRoute(http: Http, format: 'json' | 'sse'): void {
    http.get(
      `/ntfy/:topic/${format}`,
      {
        exposeHeadRoute: false,
        config: { policy: { access: 'open' }, envelope: false },
        schema: {
          tags: ['alerts'],
          summary: `Subscribe as the ntfy app does (${format})`,
          params: Params,
          querystring: Query,
          response: { 200: Lines(format === 'sse' ? 'text/event-stream' : 'application/x-ndjson') },
        },
      },
      async (request, reply) => {
        const { topic } = request.params
        const { poll, since, auth } = request.query
        const userId = userOf(topic, request, auth)
        const isPoll = poll === '1' || poll === 'true' || poll === 'yes'
        const messages = past(userId, since ?? (isPoll ? 'all' : undefined)).map((told) =>
          messageOf(told, topic),
        )
        await heard(userId)
        if (!isPoll) return open({ userId, topic, isSse: format === 'sse', reply }, messages)
        const text = messages.map((message) => lineOf(message, format === 'sse')).join('')
        return reply.type(format === 'sse' ? 'text/event-stream' : 'application/x-ndjson').send(text)
      },
    )
  }

  return {
    hand(userId, alert, round) {
      const open = [...streams].filter((stream) => stream.userId === userId)
      for (const stream of open)
        write(stream, messageOf({ ...alert, round, sentAtMs: clock.now() }, stream.topic))
      return open.length > 0
    },
    stop() {
      for (const stream of streams) stream.close()
    },
    routes(http) {
      http.addHook('preClose', async () => {
        for (const stream of streams) stream.close()
      })
      for (const format of ['json', 'sse'] as const) subscribeRoute(http, format)
      http.get(
        '/ntfy/:topic/auth',
        {
          config: { policy: { access: 'open' }, envelope: false },
          schema: {
            tags: ['alerts'],
            summary: "The ntfy app's check of topic and token",
            params: Params,
            querystring: Query,
            response: { 200: Type.Object({ success: Type.Literal(true) }) },
          },
        },
        async (request) => {
          userOf(request.params.topic, request, request.query.auth)
          return { success: true as const }
        },
      )
      ownRoutes(http, deps)
    },
  }
}

function ownRoutes(http: Http, { store, clock }: NtfyDeps): void {
  const Made = Type.Object({ topic: Type.String(), token: Type.String(), server: Type.String() })
  const userIn = ({ actor }: FastifyRequest) => {
    if (actor.kind !== 'user') throw new HubError('FORBIDDEN', 'Only a signed-in user has a subscription.')
    return actor.userId
  }
  http.post(
    '/alerts/ntfy',
    {
      config: { policy: USERS },
      schema: {
        tags: ['alerts'],
        summary: 'Make my ntfy topic and token, replacing earlier ones; the token is shown once',
        response: { 201: Ok(Made) },
      },
    },
    async (request, reply) => {
      const userId = userIn(request)
      const topic = `hf-${randomBytes(16).toString('hex')}`
      const token = `tk_${randomBytes(16).toString('hex')}`
      const params = { userId, topicHash: tokenHash(topic), tokenHash: tokenHash(token), nowMs: clock.now() }
      await store.write([{ sql: KEEP, params, expect: 1 }])
      return reply.code(201).send(ok(clock.now(), { topic, token, server: '/api/v1/ntfy' }))
    },
  )
  http.delete(
    '/alerts/ntfy',
    {
      config: { policy: USERS },
      schema: {
        tags: ['alerts'],
        summary: 'Take my ntfy topic back',
        response: { 200: Ok(Type.Object({}, { additionalProperties: false })) },
      },
    },
    async (request) => {
      await store.write([{ sql: FORGET, params: { userId: userIn(request) } }])
      return ok(clock.now(), {})
    },
  )
}

function write({ reply, isSse }: Stream, message: object): void {
  const { raw } = reply
  if (raw.destroyed) return
  // A phone that does not read is let go; it polls for what it missed when it comes back.
  if (raw.writableLength > BUFFERED_BYTES_MAX) raw.destroy()
  else raw.write(lineOf(message, isSse))
}

function lineOf(message: object, isSse: boolean): string {
  const text = JSON.stringify(message)
  const event: unknown = Reflect.get(message, 'event')
  if (!isSse) return `${text}\n`
  return `${event === 'message' ? '' : `event: ${String(event)}\n`}data: ${text}\n\n`
}

function beat(clock: Clock, topic: string, event: 'open' | 'keepalive'): object {
  return { id: randomBytes(9).toString('base64url'), time: Math.floor(clock.now() / 1000), event, topic }
}

/** Twelve characters, the same for every telling of one round, by which the app drops what it has. */
function messageId({ id, round }: Pick<Told, 'id' | 'round'>): string {
  return createHash('sha256').update(`${id} ${round}`).digest('base64url').replace(/[-_]/g, 'x').slice(0, 12)
}

/** `all`, `latest`, a duration, epoch seconds; null for a message id. */
function sinceMs(since: string, nowMs: number): number | null {
  if (since === 'all' || since === 'latest') return 0
  const [, count = '', unit = ''] = /^(\d{1,9})([smh])$/.exec(since) ?? []
  const lengths: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }
  if (unit !== '') return nowMs - Number(count) * (lengths[unit] ?? 0)
  return /^\d{9,11}$/.test(since) ? Number(since) * 1000 - 1 : null
}

/** `Basic` with the token as password, or `Bearer`. */
function tokenIn(header: string): string | null {
  const [, scheme = '', value = ''] = /^(Basic|Bearer) +(\S+)$/i.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme === '') return null
  return Buffer.from(value, 'base64').toString('utf8').split(':').slice(1).join(':') || null
}

function decoded(auth: string | undefined): string {
  return auth === undefined ? '' : Buffer.from(auth, 'base64url').toString('utf8')
}
