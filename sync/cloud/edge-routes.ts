/** The local-edge API: what hubs ask. Every answer that leaves here is signed. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import {
  answerText,
  isSignedBy,
  NONCE_HEADER,
  rotationText,
  SERVER_SIGNATURE_HEADER,
  SERVER_TIME_HEADER,
  signText,
} from '../signing.ts'
import {
  Job,
  KeysAnswer,
  LIMITS,
  PATHS,
  ProcessRequest,
  type Refusal,
  RegisterAnswer,
  RegisterRequest,
  RotateRequest,
  SCHEMA,
  SCHEMAS_BACK,
  StatusAnswer,
  SyncAnswer,
  SyncConflict,
  SyncRequest,
} from '../wire.ts'
import { applyBatch } from './apply.ts'
import { readBatch } from './batch.ts'
import { askedByHubs } from './document.ts'
import { register, rotate } from './households.ts'
import type { KnownHub, Shown } from './identity.ts'
import { inflated } from './inflate.ts'
import { processJob } from './jobs.ts'
import type { CloudParts } from './parts.ts'
import { statusOf } from './status.ts'
import { keysOf } from './vault.ts'

const RotateAnswer = Type.Object({ hub_id: Type.String(), server_time: Type.Integer() })
const registerCheck = Compile(RegisterRequest)
const rotateCheck = Compile(RotateRequest)
const syncCheck = Compile(SyncRequest)
const processCheck = Compile(ProcessRequest)

/** An answer that is no acknowledgement. */
class Refuse extends Error {
  readonly status: number
  readonly body: Omit<Refusal, 'server_time'>
  readonly retryAfterS: number

  constructor(status: number, body: Omit<Refusal, 'server_time'>, retryAfterS = 0) {
    super(body.message)
    this.status = status
    this.body = body
    this.retryAfterS = retryAfterS
  }
}

