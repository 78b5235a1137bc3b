/** One RTSP connection: requests with their answers and credentials, and the packets that come between. */
import { randomBytes } from 'node:crypto'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '../../kernel/clock.ts'
import { type Authorization, type Credentials, createAuthorization } from '../digest.ts'
import { SourceFailure } from '../source.ts'
import { createRtspReader, headerOf, type RtspMessage, statusOf } from './message.ts'

export interface ConnectionDeps {
  url: URL
  credentials: Credentials | null
  clock: Clock
  /** Certificates, PEM, that an `rtsps` camera may have instead of one the system trusts. */
  trustedCa: string | null
  onPacket(channel: number, bytes: Uint8Array): void
  /** Once, when the connection ends without `close`. */
  onEnded(cause: SourceFailure): void
}

export interface Connection {
  /** Resolves with any answer but 401, which is dealt with here; rejects with SourceFailure. */
  request(method: string, uri: string, headers?: Record<string, string>): Promise<RtspMessage>
  /** Says a last word, waits for no answer, and is gone. */
  close(farewell?: { method: string; uri: string; headers: Record<string, string> }): void
}

const CONNECT_MS = 5000
const ANSWER_MS = 5000
const FAREWELL_MS = 1000
/** The first without credentials, the second with them, the third because a nonce aged. */
const TRIES = 3
const AGENT = 'Homefield'

interface Waiting {
  resolve(message: RtspMessage): void
  reject(cause: SourceFailure): void
  cancelTimer(): void
}

/** Connects in the background; requests wait for it. */
export function openConnection(deps: ConnectionDeps): Connection {
  const { url, clock } = deps
  const where = url.host
  const waiting = new Map<number, Waiting>()
  const authorization =
    deps.credentials && createAuthorization(deps.credentials, () => randomBytes(8).toString('hex'))
  let sequence = 0
  let connected = false
  let ended = false

  function end(cause: SourceFailure | null): void {
    if (ended) return
    ended = true
    cancelConnect()
    for (const each of waiting.values()) {
      each.cancelTimer()
      each.reject(cause ?? new SourceFailure('ended', 'The connection was closed.'))
    }
    waiting.clear()
    if (cause === null) return
    socket.destroy()
    deps.onEnded(cause)
  }

  function answered(message: RtspMessage): void {
    // Requests of the camera (announcements, questions) are left unanswered: nothing we do depends on them.
    if (statusOf(message) === null) return
    const number = Number(headerOf(message, 'cseq'))
    const each = waiting.get(number)
    if (each === undefined) return
    waiting.delete(number)
    each.cancelTimer()
    each.resolve(message)
  }

  const reader = createRtspReader({
    onMessage: answered,
    onPacket: (channel, bytes) => {
      if (!ended) deps.onPacket(channel, bytes)
    },
  })
  const socket = dial(url, deps.trustedCa, () => {
    connected = true
    cancelConnect()
  })
  const cancelConnect = clock.after(CONNECT_MS, () => {
    if (!connected) end(unreachable(`No connection to ${where} within ${CONNECT_MS / 1000} s.`))
  })
  socket.on('error', (cause) => end(connectFailure(where, connected, cause)))
  socket.on('close', () =>
    end(new SourceFailure(connected ? 'ended' : 'unreachable', `${where} closed the connection.`)),
  )
  socket.on('data', (chunk) => {
    if (ended) return
    try {
      reader.push(chunk)
    } catch (cause) {
      end(
        cause instanceof SourceFailure ? cause : new SourceFailure('malformed', 'The answer cannot be read.'),
      )
    }
  })

  function exchange(method: string, uri: string, headers: Record<string, string>): Promise<RtspMessage> {
    return new Promise((resolve, reject) => {
      if (ended) return reject(new SourceFailure('ended', 'The connection is closed.'))
      const number = ++sequence
      const cancelTimer = clock.after(CONNECT_MS + ANSWER_MS, () =>
        end(unreachable(`${where} did not answer ${method}.`)),
      )
      waiting.set(number, { resolve, reject, cancelTimer })
      socket.write(requestText(method, uri, number, headers))
    })
  }

  return {
    async request(method, uri, headers = {}) {
      for (let tries = 1; ; tries++) {
        const sent = authorization?.header(method, uri) ?? null
        const message = await exchange(method, uri, withAuthorization(headers, sent))
        if (statusOf(message) !== 401) {
          authorization?.accepted(sent)
          return message
        }
        if (tries === TRIES || !mayRetry(authorization, message, sent)) throw refused(deps.credentials)
      }
    },
    close(farewell) {
      const alive = connected && !ended
      end(null)
      if (!alive || farewell === undefined) {
        socket.destroy()
        return
      }
      const { method, uri, headers } = farewell
      const sent = authorization?.header(method, uri) ?? null
      const cancel = clock.after(FAREWELL_MS, () => socket.destroy())
      socket.end(requestText(method, uri, ++sequence, withAuthorization(headers, sent)), () => {
        cancel()
        socket.destroy()
      })
    },
  }
}

function dial(url: URL, trustedCa: string | null, onConnect: () => void): Socket {
  const secure = url.protocol === 'rtsps:'
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? (secure ? 322 : 554) : Number(url.port)
  const socket = secure
    ? connectTls(
        {
          host,
          port,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          ...(trustedCa === null ? {} : { ca: trustedCa }),
        },
        onConnect,
      )
    : connectTcp({ host, port }, onConnect)
  return socket.setNoDelay(true)
}

const withAuthorization = (headers: Record<string, string>, value: string | null): Record<string, string> =>
  value === null ? headers : { ...headers, Authorization: value }

function requestText(method: string, uri: string, sequence: number, headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${uri} RTSP/1.0\r\nCSeq: ${sequence}\r\nUser-Agent: ${AGENT}\r\n${lines.join('')}\r\n`
}

const mayRetry = (authorization: Authorization | null, message: RtspMessage, sent: string | null): boolean =>
  authorization?.challenged(message.headers.get('www-authenticate') ?? [], sent) ?? false

const refused = (credentials: Credentials | null): SourceFailure =>
  new SourceFailure(
    'unauthorized',
    credentials === null
      ? 'The camera asks for a user name and a password. Enter those that were set in the camera.'
      : 'The camera refused the user name and the password. Check both; some cameras have their own account for RTSP.',
  )

const unreachable = (what: string): SourceFailure =>
  new SourceFailure(
    'unreachable',
    `${what} Check that the camera is on, in this network, and that the port is right.`,
  )

function connectFailure(where: string, connected: boolean, cause: Error): SourceFailure {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name
  if (connected) return new SourceFailure('ended', `The connection to ${where} broke (${code}).`)
  if (/CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/.test(code))
    return new SourceFailure(
      'unreachable',
      `The certificate of ${where} is not trusted (${code}). Use rtsp://, or give the camera a certificate that this box trusts.`,
    )
  return unreachable(`No connection to ${where} (${code}).`)
}
