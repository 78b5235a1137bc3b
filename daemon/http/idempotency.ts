import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Http } from '../domain/route.ts'
import { HubError, messageOf } from '../kernel/errors.ts'

const KEY_CHARACTERS = 128
const KEPT_MS = 24 * 3_600_000
/** The oldest answers leave above this; a retry after that runs again and meets the natural keys underneath. */
const ANSWERS_KEPT = 20_000
/** Longer answers are not kept. */
const ANSWER_BYTES = 256 * 1024
const IN_FLIGHT_MAX = 2000

const FIND = `SELECT body_hash AS bodyHash, sealed FROM idempotency WHERE id = :id AND created_at > :since`
const KEEP = `INSERT INTO idempotency (id, body_hash, sealed, created_at) VALUES (:id, :bodyHash, :sealed, :now)
  ON CONFLICT (id) DO UPDATE SET body_hash = :bodyHash, sealed = :sealed, created_at = :now`
const DROP_OLD = `DELETE FROM idempotency WHERE created_at <= :since`
// Uses index idempotency_created.
const DROP_MANY = `DELETE FROM idempotency WHERE id IN (
  SELECT id FROM idempotency ORDER BY created_at DESC, id LIMIT -1 OFFSET :kept)`

type Params = Readonly<Record<string, string | number | bigint | null | Uint8Array>>

interface Write {
  sql: string
  params: Params
}

/** What remembering answers needs of the store: a read, and writes that are on disk when they resolve. */
export interface AnswerStore {
  get<Row>(sql: string, params: Params): Row | undefined
  write(unit: readonly Write[]): Promise<unknown>
}

export interface IdempotencyDeps {
  store: AnswerStore
  now: () => number
  /** Secret of this hub, kept outside the database; without it nobody reads a kept answer. */
  secret: Uint8Array
}

interface Attempt {
  id: Uint8Array
  idText: string
  bodyHash: string
  sealKey: Uint8Array
}

interface KeptAnswer {
  status: number
  headers: Record<string, string | string[]>
  body: string
}

declare module 'fastify' {
  interface FastifyRequest {
    attempt: Attempt | null
  }
}

/**
 * Answers a repeated POST from memory instead of doing it twice. Answers may carry tokens, so they are kept encrypted under
 * a key made of the hub's secret and the caller's own Idempotency-Key, of which only a hash is stored.
 */
export function repeatSafely(http: Http, deps: IdempotencyDeps): void {
  const inFlight = new Map<string, string>()
  http.decorateRequest('attempt', null)

  http.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key']
    if (request.method !== 'POST' || typeof key !== 'string') return undefined
    const attempt = attemptOf(request, key, deps.secret)
    const running = inFlight.get(attempt.idText)
    if (running !== undefined) throw running === attempt.bodyHash ? inProgress() : mismatch()
    const kept = find(attempt, deps)
    if (kept) return replay(reply, kept)
    if (inFlight.size >= IN_FLIGHT_MAX)
      throw new HubError('OVERLOADED', 'Too many writes at once. Try again shortly.')
    inFlight.set(attempt.idText, attempt.bodyHash)
    request.attempt = attempt
    return undefined
  })

  http.addHook('onSend', async (request, reply, payload) => {
    const { attempt } = request
    if (!attempt) return payload
    try {
      if (isFinal(reply.statusCode) && typeof payload === 'string') await keep(attempt, reply, payload, deps)
    } catch (cause) {
      // The work itself is done and stored; only a repeat of it would not be recognised.
      request.log.warn({ reason: messageOf(cause) }, 'answer not kept for repeats')
    } finally {
      inFlight.delete(attempt.idText)
    }
    return payload
  })
}