/** Adds the routes to a scope of its own: bodies stay bytes there, because the signature is over bytes. */
export function edgeRoutes(parts: CloudParts) {
  const { base, clock, identity, key, metrics } = parts
  const schema = {
    min: parts.schemaMin ?? Math.max(1, SCHEMA - SCHEMAS_BACK),
    max: parts.schemaMax ?? SCHEMA,
  }

  const shownOf = (request: FastifyRequest): Shown => ({
    method: request.method,
    path: request.url,
    headers: request.headers,
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  })
  const asked = async (request: FastifyRequest): Promise<KnownHub> => {
    const hub = await identity.hubOf(shownOf(request), clock.now())
    if ('status' in hub) throw new Refuse(hub.status, hub)
    slow(parts.hubLimit.take(hub.id))
    return hub
  }
  const bodyOf = async (request: FastifyRequest): Promise<unknown> => {
    const raw = await inflated(shownOf(request).body as Buffer, request.headers['content-encoding'])
    if ('fault' in raw && raw.fault === 'too_large')
      throw new Refuse(413, { reason: 'too_large', message: TOO_LARGE })
    if ('fault' in raw) throw invalid('The body is not compressed as it says.')
    try {
      return JSON.parse(raw.bytes.toString('utf8')) as unknown
    } catch {
      throw invalid('The body is no JSON.')
    }
  }

  return async (http: FastifyInstance) => {
    http.removeAllContentTypeParsers()
    http.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: LIMITS.compressedBytes },
      (_, body, done) => done(null, body),
    )
    http.addHook('onSend', async (request, reply, payload) => {
      sign(request, reply, typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : '')
      return payload
    })
    const sign = (request: FastifyRequest, reply: FastifyReply, payload: string | Buffer) => {
      const nonce = request.headers[NONCE_HEADER]
      if (typeof nonce !== 'string') return
      const timeMs = clock.now()
      const text = answerText({ status: reply.statusCode, nonce, body: Buffer.from(payload), timeMs })
      reply
        .header(SERVER_TIME_HEADER, String(timeMs))
        .header(SERVER_SIGNATURE_HEADER, signText(key.pem, text))
    }
    http.setErrorHandler(async (cause, request, reply) => {
      const refusal = refusalOf(cause, parts.isStopping())
      metrics.refused.inc({ reason: refusal.body.reason })
      if (refusal.status >= 500)
        parts.log.error({ err: cause, route: request.routeOptions.url }, 'a request of a hub failed')
      if (refusal.retryAfterS > 0) reply.header('retry-after', String(refusal.retryAfterS))
      return reply.code(refusal.status).send({ ...refusal.body, server_time: clock.now() })
    })

    http.addHook('onResponse', async () => {
      parts.failpoints.hit('cloud.after-answer')
    })

    const joins = askedByHubs(
      'Join a household, or change the key',
      { 200: Type.Union([RegisterAnswer, RotateAnswer]) },
      { body: Type.Union([RegisterRequest, RotateRequest]) },
    )
    http.post(PATHS.register, { schema: joins }, async (request) => {
      slow(parts.registerLimit.take(request.ip))
      const body = await bodyOf(request)
      return rotateCheck.Check(body) && !registerCheck.Check(body)
        ? rotated(request, body)
        : registered(request, body)
    })

    const registered = async (request: FastifyRequest, body: unknown) => {
      if (!registerCheck.Check(body)) throw invalid('This is no registration.')
      const refused = identity.newcomer(shownOf(request), body.public_key, clock.now())
      if (refused) throw new Refuse(refused.status, refused)
      if (body.schema < schema.min) throw new Refuse(426, { reason: 'schema', message: UPDATE, schema })
      const joined = await register(base.owner, body, clock.now())
      if (!joined)
        throw new Refuse(403, {
          reason: 'code',
          message: 'This code is wrong, spent or older than a day. Make a new one.',
        })
      parts.log.info({ hub: joined.hub, household: joined.household }, 'a hub joined')
      return {
        hub_id: joined.hub,
        household_id: joined.household,
        household_name: joined.householdName,
        epoch: joined.epoch,
        schema,
        server_key: key.publicKey,
        server_time: clock.now(),
      }
    }

    const rotated = async (request: FastifyRequest, body: RotateRequest) => {
      const hub = await identity.hubOf(shownOf(request), clock.now(), body.public_key)
      if ('status' in hub) throw new Refuse(hub.status, hub)
      const isRepeated = hub.publicKey === body.public_key
      const oldKey = isRepeated ? (hub.previousKey ?? '') : hub.publicKey
      if (!isSignedBy(body.public_key, rotationText(hub.id, oldKey, body.public_key), body.proof))
        throw new Refuse(401, { reason: 'signature', message: 'The new key did not sign the rotation.' })
      if (!isRepeated && !(await rotate(base.owner, hub, body.public_key)))
        throw new Refuse(401, { reason: 'signature', message: 'The key was changed meanwhile.' })
      return { hub_id: hub.id, server_time: clock.now() }
    }

    const takes = askedByHubs(
      'Take a piece of a lane',
      { 200: SyncAnswer, 409: SyncConflict, 422: SyncAnswer },
      { body: SyncRequest },
    )
    http.post(PATHS.sync, { schema: takes }, async (request, reply) => {
      const hub = await asked(request)
      const body = await bodyOf(request)
      if (!syncCheck.Check(body)) throw invalid(faultOf(syncCheck.Errors(body)))
      if (rowsIn(body) > LIMITS.rows) throw new Refuse(413, { reason: 'too_large', message: TOO_LARGE })
      if (body.hub !== hub.id) throw invalid('The batch is of another hub than the signature.')
      if (body.schema < schema.min || body.schema > schema.max)
        throw new Refuse(426, { reason: 'schema', message: UPDATE, schema })
      const bytes = shownOf(request).body.length
      const applied = await timed(parts, body, () => applyBatch(parts, hub, body, readBatch(body), bytes))
      const { lane } = body
      if (applied.kind === 'conflict') {
        metrics.batches.inc({ lane, outcome: applied.answer.reason })
        return reply.code(409).send({ ...applied.answer, server_time: clock.now() })
      }
      const { answer, aside } = applied
      metrics.batches.inc({ lane, outcome: 'acknowledged' })
      metrics.rows.inc({ lane }, rowsIn(body))
      metrics.bytes.inc({ lane }, bytes)
      metrics.quarantined.inc({ lane }, aside.length)
      metrics.dropped.inc(answer.dropped)
      await parts.seen(hub.id)
      return reply.code(aside.length > 0 ? 422 : 200).send({ ...answer, server_time: clock.now() })
    })

    http.get(
      PATHS.status,
      { schema: askedByHubs('How far the lanes are', { 200: StatusAnswer }) },
      async (request) => {
        const hub = await asked(request)
        return { ...(await statusOf(base, hub)), schema, server_time: clock.now() }
      },
    )

    http.get(PATHS.keys, { schema: askedByHubs('Keys of persons', { 200: KeysAnswer }) }, async (request) => {
      const hub = await asked(request)
      const keys = await base.household(hub.household, (queries) => keysOf(queries, hub.household))
      const shown = [...keys].map(([subject, ring]): [string, string[]] => [
        subject,
        ring.map((key) => key.toString('base64')),
      ])
      return {
        keys: Object.fromEntries(shown.map(([subject, [first]]) => [subject, first])),
        others: Object.fromEntries(
          shown.flatMap(([subject, [, ...rest]]) => (rest[0] ? [[subject, rest]] : [])),
        ),
        server_time: clock.now(),
      }
    })

    const works = askedByHubs('Offer a job, or answer one', { 200: Job }, { body: ProcessRequest })
    http.post(PATHS.process, { schema: works }, async (request) => {
      const hub = await asked(request)
      const body = await bodyOf(request)
      if (!processCheck.Check(body)) throw invalid(faultOf(processCheck.Errors(body)))
      const done = await base.household(hub.household, (queries) =>
        processJob(queries, hub.household, hub.id, body, clock.now()),
      )
      if ('job' in done) return { ...done.job, server_time: clock.now() }
      if (done.fault === 'invalid') throw invalid(done.told)
      if (done.fault === 'full')
        throw new Refuse(429, { reason: 'full', message: 'Too many jobs are open.' }, 60)
      throw new Refuse(404, { reason: done.fault, message: 'There is no such job.' })
    })
  }
}

