/** Asks the cloud as a hub: everything that goes out is signed, and nothing that comes back unsigned is believed. */
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants } from 'node:zlib'
import {
  answerText,
  HUB_HEADER,
  isSignedBy,
  keyFingerprint,
  NONCE_HEADER,
  plainLetters,
  requestText,
  SERVER_SIGNATURE_HEADER,
  SERVER_TIME_HEADER,
  SIGNATURE_HEADER,
  type SigningKey,
  signText,
  TIME_HEADER,
} from './signing.ts'
import { BROTLI_QUALITY, PATHS } from './wire.ts'

export interface Answer {
  status: number
  body: unknown
  /** What the service asked to wait; 0 when it asked for nothing. */
  retryAfterMs: number
}

export interface ClientDeps {
  address: string
  hubId: string
  key: SigningKey
  /** What the service's answers must be signed with. */
  serverKey(): string
  /** Refusals may come unsigned, while the service's key is not known yet. */
  hearsRefusals?: boolean
  now(): number
  fetch: typeof fetch
}

export interface HubClient {
  /** Rejects with Unproven when nobody whom the hub believes has answered. */
  ask(method: 'GET' | 'POST', path: string, body?: Uint8Array, signal?: AbortSignal): Promise<Answer>
  /** `fetch` for the reader of shapes: signed, and only answers with a signed head get through. */
  fetch: typeof fetch
}

/** Neither a yes nor a no: whoever answered is not the service, or its answer was cut. */
export class Unproven extends Error {}

/** Somebody answers, but is not whom the code names; or the code was not typed as it is shown. */
export class OtherService extends Unproven {}

const ANSWER_MS = 30_000
/** An answer is small; more than this is none. */
const ANSWER_BYTES = 4 * 1024 * 1024
const compress = promisify(brotliCompress)

export function packed(body: unknown): Promise<Uint8Array> {
  return compress(Buffer.from(JSON.stringify(body)), {
    params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY },
  })
}

interface Sent {
  answer: Response
  nonce: string
}

export function createHubClient({
  address,
  hubId,
  key,
  serverKey,
  now,
  fetch,
  hearsRefusals = false,
}: ClientDeps): HubClient {
  async function send(
    url: URL,
    init: RequestInit,
    body: Uint8Array,
    nonce = randomBytes(18).toString('base64url'),
  ) {
    const method = init.method ?? 'GET'
    const signed = { method, path: url.pathname + url.search, body, timeMs: now(), nonce, hub: hubId }
    const headers = {
      ...(body.length > 0 ? { 'content-type': 'application/json', 'content-encoding': 'br' } : {}),
      [HUB_HEADER]: hubId,
      [TIME_HEADER]: String(signed.timeMs),
      [NONCE_HEADER]: nonce,
      [SIGNATURE_HEADER]: signText(key.pem, requestText(signed)),
    }
    const answer = await fetch(url, {
      ...init,
      headers,
      redirect: 'error',
      ...(body.length > 0 ? { body: Buffer.from(body) } : {}),
    })
    return { answer, nonce }
  }

  function isProven({ answer, nonce }: Sent, body: Uint8Array): boolean {
    const timeMs = Number(answer.headers.get(SERVER_TIME_HEADER) ?? Number.NaN)
    const text = answerText({ status: answer.status, nonce, body, timeMs })
    return isSignedBy(serverKey(), text, answer.headers.get(SERVER_SIGNATURE_HEADER) ?? '')
  }

  /** A clock that is off: the service gives a nonce with which the time does not matter. */
  function challengeIn(status: number, body: unknown): string | null {
    const challenge = status === 401 ? Object(body).challenge : null
    return typeof challenge === 'string' ? challenge : null
  }

  async function ask(
    method: 'GET' | 'POST',
    path: string,
    body: Uint8Array = Buffer.alloc(0),
    signal: AbortSignal = AbortSignal.timeout(ANSWER_MS),
  ): Promise<Answer> {
    let nonce: string | undefined
    for (;;) {
      const sent = await send(new URL(path, address), { method, signal }, body, nonce)
      const bytes = await bodyOf(sent.answer)
      const isRefusal = hearsRefusals && sent.answer.status >= 400 && parsed(bytes) !== null
      if (!isRefusal && !isProven(sent, bytes))
        throw new Unproven(`the answer (${sent.answer.status}) is not signed by the service`)
      const told = parsed(bytes)
      const challenge = challengeIn(sent.answer.status, told)
      if (challenge === null || nonce !== undefined)
        return { status: sent.answer.status, body: told, retryAfterMs: retryAfter(sent.answer) }
      nonce = challenge
    }
  }

  return {
    ask,
    async fetch(input, init) {
      const url = new URL(input instanceof Request ? input.url : String(input))
      const method = { method: 'GET', ...(init?.signal ? { signal: init.signal } : {}) }
      const first = await send(url, method, Buffer.alloc(0))
      if (first.answer.status !== 401) return proven(first)
      const challenge = challengeIn(401, parsed(await bodyOf(first.answer)))
      return challenge === null ? first.answer : proven(await send(url, method, Buffer.alloc(0), challenge))
    },
  }

  function proven(sent: Sent): Response {
    // Refusals of the service itself are signed with their body; the reader only looks at their status.
    if (sent.answer.ok && !isProven(sent, Buffer.alloc(0))) {
      void sent.answer.body?.cancel()
      throw new Unproven('the head of the stream is not signed by the service')
    }
    return sent.answer
  }
}

async function bodyOf(answer: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of answer.body ?? []) {
    length += part.length
    if (length > ANSWER_BYTES) throw new Unproven('the answer is too long')
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown
  } catch {
    return null
  }
}

function retryAfter(answer: Response): number {
  const seconds = Number(answer.headers.get('retry-after') ?? 0)
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : 0
}

export interface RegisterDeps extends Omit<ClientDeps, 'hubId' | 'serverKey'> {
  /** As the cloud shows it: with the part behind the dot that says which key the service must have. */
  code: string
  name: string
  version: string
  schema: number
}

/** Asks to join a household. Rejects with Unproven when whoever answers does not hold the key that the code names. */
export async function registerHub({ code, name, version, schema, ...deps }: RegisterDeps): Promise<Answer> {
  const [spoken = '', fingerprint = ''] = code.trim().split('.')
  let shown = ''
  const listening: typeof fetch = async (input, init) => {
    const answer = await deps.fetch(input, init)
    const bytes = await bodyOf(answer)
    shown = String(Object(parsed(bytes)).server_key ?? '')
    return new Response(Buffer.from(bytes), { status: answer.status, headers: answer.headers })
  }
  const body = await packed({ code: spoken, public_key: deps.key.publicKey, name, version, schema })
  // The key is only known from the answer that it has to prove: what binds it is the fingerprint in the code.
  const client = createHubClient({
    ...{ ...deps, hubId: 'new', fetch: listening, serverKey: () => shown, hearsRefusals: true },
  })
  const answer = await client.ask('POST', PATHS.register, body)
  if (answer.status === 200 && plainLetters(keyFingerprint(shown)) !== plainLetters(fingerprint))
    throw new OtherService('the service does not hold the key that the code names')
  return answer
}

/** Without a path's end; null for what must not be trusted with data. */
export function safeAddress(text: string): string | null {
  try {
    const url = new URL(text)
    const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
    if (url.username || url.password || url.search || url.hash) return null
    return url.protocol === 'https:' || (url.protocol === 'http:' && isHere) ? url.origin : null
  } catch {
    return null
  }
}
