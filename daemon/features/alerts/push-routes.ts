/** HTTP of Web Push: the owner's switch, and each browser's own yes and no. */
import { createECDH } from 'node:crypto'
import { Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { DisplayName, USER_ROLES } from '../../domain/user.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Push } from './push.ts'
import { PUSH_ENDPOINT } from './push-post.ts'
import { type PushRow, SUBSCRIPTIONS_MAX } from './push-table.ts'

const USERS: Policy = { access: 'signed-in', roles: USER_ROLES }
const OWNER: Policy = { access: 'signed-in', roles: ['owner'] }
const Stamp = Type.Union([Timestamp, Type.Null()])
const Subscription = Type.Object(
  {
    id: Id,
    name: Type.String(),
    /** Whose service carries it. */
    service: Type.String(),
    /** By which a browser finds itself in the list: SHA-256 of its address, in hex. */
    endpoint_sha256: Type.String(),
    created_at: Timestamp,
    /** When the service took a message last; that a phone showed it, nobody tells the hub. */
    accepted_at: Stamp,
    failure: Type.Union([Type.String(), Type.Null()]),
  },
  { additionalProperties: false },
)
const State = Type.Object(
  {
    enabled: Type.Boolean(),
    has_words: Type.Boolean(),
    /** For `PushManager.subscribe`; null while it is off. */
    public_key: Type.Union([Type.String(), Type.Null()]),
    subscriptions: Type.Array(Subscription),
  },
  { additionalProperties: false },
)
const Switch = Type.Object(
  {
    enabled: Type.Boolean(),
    has_words: Type.Optional(
      Type.Boolean({
        description: 'Write title and message into the notification; else it names the person alone',
      }),
    ),
  },
  { additionalProperties: false },
)
const NewSubscription = Type.Object(
  {
    endpoint: Type.String({ maxLength: 1100, pattern: PUSH_ENDPOINT }),
    keys: Type.Object(
      {
        p256dh: Type.String({ pattern: '^[A-Za-z0-9_-]{87}=?$' }),
        auth: Type.String({ pattern: '^[A-Za-z0-9_-]{22}(==)?$' }),
      },
      { additionalProperties: false },
    ),
    expirationTime: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    name: Type.Optional(DisplayName),
  },
  { additionalProperties: false },
)

export interface PushRoutesDeps {
  clock: Clock
  newId: () => string
  push: Push
}

export function pushRoutes(http: Http, { clock, newId, push: { table } }: PushRoutesDeps): void {
  const stateFor = (actor: Actor) => {
    const found = table.read()
    const rows = actor.kind === 'user' ? table.rowsOf(actor.userId) : []
    return {
      enabled: found?.enabled ?? false,
      has_words: found?.hasWords ?? false,
      public_key: found?.enabled ? found.publicKey : null,
      subscriptions: rows.map(viewOf),
    }
  }
  http.get(
    '/alerts/push',
    {
      config: { policy: USERS },
      schema: {
        tags: ['alerts'],
        summary: 'Whether closed phones are told by Web Push, and which of mine are',
        response: { 200: Ok(State) },
      },
    },
    async ({ actor }) => ok(clock.now(), stateFor(actor)),
  )
  http.put(
    '/alerts/push',
    {
      config: { policy: OWNER },
      schema: {
        tags: ['alerts'],
        summary:
          'Switch Web Push on or off; messages go through Google, Apple, Mozilla or Microsoft, encrypted',
        body: Switch,
        response: { 200: Ok(State) },
      },
    },
    async ({ actor, body }) => {
      const { default: webPush } = await import('web-push')
      const hasWords = body.has_words ?? table.read()?.hasWords ?? false
      await table.put(body.enabled, hasWords, webPush.generateVAPIDKeys())
      return ok(clock.now(), stateFor(actor))
    },
  )
  http.post(
    '/alerts/push/subscriptions',
    {
      config: { policy: USERS },
      schema: {
        tags: ['alerts'],
        summary: 'Tell me on this browser, also when the app is closed',
        body: NewSubscription,
        response: { 201: Ok(State) },
      },
    },
    async ({ actor, body: { endpoint, keys, name = 'Browser' } }, reply) => {
      const who = signedIn(actor)
      if (!table.read()?.enabled)
        throw new HubError('CONFLICT', 'Web Push is off. The owner can switch it on under Alerts.')
      if (!isPoint(keys.p256dh))
        throw new HubError('VALIDATION_ERROR', 'The body is not valid. keys.p256dh: is no point of P-256.', {
          details: [{ path: 'keys.p256dh', message: 'is no point of P-256' }],
        })
      await table.add(newId(), who, name, { endpoint, ...keys }).catch((cause: unknown) => {
        if (!(cause instanceof HubError) || cause.code !== 'CONFLICT') throw cause
        const message = `You are told on ${SUBSCRIPTIONS_MAX} browsers already. Remove one of them.`
        throw new HubError('CONFLICT', message, { cause })
      })
      return reply.code(201).send(ok(clock.now(), stateFor(actor)))
    },
  )
  http.delete(
    '/alerts/push/subscriptions/:subscriptionId',
    {
      config: { policy: USERS },
      schema: {
        tags: ['alerts'],
        summary: 'Tell me no more on that browser',
        params: Type.Object({ subscriptionId: Id }, { additionalProperties: false }),
        response: { 200: Ok(State) },
      },
    },
    async ({ actor, params }) => {
      if (!(await table.remove(params.subscriptionId, signedIn(actor).userId)))
        throw new HubError('NOT_FOUND', 'You have no subscription with this id.')
      return ok(clock.now(), stateFor(actor))
    },
  )
}

function signedIn(actor: Actor): { userId: string; signInId: string } {
  if (actor.kind === 'user') return actor
  throw new HubError('FORBIDDEN', 'Only a signed-in user is told by Web Push. Sign in with an account.')
}

/** Whether messages can be encrypted for this key. */
function isPoint(p256dh: string): boolean {
  const own = createECDH('prime256v1')
  own.generateKeys()
  try {
    own.computeSecret(Buffer.from(p256dh, 'base64url'))
    return true
  } catch {
    return false
  }
}

function viewOf({ id, name, service, endpointHash, createdAtMs, acceptedAtMs, failure }: PushRow) {
  const accepted = acceptedAtMs === null ? null : iso(acceptedAtMs)
  const sha256 = Buffer.from(endpointHash).toString('hex')
  const times = { created_at: iso(createdAtMs), accepted_at: accepted }
  return { id, name, service, endpoint_sha256: sha256, ...times, failure }
}
