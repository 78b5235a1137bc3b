import type { WebSocket } from 'ws'
import type { Clock } from '../../kernel/clock.ts'
import { errorMessage, type ToldMessage } from './answers.ts'
import {
  CLOSE,
  type Conversation,
  type ConversationDeps,
  createConversation,
  type SignedIn,
  type Wire,
} from './conversation.ts'
import type { ReadMessage } from './messages.ts'

export interface SocketDeps extends ConversationDeps {
  clock: Clock
  read: (text: string) => ReadMessage
  onClose: (client: SignedIn) => void
}

const AUTH_WITHIN_MS = 5000
const PING_MS = 20_000
const MESSAGE_BYTES = 64 * 1024
/** A JPEG of 1 MB with what is said about it. */
const PICTURE_BYTES = 1_048_576 + 4096
const MESSAGES_PER_S = 50
/** Messages that wait while an earlier one is being handled. */
const BACKLOG_MAX = 64
/** Of these, pictures: each may have 1 MB. */
const PICTURES_WAITING = 2
/** Answers that a client leaves unread before it is cut off; events have their own, lower mark. */
const UNREAD_BYTES = 1_048_576
const GRACE_MS = 2000

/** Carries the live channel's protocol on one WebSocket: sign-in in time, pings, sizes, rates, one message after the other. */
export function serveSocket(socket: WebSocket, bearer: string | null, deps: SocketDeps): void {
  const wire = wireOf(socket, deps.clock)
  const conversation = createConversation(wire, deps)
  const timers = [keepAlive(socket, deps.clock), expectSignIn(conversation, wire, deps.clock)]
  const signedIn = bearer === null ? Promise.resolve() : conversation.authenticate({ token: bearer })
  const take = createInbox(conversation, wire, deps, signedIn)
  socket.on('message', (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => {
    take(Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer), isBinary)
  })
  socket.on('close', () => {
    for (const cancel of timers) cancel()
    const client = conversation.client()
    if (!client) return
    client.session.close()
    deps.onClose(client)
  })
}

function wireOf(socket: WebSocket, clock: Clock): Wire {
  const isOpen = () => socket.readyState === socket.OPEN
  const close = (code: number, reason: string) => {
    socket.close(code, reason)
    // A peer that reads nothing never answers the close frame.
    clock.after(GRACE_MS, () => socket.terminate())
  }
  const send = (text: string) => {
    if (isOpen()) socket.send(text)
  }
  return {
    isOpen,
    close,
    tell(message: ToldMessage) {
      if (socket.bufferedAmount > UNREAD_BYTES) close(CLOSE.tooSlow, 'too many answers left unread')
      else send(JSON.stringify(message))
    },
    sink: {
      send,
      sendBinary(bytes) {
        if (isOpen()) socket.send(bytes)
      },
      bufferedBytes: () => socket.bufferedAmount,
      cutOff: () => close(CLOSE.tooSlow, 'nothing was read for 30 s'),
    },
  }
}

function keepAlive(socket: WebSocket, clock: Clock): () => void {
  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  return clock.every(PING_MS, () => {
    if (!answered) socket.terminate()
    answered = false
    if (socket.readyState === socket.OPEN) socket.ping()
  })
}

function expectSignIn(conversation: Conversation, wire: Wire, clock: Clock): () => void {
  return clock.after(AUTH_WITHIN_MS, () => {
    if (!conversation.client()) wire.close(CLOSE.noAuth, 'no credential within 5 s')
  })
}

/**
 * Lets through what is small, slow and readable enough, one message after the other. They wait for `signedIn`: a client
 * with a token in its sub-protocol may speak as soon as the socket is open.
 */
function createInbox(
  conversation: Conversation,
  wire: Wire,
  { clock, read }: Pick<SocketDeps, 'clock' | 'read'>,
  signedIn: Promise<void>,
): (bytes: Buffer, isBinary: boolean) => void {
  let backlog = 0
  let pictures = 0
  let tail = signedIn
  const window = { startMs: clock.monotonic(), used: 0 }
  return (bytes, isBinary) => {
    if (bytes.byteLength > (isBinary && conversation.client() ? PICTURE_BYTES : MESSAGE_BYTES))
      return wire.close(1009, 'a message has 64 KB at most, one with a picture 1 MB')
    if (!withinRate(window, clock.monotonic())) return tooFast(window.used, wire)
    const found = isBinary ? null : read(bytes.toString('utf8'))
    if (found && 'wrong' in found) return wire.tell(errorMessage('VALIDATION_ERROR', found.wrong))
    // Rather a picture less than pictures that lag.
    if (!found && pictures >= PICTURES_WAITING)
      return wire.tell(errorMessage('OVERLOADED', 'This picture is left out: earlier ones still wait.'))
    if (backlog >= BACKLOG_MAX) return wire.close(1008, 'too many messages at once')
    backlog += 1
    if (!found) pictures += 1
    tail = tail
      .then(() => (found ? conversation.handle(found.message) : conversation.picture(bytes)))
      .finally(() => {
        backlog -= 1
        if (!found) pictures -= 1
      })
  }
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
function tooFast(used: number, wire: Wire): void {
  if (used === MESSAGES_PER_S + 1) {
    wire.tell(errorMessage('RATE_LIMITED', `At most ${MESSAGES_PER_S} messages a second.`))
  }
  if (used > MESSAGES_PER_S * 10) wire.close(1008, 'too many messages')
}
