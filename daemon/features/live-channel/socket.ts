import type { WebSocket } from 'ws'
import type { Actor } from '../../domain/access.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { ClientMessage, ReadMessage } from './messages.ts'
import { createSession, type Session, type SessionDeps } from './session.ts'

/** Close codes of the contract, beside the protocol's own. */
export const CLOSE = { unauthenticated: 4401, revoked: 4403, noAuth: 4408, tooSlow: 4429 } as const

export interface Credentials {
  fromBearer(token: string): Actor | Promise<Actor>
  fromApiKey(key: string): Actor | Promise<Actor>
}

export interface SocketDeps extends SessionDeps {
  clock: Clock
  log: Log
  credentials: Credentials
  read: (text: string) => ReadMessage
  newId: () => string
  telemetry: (actor: Actor, personId: string | null, samples: readonly unknown[]) => Promise<object>
  onOpen: (socket: LiveSocket) => void
  onClose: (socket: LiveSocket) => void
}

/** One WebSocket client after it said who it is. */
export interface LiveSocket {
  session: Session
  /** When the access token it came with runs out; null for API keys. */
  expiresAtMs: number | null
  tell(message: object): void
  close(code: number, reason: string): void
}

const AUTH_WITHIN_MS = 5000
const PING_MS = 20_000
const MESSAGE_BYTES = 64 * 1024
const MESSAGES_PER_S = 50
/** Messages that wait while an earlier one is being handled, and telemetry that waits for the disk. */
const BACKLOG_MAX = 64
const TELEMETRY_MAX = 8
const GRACE_MS = 2000

/** Speaks the live channel's protocol on one WebSocket. */
export function serveSocket(socket: WebSocket, bearer: string | null, deps: SocketDeps): void {
  const { clock } = deps
  let live: LiveSocket | null = null
  let backlog = 0
  let telemetryRunning = 0
  let answered = true
  let tail: Promise<void> = Promise.resolve()
  const window = { startMs: clock.monotonic(), used: 0 }

  const tell = (message: object) => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
  }
  const close = (code: number, reason: string) => {
    socket.close(code, reason)
    // A peer that reads nothing never answers the close frame.
    clock.after(GRACE_MS, () => socket.terminate())
  }
  const timers = [
    clock.after(AUTH_WITHIN_MS, () => {
      if (!live) close(CLOSE.noAuth, 'no credential within 5 s')
    }),
    clock.every(PING_MS, () => {
      if (!answered) socket.terminate()
      answered = false
      if (socket.readyState === socket.OPEN) socket.ping()
    }),
  ]

  async function authenticate(token: string | null, apiKey: string | null): Promise<void> {
    try {
      const actor =
        token === null
          ? await deps.credentials.fromApiKey(apiKey ?? '')
          : await deps.credentials.fromBearer(token)
      enter(actor, token === null ? null : expiryOf(token))
    } catch (cause) {
      const reason = cause instanceof HubError ? cause.code : 'INTERNAL'
      if (!(cause instanceof HubError)) deps.log.error({ err: cause }, 'live channel sign-in failed')
      close(CLOSE.unauthenticated, reason)
    }
  }

  function enter(actor: Actor, expiresAtMs: number | null): void {
    if (socket.readyState !== socket.OPEN) return
    if (live) {
      renew(live, actor, expiresAtMs)
      return
    }
    const session = createSession(actor, sinkOf(socket, close), deps)
    live = { session, expiresAtMs, tell, close }
    deps.onOpen(live)
    tell({ type: 'connected', session_id: deps.newId() })
  }

  function renew(open: LiveSocket, actor: Actor, expiresAtMs: number | null): void {
    if (!isSame(open.session.actor(), actor)) {
      close(CLOSE.unauthenticated, 'a connection belongs to one principal')
      return
    }
    open.expiresAtMs = expiresAtMs
    for (const topic of open.session.become(actor)) tell(refusedTopic(topic))
    tell({ type: 'connected', session_id: deps.newId() })
  }

  async function handle(message: ClientMessage): Promise<void> {
    if (message.type === 'auth') {
      await authenticate(message.token ?? null, message.api_key ?? null)
      return
    }
    if (!live) {
      close(CLOSE.unauthenticated, 'the first message is auth')
      return
    }
    if (message.type === 'subscribe') subscribe(live, message, tell)
    else if (message.type === 'unsubscribe') live.session.leave(message.topics)
    else void takeTelemetry(live, message)
  }

  async function takeTelemetry(
    open: LiveSocket,
    message: ClientMessage & { type: 'telemetry' },
  ): Promise<void> {
    const about = message.id === undefined ? {} : { id: message.id }
    if (telemetryRunning >= TELEMETRY_MAX) {
      tell({ ...errorMessage('OVERLOADED', 'Wait for an acknowledgement before sending more.'), ...about })
      return
    }
    telemetryRunning += 1
    try {
      const result = await deps.telemetry(open.session.actor(), message.person_id ?? null, message.samples)
      tell({ type: 'telemetry_ack', ...about, ...result })
    } catch (cause) {
      if (!(cause instanceof HubError)) deps.log.error({ reason: messageOf(cause) }, 'telemetry failed')
      const known =
        cause instanceof HubError ? cause : new HubError('INTERNAL', 'Nothing was kept. Send it again.')
      tell({ ...errorMessage(known.code, known.message), ...about })
    } finally {
      telemetryRunning -= 1
    }
  }

  socket.on('pong', () => {
    answered = true
  })
  socket.on('message', (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer)
    if (bytes.byteLength > MESSAGE_BYTES) return close(1009, 'a message has 64 KB at most')
    if (!withinRate(window, clock.monotonic())) return tooFast(window, tell, close)
    if (isBinary)
      return tell(
        errorMessage('UNSUPPORTED_MEDIA', 'Binary frames belong to a live session; none is running.'),
      )
    const read = deps.read(bytes.toString('utf8'))
    if ('wrong' in read) return tell(errorMessage('VALIDATION_ERROR', read.wrong))
    if (backlog >= BACKLOG_MAX) return close(1008, 'too many messages at once')
    backlog += 1
    tail = tail
      .then(() => handle(read.message))
      .finally(() => {
        backlog -= 1
      })
  })
  socket.on('close', () => {
    for (const cancel of timers) cancel()
    if (!live) return
    live.session.close()
    deps.onClose(live)
  })
  if (bearer !== null) tail = authenticate(bearer, null)
}

