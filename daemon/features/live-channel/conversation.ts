import type { Actor } from '../../domain/access.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Sink } from '../../live/subscriber.ts'
import { errorMessage, refusedTopic, type ToldMessage } from './answers.ts'
import type { ClientMessage } from './messages.ts'
import { createSession, type Session, type SessionDeps } from './session.ts'
import { createTrainingTalk, type LiveTraining, type TrainingMessage } from './training.ts'

/** Close codes of the contract, beside the protocol's own. */
export const CLOSE = { unauthenticated: 4401, revoked: 4403, noAuth: 4408, tooSlow: 4429 } as const

export interface Credentials {
  fromBearer(token: string): Actor | Promise<Actor>
  fromApiKey(key: string): Actor | Promise<Actor>
}

export interface ConversationDeps extends SessionDeps {
  log: Log
  credentials: Credentials
  newId: () => string
  /** The same principal with the rights of now; null when it may no longer sign in. */
  current: (actor: Actor) => Actor | null
  telemetry: (actor: Actor, personId: string | null, samples: readonly unknown[]) => Promise<object>
  /** Writes down that alerts were shown; those that the actor may not see are passed over. */
  seen?: (actor: Actor, alertIds: readonly string[]) => Promise<void>
  /** Live sessions; absent: the hub has none. */
  training?: LiveTraining
  /** Told once, when the client has said who it is. */
  onSignedIn: (client: SignedIn) => void
}

/** The client's end of the wire. */
export interface Wire {
  sink: Sink
  isOpen(): boolean
  tell(message: ToldMessage): void
  close(code: number, reason: string): void
}

/** A client that said who it is. */
export interface SignedIn {
  session: Session
  /** When the access token it came with runs out; null for API keys. */
  expiresAtMs: number | null
  tell(message: ToldMessage): void
  close(code: number, reason: string): void
}

export interface Conversation {
  client(): SignedIn | null
  authenticate(credential: { token: string } | { apiKey: string }): Promise<void>
  handle(message: ClientMessage): Promise<void>
  /** A binary message. */
  picture(bytes: Buffer): Promise<void>
}

/** Telemetry that waits for the disk. */
const TELEMETRY_MAX = 8

/** What the hub and one client say to each other; the wire below it keeps the limits. */
export function createConversation(wire: Wire, deps: ConversationDeps): Conversation {
  let client: SignedIn | null = null
  let telemetryRunning = 0
  const connection = deps.newId()
  const { log, training } = deps
  const talk = createTrainingTalk({ log, training, connection, tell: wire.tell })

  async function authenticate(credential: { token: string } | { apiKey: string }): Promise<void> {
    try {
      if ('token' in credential) {
        enter(await deps.credentials.fromBearer(credential.token), expiryOf(credential.token))
      } else enter(await deps.credentials.fromApiKey(credential.apiKey), null)
    } catch (cause) {
      if (!(cause instanceof HubError)) deps.log.error({ err: cause }, 'live channel sign-in failed')
      wire.close(CLOSE.unauthenticated, cause instanceof HubError ? cause.code : 'INTERNAL')
    }
  }

  function enter(actor: Actor, expiresAtMs: number | null): void {
    if (!wire.isOpen()) return
    if (client) {
      if (!isSame(client.session.actor(), actor)) {
        wire.close(CLOSE.unauthenticated, 'a connection belongs to one principal')
        return
      }
      client.expiresAtMs = expiresAtMs
      for (const topic of client.session.become(actor)) wire.tell(refusedTopic(topic))
    } else {
      const session = createSession(actor, wire.sink, deps)
      client = { session, expiresAtMs, tell: wire.tell, close: wire.close }
      deps.onSignedIn(client)
    }
    wire.tell({ type: 'connected', session_id: connection })
  }

  async function takeTelemetry(
    { session }: SignedIn,
    message: ClientMessage & { type: 'telemetry' },
  ): Promise<void> {
    const actor = deps.current(session.actor())
    if (!actor) return wire.close(CLOSE.revoked, 'revoked')
    const about = message.id === undefined ? {} : { id: message.id }
    if (telemetryRunning >= TELEMETRY_MAX) {
      wire.tell({
        ...errorMessage('OVERLOADED', 'Wait for an acknowledgement before sending more.'),
        ...about,
      })
      return
    }
    telemetryRunning += 1
    try {
      const result = await deps.telemetry(actor, message.person_id ?? null, message.samples)
      wire.tell({ type: 'telemetry_ack', ...about, ...result })
    } catch (cause) {
      if (!(cause instanceof HubError)) deps.log.error({ reason: messageOf(cause) }, 'telemetry failed')
      const known =
        cause instanceof HubError ? cause : new HubError('INTERNAL', 'Nothing was kept. Send it again.')
      wire.tell({ ...errorMessage(known.code, known.message), ...about })
    } finally {
      telemetryRunning -= 1
    }
  }

  async function takeReceipt({ session }: SignedIn, alertIds: readonly string[]): Promise<void> {
    const actor = deps.current(session.actor())
    if (!actor) return wire.close(CLOSE.revoked, 'revoked')
    try {
      await deps.seen?.(actor, alertIds)
    } catch (cause) {
      deps.log.warn({ reason: messageOf(cause) }, 'receipt not kept')
      wire.tell(errorMessage('OVERLOADED', 'The receipt was not kept. Send it again.'))
    }
  }

  /** The actor with the rights of now; null, and the connection closed, when there are none. */
  function actorNow({ session }: SignedIn): Actor | null {
    const actor = deps.current(session.actor())
    if (!actor) wire.close(CLOSE.revoked, 'revoked')
    return actor
  }

  async function train(by: SignedIn, message: TrainingMessage): Promise<void> {
    const actor = actorNow(by)
    if (actor) await talk.handle(actor, message)
  }

  return {
    client: () => client,
    authenticate,
    async handle(message) {
      if (message.type === 'auth') {
        await authenticate(
          message.token === undefined ? { apiKey: message.api_key ?? '' } : { token: message.token },
        )
      } else if (!client) wire.close(CLOSE.unauthenticated, 'the first message is auth')
      else if (message.type === 'subscribe') subscribe(client, message)
      else if (message.type === 'unsubscribe') client.session.leave(message.topics)
      else if (message.type === 'seen') void takeReceipt(client, message.alerts)
      else if (message.type === 'telemetry') {
        // Not waited for: what comes after it need not wait for the disk.
        void takeTelemetry(client, message)
      } else await train(client, message)
    },
    async picture(bytes) {
      if (!client) return wire.close(CLOSE.unauthenticated, 'the first message is auth')
      const actor = actorNow(client)
      if (actor) talk.picture(actor, bytes)
    },
  }
}

function subscribe({ session, tell }: SignedIn, message: ClientMessage & { type: 'subscribe' }): void {
  const { topics = [], since = {} } = message
  const { seq, refused } = session.join([...topics, ...Object.keys(since)])
  tell({ type: 'subscribed', topics: Object.keys(seq), seq })
  for (const topic of refused) tell(refusedTopic(topic))
  for (const topic of Object.keys(seq)) {
    const from = since[topic]
    if (from !== undefined) session.replay(topic, from)
  }
}

function isSame(one: Actor, other: Actor): boolean {
  if (one.kind === 'user' && other.kind === 'user') return one.userId === other.userId
  return one.kind === 'device' && other.kind === 'device' && one.deviceId === other.deviceId
}

/** When a token that was just verified runs out, by its `exp`. */
export function expiryOf(token: string): number | null {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    const exp: unknown = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'exp') : null
    return typeof exp === 'number' ? exp * 1000 : null
  } catch {
    return null
  }
}
