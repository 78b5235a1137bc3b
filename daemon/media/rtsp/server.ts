/** A small RTSP camera: one video over RTP in the RTSP connection, for `homefield simulate camera` and for tests. */
import { randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../kernel/clock.ts'
import { SourceFailure } from '../source.ts'
import type { Guard } from './guard.ts'
import { createRtspReader, headerOf, type RtspMessage } from './message.ts'
import type { Due, Playhead } from './playhead.ts'
import { createSender, type Sender, sessionDescription } from './sender.ts'
import type { Video } from './video.ts'

export interface RtspServer {
  /** Resolves with the port. */
  listen(port: number, host?: string): Promise<number>
  /** As if the cable were pulled: connections break, new ones are refused, until `plugIn`. */
  unplug(): Promise<void>
  plugIn(): Promise<void>
  stop(): Promise<void>
  stats(): { viewers: number; skippedPictures: number }
}

export interface RtspServerDeps {
  video: Video
  playhead: Playhead
  clock: Clock
  /** Null: everybody may look. */
  guard: Guard | null
  path?: string
  timeoutS?: number
}

const MAX_CLIENTS = 32
const MTU = 1400

interface Client {
  socket: Socket
  session: string | null
  channel: number
  sender: Sender | null
}

export const CAMERA_PATH = '/stream'

/** Serves `path` only. The video starts with the first viewer and is the same for all. */
export function createRtspServer({
  video,
  playhead,
  clock,
  guard,
  path = CAMERA_PATH,
  timeoutS = 60,
}: RtspServerDeps): RtspServer {
  const clients = new Set<Client>()
  let server: Server | null = null
  let address: { port: number; host: string } = { port: 0, host: '127.0.0.1' }
  let skipped = 0

  playhead.onDue((due: Due) => {
    for (const { sender } of clients) if (sender !== null && !sender.send(due)) skipped++
  })
  playhead.onEnd(() => {
    for (const { socket, sender } of clients) {
      sender?.farewell()
      socket.end()
    }
  })

  function welcome(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    if (clients.size >= MAX_CLIENTS) {
      socket.destroy()
      return
    }
    const client: Client = { socket, session: null, channel: 0, sender: null }
    clients.add(client)
    socket.setNoDelay(true)
    socket.on('close', () => clients.delete(client))
    const reader = createRtspReader({
      onMessage: (message) => socket.write(reply(client, message)),
      onPacket() {},
    })
    socket.on('data', (chunk) => {
      try {
        reader.push(chunk)
      } catch (cause) {
        if (!(cause instanceof SourceFailure)) throw cause
        socket.end('RTSP/1.0 400 Bad Request\r\n\r\n')
      }
    })
  }

  function reply(client: Client, message: RtspMessage): string {
    const [method = '', uri = ''] = message.startLine.split(' ')
    const cseq = headerOf(message, 'cseq') ?? '0'
    const answer = (status: string, headers: Record<string, string> = {}, body = '') => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`
      return `RTSP/1.0 ${status}\r\nCSeq: ${cseq}\r\n${lines.join('')}${length}\r\n${body}`
    }
    if (method === 'OPTIONS') {
      return answer('200 OK', { Public: 'OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER' })
    }
    const allowed = guard?.check(method, headerOf(message, 'authorization')) ?? 'allowed'
    if (guard !== null && allowed !== 'allowed') {
      return answer('401 Unauthorized', { 'WWW-Authenticate': guard.challenge(allowed === 'stale') })
    }
    if (!URL.canParse(uri) || !new URL(uri).pathname.startsWith(path)) return answer('404 Not Found')
    if (method === 'DESCRIBE') {
      return answer(
        '200 OK',
        { 'Content-Type': 'application/sdp', 'Content-Base': `${uri}/` },
        sessionDescription(video),
      )
    }
    if (method === 'SETUP') return setup(client, message, answer)
    const session = { Session: client.session ?? '' }
    if (client.session === null || headerOf(message, 'session') !== client.session)
      return answer('454 Session Not Found')
    if (method === 'PLAY') {
      startPlaying(client)
      return answer('200 OK', { ...session, Range: 'npt=0.000-' })
    }
    if (method === 'GET_PARAMETER') return answer('200 OK', session)
    if (method === 'TEARDOWN') {
      client.sender = null
      client.session = null
      return answer('200 OK')
    }
    return answer('405 Method Not Allowed')
  }

  function setup(
    client: Client,
    message: RtspMessage,
    answer: (status: string, headers?: Record<string, string>) => string,
  ): string {
    const transport = headerOf(message, 'transport') ?? ''
    if (!/RTP\/AVP\/TCP/i.test(transport)) return answer('461 Unsupported Transport')
    client.channel = Number(/interleaved=(\d{1,2})/.exec(transport)?.[1] ?? 0)
    client.session = randomBytes(8).toString('hex')
    return answer('200 OK', {
      Transport: `RTP/AVP/TCP;unicast;interleaved=${client.channel}-${client.channel + 1}`,
      Session: `${client.session};timeout=${timeoutS}`,
    })
  }

  /** After the answer is on its way, so that no picture overtakes it. */
  function startPlaying(client: Client): void {
    setImmediate(() => {
      if (client.session === null || client.socket.destroyed) return
      client.sender ??= createSender({
        socket: client.socket,
        channel: client.channel,
        video,
        clock,
        mtu: MTU,
      })
      playhead.start()
    })
  }

  async function open(): Promise<void> {
    const opened = createServer(welcome)
    server = opened
    await new Promise<void>((resolve, reject) => {
      opened.once('error', reject)
      opened.listen(address.port, address.host, resolve)
    })
    const bound = opened.address()
    if (typeof bound === 'object' && bound !== null) address = { ...address, port: bound.port }
  }

  async function shut(): Promise<void> {
    const open = server
    server = null
    for (const { socket } of clients) socket.destroy()
    if (open !== null) await new Promise<void>((resolve) => open.close(() => resolve()))
  }

  return {
    async listen(port, host = '127.0.0.1') {
      address = { port, host }
      await open()
      return address.port
    },
    unplug: shut,
    plugIn: open,
    stop: shut,
    stats: () => ({
      viewers: [...clients].filter(({ sender }) => sender !== null).length,
      skippedPictures: skipped,
    }),
  }
}