function sinkOf(socket: WebSocket, close: (code: number, reason: string) => void) {
  return {
    send: (text: string) => {
      if (socket.readyState === socket.OPEN) socket.send(text)
    },
    bufferedBytes: () => socket.bufferedAmount,
    cutOff: () => close(CLOSE.tooSlow, 'nothing was read for 30 s'),
  }
}

function subscribe(
  { session }: LiveSocket,
  { topics, since = {} }: ClientMessage & { type: 'subscribe' },
  tell: (message: object) => void,
): void {
  const { seq, refused } = session.join([...(topics ?? []), ...Object.keys(since)])
  tell({ type: 'subscribed', topics: Object.keys(seq), seq })
  for (const topic of refused) tell(refusedTopic(topic))
  for (const topic of Object.keys(seq)) {
    const from = since[topic]
    if (from !== undefined) session.replay(topic, from)
  }
}

export function refusedTopic(topic: string) {
  return { ...errorMessage('NOT_FOUND', 'There is no such topic, or you may not hear it.'), topic }
}

function errorMessage(code: string, message: string) {
  return { type: 'error', code, message }
}

function withinRate(window: { startMs: number; used: number }, nowMs: number): boolean {
  if (nowMs - window.startMs >= 1000) {
    window.startMs = nowMs
    window.used = 0
  }
  window.used += 1
  return window.used <= MESSAGES_PER_S
}

/** Says it once a second; who goes on regardless is shown out. */
function tooFast(
  window: { used: number },
  tell: (message: object) => void,
  close: (code: number, reason: string) => void,
): void {
  if (window.used === MESSAGES_PER_S + 1)
    tell(errorMessage('RATE_LIMITED', `At most ${MESSAGES_PER_S} messages a second.`))
  if (window.used > MESSAGES_PER_S * 10) close(1008, 'too many messages')
}

function isSame(one: Actor, other: Actor): boolean {
  if (one.kind === 'user' && other.kind === 'user') return one.userId === other.userId
  return one.kind === 'device' && other.kind === 'device' && one.deviceId === other.deviceId
}

/** The `exp` of a token that was just verified. */
function expiryOf(token: string): number | null {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    const exp: unknown = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'exp') : null
    return typeof exp === 'number' ? exp * 1000 : null
  } catch {
    return null
  }
}
