/** A camera that is asked for JPEGs over HTTP, as a Source: an endless multipart answer, or one picture for each request. */
import { randomBytes } from 'node:crypto'
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Clock } from '../../kernel/clock.ts'
import { type Authorization, type Credentials, createAuthorization } from '../digest.ts'
import { type Source, SourceFailure, type SourceSink, type StreamFacts } from '../source.ts'
import { createDeviceClock } from './device-clock.ts'
import { boundaryOf, createMultipartReader, type Part } from './multipart.ts'
import { MAX_JPEG_BYTES } from './pushed.ts'

const MAX_REDIRECTS = 3
const MAX_CHALLENGES = 2
/** Between two requests to a camera that gives one picture for each. */
const POLL_MS = 200

export interface MjpegSourceDeps {
  /** `http://` or `https://`. A user name and password in it are never used nor sent. */
  url: string
  credentials: Credentials | null
  clock: Clock
  /** Takes a certificate that nobody signed. Cameras have no other; the owner says so for each. */
  acceptSelfSigned?: boolean
}

/** Fails with unreachable, unauthorized, not-found, unsupported, too-large, malformed or ended. */
export function createMjpegSource(deps: MjpegSourceDeps): Source {
  return {
    start(sink) {
      const attempt = createAttempt(deps, sink)
      attempt.begin()
      return attempt.close
    },
  }
}

function createAttempt(
  { url, credentials, clock, acceptSelfSigned = false }: MjpegSourceDeps,
  sink: SourceSink,
) {
  const authorization = credentials && createAuthorization(credentials, () => randomBytes(8).toString('hex'))
  const tls = new https.Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: !acceptSelfSigned })
  const plain = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const takePart = pictures(clock, sink)
  let request: ClientRequest | null = null
  let cancelPoll = () => {}
  let over = false
  let challenges = 0
  let redirects = 0

  function close(): void {
    over = true
    cancelPoll()
    request?.destroy()
    tls.destroy()
    plain.destroy()
  }

  function fail(cause: SourceFailure): void {
    if (over) return
    close()
    sink.failed(cause)
  }

  /** Runs what reads from outside; whatever it throws ends the attempt. */
  function guarded(work: () => void): void {
    if (over) return
    try {
      work()
    } catch (cause) {
      if (!(cause instanceof SourceFailure)) throw cause
      fail(cause)
    }
  }

  function ask(address: URL): void {
    const path = address.pathname + address.search
    const sent = authorization?.header('GET', path) ?? null
    const secure = address.protocol === 'https:'
    request = (secure ? https : http).request(
      {
        hostname: address.hostname.replace(/^\[|\]$/g, ''),
        port: address.port || (secure ? 443 : 80),
        path,
        agent: secure ? tls : plain,
        headers: {
          accept: 'multipart/x-mixed-replace, image/jpeg',
          ...(sent === null ? {} : { authorization: sent }),
        },
      },
      (answer) => guarded(() => answered(address, answer, sent)),
    )
    request.on('error', (cause) => fail(unreachable(cause, address)))
    request.end()
  }

  function answered(address: URL, answer: IncomingMessage, sent: string | null): void {
    answer.on('error', () => fail(ended()))
    const status = answer.statusCode ?? 0
    if (status === 401 && again(authorization, answer, sent)) {
      drain(answer, () => ask(address))
      return
    }
    if (status >= 300 && status < 400) {
      const next = redirected(address, answer)
      drain(answer, () => ask(next))
      return
    }
    if (status !== 200) throw refused(status)
    authorization?.accepted(sent)
    const type = answer.headers['content-type'] ?? ''
    const boundary = boundaryOf(type)
    if (boundary !== null) read(answer, boundary)
    else if (/^image\/jpe?g\b/i.test(type)) collect(address, answer)
    else
      throw new SourceFailure(
        'unsupported',
        `The address answers with ${type.split(';')[0] || 'no picture'}. Give the address of the camera's stream itself.`,
      )
  }

  function again(known: Authorization | null, answer: IncomingMessage, sent: string | null): boolean {
    const values = answer.headersDistinct['www-authenticate'] ?? []
    return known !== null && ++challenges <= MAX_CHALLENGES && known.challenged(values, sent)
  }

  /** Another address on the same host, never from TLS to plain; anywhere else could carry the credentials away. */
  function redirected(address: URL, answer: IncomingMessage): URL {
    const location = answer.headers.location
    const next =
      location !== undefined && URL.canParse(location, address.href) ? new URL(location, address) : null
    const stays = next?.hostname === address.hostname && /^https?:$/.test(next.protocol)
    if (!next || !stays || (address.protocol === 'https:' && next.protocol === 'http:')) {
      throw new SourceFailure(
        'unsupported',
        'The camera points to an address on another host. If it is yours, enter that address.',
      )
    }
    if (++redirects > MAX_REDIRECTS)
      throw new SourceFailure('unsupported', 'The camera points from one address to another without end.')
    return next
  }

  function drain(answer: IncomingMessage, then: () => void): void {
    let bytes = 0
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > MAX_JPEG_BYTES)
        fail(new SourceFailure('too-large', 'The camera refuses with an answer that does not end.'))
    })
    answer.on('end', () => guarded(then))
  }

  function read(answer: IncomingMessage, boundary: string): void {
    takePart.begin()
    const reader = createMultipartReader({ boundary, maxPartBytes: MAX_JPEG_BYTES, onPart: takePart.take })
    answer.on('data', (chunk: Buffer) => guarded(() => reader.push(chunk)))
    answer.on('end', () => fail(ended()))
  }

  /** One picture; then the next is asked for. */
  function collect(address: URL, answer: IncomingMessage): void {
    takePart.begin()
    const startedMs = clock.monotonic()
    const chunks: Buffer[] = []
    let bytes = 0
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      chunks.push(chunk)
      if (bytes > MAX_JPEG_BYTES)
        fail(
          new SourceFailure(
            'too-large',
            `The picture is larger than ${MAX_JPEG_BYTES} bytes. Choose a smaller one on the camera.`,
          ),
        )
    })
    answer.on('end', () =>
      guarded(() => {
        takePart.take({ headers: new Map(stamp(answer)), body: Buffer.concat(chunks) })
        challenges = 0
        cancelPoll = clock.after(Math.max(0, POLL_MS - (clock.monotonic() - startedMs)), () =>
          guarded(() => ask(address)),
        )
      }),
    )
  }

  function begin(): void {
    guarded(() => {
      const address = URL.canParse(url) ? new URL(url) : null
      if (!address || !/^https?:$/.test(address.protocol)) {
        throw new SourceFailure(
          'unsupported',
          'The address of this camera must begin with http:// or https://.',
        )
      }
      ask(address)
    })
  }

  return { begin, close }
}

