import type { FastifyReply } from 'fastify'
import type { Actor } from '../../domain/access.ts'
import type { Clock } from '../../kernel/clock.ts'
import { refusedTopic, type ToldMessage } from './answers.ts'
import { createSession, type Session, type SessionDeps } from './session.ts'

export interface EventStreamDeps extends SessionDeps {
  clock: Clock
}

/** One client of the event stream. */
export interface EventStream {
  session: Session
  /** When the access token it came with runs out; null for the control socket. */
  expiresAtMs: number | null
  tell(message: ToldMessage): void
  end(): void
}

export interface Asked {
  topics: readonly string[]
  lastEventId: string
  expiresAtMs: number | null
}

const COMMENT_MS = 20_000

/**
 * Sends the live channel's events as Server-Sent Events. Every event's id holds the numbers of all its topics, so that the
 * browser's own `Last-Event-ID` brings back what was missed on each of them.
 */
export function openEventStream(
  reply: FastifyReply,
  actor: Actor,
  { topics, lastEventId, expiresAtMs }: Asked,
  deps: EventStreamDeps,
  onClose: (stream: EventStream) => void,
): EventStream {
  const { raw } = reply
  const seen = new Map<string, number>()
  const since = parseEventId(lastEventId)
  reply.hijack()
  raw.writeHead(200, {
    ...headersOf(reply),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  const write = (text: string) => {
    if (!raw.destroyed) raw.write(text)
  }
  const session = createSession(
    actor,
    {
      send(text, frame) {
        if (frame) seen.set(frame.topic, frame.seq)
        write(`${frame ? `id: ${eventId(seen)}\n` : ''}data: ${text}\n\n`)
      },
      bufferedBytes: () => raw.writableLength,
      cutOff: () => raw.destroy(),
    },
    deps,
  )
  const tell = (message: ToldMessage) => write(`data: ${JSON.stringify(message)}\n\n`)
  const stopComments = deps.clock.every(COMMENT_MS, () => write(':\n\n'))
  const stream: EventStream = { session, expiresAtMs, tell, end: () => raw.end() }
  const { socket } = reply.request
  const closed = () => {
    raw.off('close', closed)
    socket.off('close', closed)
    stopComments()
    session.close()
    onClose(stream)
  }
  raw.on('close', closed)
  // An answer that waits behind another one on the same connection never hears that the connection is gone.
  socket.on('close', closed)
  const { seq, refused } = session.join([...topics, ...since.keys()])
  for (const [topic, number] of Object.entries(seq)) seen.set(topic, since.get(topic) ?? number)
  write(`id: ${eventId(seen)}\n`)
  tell({ type: 'subscribed', topics: Object.keys(seq), seq })
  for (const topic of refused) tell(refusedTopic(topic))
  for (const [topic, from] of since) if (topic in seq) session.replay(topic, from)
  return stream
}

function eventId(seen: ReadonlyMap<string, number>): string {
  return [...seen].map(([topic, seq]) => `${topic}=${seq}`).join(';')
}

function parseEventId(text: string): Map<string, number> {
  const since = new Map<string, number>()
  for (const part of text.slice(0, 8192).split(';')) {
    const match = /^([A-Za-z0-9_:-]{1,128})=(\d{1,16})$/.exec(part)
    if (match?.[1] && match[2]) since.set(match[1], Number(match[2]))
  }
  return since
}

function headersOf(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]))
}