const TOO_LARGE = 'The batch is too large: split it.'
const UPDATE = 'Hub and cloud are more than two versions apart: update the older one.'

function rowsIn({ rows, rollups = [] }: SyncRequest): number {
  return rollups.reduce((sum, { seq }) => sum + seq.length, rows.length)
}

function invalid(message: string): Refuse {
  return new Refuse(400, { reason: 'invalid', message })
}

function faultOf(errors: readonly { instancePath: string; message: string }[]): string {
  const [error] = errors
  return error ? `${error.instancePath || 'body'} ${error.message}` : 'The body does not fit.'
}

/** Throws a 429 when there is no turn left. */
function slow(retryAfterS: number): void {
  if (retryAfterS > 0)
    throw new Refuse(429, { reason: 'rate', message: 'Too many requests: wait.' }, retryAfterS)
}

async function timed<Result>(
  { clock, metrics }: CloudParts,
  { lane }: SyncRequest,
  work: () => Promise<Result>,
) {
  const startMs = clock.monotonic()
  const result = await work()
  metrics.applySeconds.observe({ lane }, (clock.monotonic() - startMs) / 1000)
  return result
}

/** What a hub is told; whatever is the fault of Postgres or of ours is worth another try. */
function refusalOf(cause: unknown, isStopping: boolean): Refuse {
  if (cause instanceof Refuse) return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new Refuse(413, { reason: 'too_large', message: TOO_LARGE })
  if (cause instanceof RangeError) return invalid(cause.message)
  const message = isStopping ? 'The service is stopping.' : 'The service cannot take this right now.'
  return new Refuse(503, { reason: isStopping ? 'stopping' : 'unavailable', message }, 5)
}