function attemptOf(request: FastifyRequest, key: string, secret: Uint8Array): Attempt {
  if (key.length === 0 || key.length > KEY_CHARACTERS) {
    throw new HubError('VALIDATION_ERROR', `Idempotency-Key takes 1 to ${KEY_CHARACTERS} characters.`, {
      details: [{ path: 'Idempotency-Key', message: `takes 1 to ${KEY_CHARACTERS} characters` }],
    })
  }
  const route = `${request.method} ${request.routeOptions.url}`
  const id = createHash('sha256')
    .update(JSON.stringify([principalOf(request), route, key]))
    .digest()
  return {
    id,
    idText: id.toString('hex'),
    bodyHash: createHash('sha256').update(`${request.url}\n${request.bodyHash}`).digest('hex'),
    sealKey: new Uint8Array(
      hkdfSync('sha256', Buffer.concat([secret, Buffer.from(key)]), id, 'idempotency', 32),
    ),
  }
}

/** Open routes may take a credential all the same, such as the refresh cookie: whoever sends another is somebody else. */
function principalOf({ actor, ip, headers }: FastifyRequest): string {
  switch (actor.kind) {
    case 'user':
      return `user:${actor.userId}`
    case 'device':
      return `device:${actor.deviceId}`
    case 'local':
      return 'local'
    case 'anonymous':
      return JSON.stringify(['address', ip, headers.cookie ?? '', headers.authorization ?? ''])
  }
}

function find(attempt: Attempt, deps: IdempotencyDeps): KeptAnswer | null {
  const since = deps.now() - KEPT_MS
  const row = deps.store.get<{ bodyHash: string; sealed: Uint8Array }>(FIND, { id: attempt.id, since })
  if (!row) return null
  if (row.bodyHash !== attempt.bodyHash) throw mismatch()
  return unseal(attempt.sealKey, row.sealed)
}

function replay(reply: FastifyReply, kept: KeptAnswer): FastifyReply {
  for (const [name, value] of Object.entries(kept.headers)) reply.header(name, value)
  return reply.code(kept.status).header('idempotency-replayed', 'true').send(kept.body)
}

/** Refusals that may turn out differently on the next try are not kept. */
function isFinal(status: number): boolean {
  return status < 500 && status !== 429 && status !== 409
}

async function keep(
  attempt: Attempt,
  reply: FastifyReply,
  body: string,
  deps: IdempotencyDeps,
): Promise<void> {
  const headers: KeptAnswer['headers'] = {}
  for (const name of ['content-type', 'set-cookie', 'location']) {
    const value = reply.getHeader(name)
    if (typeof value === 'string' || Array.isArray(value)) headers[name] = value
  }
  if (Buffer.byteLength(body) > ANSWER_BYTES) return
  const now = deps.now()
  const sealed = seal(attempt.sealKey, { status: reply.statusCode, headers, body })
  const unit: Write[] = [
    { sql: KEEP, params: { id: attempt.id, bodyHash: attempt.bodyHash, sealed, now } },
    { sql: DROP_OLD, params: { since: now - KEPT_MS } },
    { sql: DROP_MANY, params: { kept: ANSWERS_KEPT } },
  ]
  await deps.store.write(unit)
}

function seal(key: Uint8Array, answer: KeptAnswer): Uint8Array {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const text = Buffer.concat([cipher.update(JSON.stringify(answer), 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text])
}

/** Null when the hub's secret has changed since: the answer is lost, and the request runs again. */
function unseal(key: Uint8Array, sealed: Uint8Array): KeptAnswer | null {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
  decipher.setAuthTag(sealed.subarray(12, 28))
  try {
    const text = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8')
    return JSON.parse(text) as KeptAnswer
  } catch {
    return null
  }
}

function mismatch(): HubError {
  return new HubError(
    'IDEMPOTENCY_MISMATCH',
    'This Idempotency-Key was used for another body. Make a new key for it.',
  )
}

function inProgress(): HubError {
  return new HubError(
    'IN_PROGRESS',
    'The first request with this Idempotency-Key is still running. Ask again shortly.',
  )
}
