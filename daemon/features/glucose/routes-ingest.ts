/** The ways in for glucose: one reading, or many that are judged one by one. */
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Http, Policy } from '../../domain/route.ts'
import { Failure, iso, Ok, ok } from '../../kernel/envelope.ts'
import type { Store } from '../../store/store.ts'
import { type Arrivals, type RejectedReading, refused, type Sender } from './arrivals.ts'
import { BulkIn, BulkOut, ReadingOut, SingleIn } from './bodies.ts'
import type { ReadingIds } from './shown.ts'

export interface IngestRoutesDeps {
  arrivals: Arrivals
  ids: ReadingIds
  store: Pick<Store, 'observations'>
  now: () => number
}

const BULK_BYTES = 8 * 1_048_576
const DETAILS_MAX = 100
const WRITE: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member', 'device'],
  person: { in: 'body', name: 'person_id', orSelf: true },
  action: 'write',
  class: 'glucose',
}

export function ingestRoutes(http: Http, deps: IngestRoutesDeps): void {
  routeSingle(http, deps)
  routeBulk(http, deps)
}

function routeSingle(http: Http, { arrivals, ids, store, now }: IngestRoutesDeps): void {
  http.post(
    '/glucose/readings',
    {
      config: { policy: WRITE },
      schema: {
        tags: ['glucose'],
        summary: 'One glucose reading',
        body: SingleIn,
        response: { 200: Ok(ReadingOut), 201: Ok(ReadingOut) },
      },
    },
    async ({ body, actor, personId }, reply) => {
      const { person_id: named, ...reading } = body
      const sender: Sender = { actor, personId: actor.kind === 'device' ? (named ?? null) : personId }
      const { landed, rejected } = await arrivals.take([reading], sender)
      const [one] = landed
      if (!one) {
        const { code = 'VALIDATION_ERROR', path = '', message = 'is no reading' } = rejected[0] ?? {}
        throw refused({ code, path, message }, body.value)
      }
      const { observation, outcome } = one
      const { atMs } = observation
      const window = {
        personId: observation.personId,
        metric: 'glucose',
        fromMs: atMs,
        toMs: atMs + 1,
        limit: 1,
      }
      const { points } = await store.observations.range(window)
      const stored = points.find(({ deviceId }) => deviceId === observation.deviceId)
      reply.code(outcome === 'duplicate' ? 200 : 201)
      return ok(now(), ids.view(stored ?? { ...observation, revision: 0 }))
    },
  )
}

function routeBulk(http: Http, { arrivals, now }: IngestRoutesDeps): void {
  http.post(
    '/glucose/bulk',
    {
      config: { policy: WRITE },
      bodyLimit: BULK_BYTES,
      schema: {
        tags: ['glucose'],
        summary: 'Up to 10,000 glucose readings, judged one by one',
        body: BulkIn,
        response: { 200: Ok(BulkOut), 422: Type.Object({ ...Failure.properties, data: BulkOut }) },
      },
    },
    async ({ body, actor, personId }, reply) => {
      const sender: Sender = {
        actor,
        personId: actor.kind === 'device' ? (body.person_id ?? null) : personId,
      }
      const { landed, rejected } = await arrivals.take(body.readings, sender)
      const duplicates = landed.filter(({ outcome }) => outcome === 'duplicate').length
      const result: BulkOut = { accepted: landed.length - duplicates, duplicates, rejected }
      const [first] = rejected
      return first && landed.length === 0 ? nothingLanded(reply, now(), first, result) : ok(now(), result)
    },
  )
}

function nothingLanded(
  reply: FastifyReply,
  nowMs: number,
  first: RejectedReading,
  data: BulkOut,
): FastifyReply {
  const message = `Nothing of this was kept. Reading ${first.index}: ${first.path} ${first.message}.`
  const details = data.rejected.slice(0, DETAILS_MAX).map((one) => ({
    path: `readings.${one.index}${one.path === '' ? '' : `.${one.path}`}`,
    message: one.message,
  }))
  return reply
    .code(422)
    .send({ success: false, error: { code: first.code, message, details }, data, timestamp: iso(nowMs) })
}