function stamp(answer: IncomingMessage): [string, string][] {
  const value = answer.headers['x-timestamp']
  return typeof value === 'string' ? [['x-timestamp', value]] : []
}

/** Hands parts on as units, with the time by the camera's own clock where it tells it (X-Timestamp, seconds). */
function pictures(clock: Clock, sink: SourceSink) {
  const device = createDeviceClock()
  let facts: StreamFacts = { codec: 'jpeg', width: null, height: null, declaredFps: null, clock: 'arrival' }
  let begun = false
  return {
    begin() {
      if (!begun) sink.described(facts)
      begun = true
    },
    take({ headers, body }: Part) {
      const arrivedAtMs = clock.now()
      const seconds = Number(headers.get('x-timestamp') ?? Number.NaN)
      const told = Number.isFinite(seconds)
      if (told && facts.clock === 'arrival') {
        facts = { ...facts, clock: 'relative' }
        sink.described(facts)
      }
      const capturedAtMs = told ? device.capturedAtMs(seconds * 1000, arrivedAtMs) : arrivedAtMs
      sink.unit({ codec: 'jpeg', data: body, keyframe: true, capturedAtMs, arrivedAtMs })
    },
  }
}

function refused(status: number): SourceFailure {
  if (status === 401 || status === 403) {
    return new SourceFailure(
      'unauthorized',
      'The camera does not accept the user name and password. Check them.',
    )
  }
  if (status === 404)
    return new SourceFailure('not-found', 'The camera has nothing at this address. Check the path.')
  return new SourceFailure(
    'unreachable',
    `The camera answers with status ${status}. It may be busy with another viewer.`,
  )
}

function ended(): SourceFailure {
  return new SourceFailure('ended', 'The camera ended the stream.')
}

const CERTIFICATE_CODES = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]

function unreachable(cause: NodeJS.ErrnoException, address: URL): SourceFailure {
  if (CERTIFICATE_CODES.includes(cause.code ?? '')) {
    return new SourceFailure(
      'unreachable',
      "Nobody vouches for the camera's certificate. Allow its self-signed certificate, or use http.",
    )
  }
  if (cause.code === 'ECONNRESET') return ended()
  return new SourceFailure(
    'unreachable',
    `Nothing answers at ${address.host} (${cause.code ?? 'no connection'}). Check that the camera is on and the address is right.`,
  )
}
