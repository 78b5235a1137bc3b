import type { FastifyReply } from 'fastify'
import { type Static, Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import type { Feature, Http, PersonFrom, Policy } from '../../domain/route.ts'
import { Failure, iso, Ok, ok } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import {
  type BulkResult,
  createHttpIntake,
  type HttpIntake,
  type HttpIntakeDeps,
  type RejectedItem,
} from './intake.ts'
import { type Moment, readMoment } from './moment.ts'
import { createNotes, type Note, type Notes, refuseLarge } from './notes.ts'
import { createWearers, type Wearers } from './wearers.ts'

export interface IngestDeps extends HttpIntakeDeps {
  store: Pick<Store, 'all' | 'get' | 'observations' | 'write'>
}

export interface Ingest {
  feature: Feature
  /** Keeps what was going on at an instant; resolves to whether that is new. */
  keepNote: Notes['keep']
  /** Takes samples that came by another way than the ingest routes, judged alike. */
  take: HttpIntake['take']
  /** Takes telemetry of the live channel; resolves once it is on disk. */
  telemetry(actor: Actor, personId: string | null, samples: readonly unknown[]): Promise<BulkResult>
}

const SAMPLES_MAX = 10_000
const BULK_BYTES = 8 * 1_048_576
const ABOUT: PersonFrom = { in: 'body', name: 'person_id', orSelf: true }
const WRITE: Policy = {
  access: 'person',
  roles: ['owner', 'caregiver', 'coach', 'member', 'device'],
  person: ABOUT,
  action: 'write',
  class: 'by-metric',
}

const OpenObject = Type.Record(Type.String(), Type.Unknown(), { description: 'Kept as sent, up to 16 KB' })
const Instant = Type.Union([Type.String(), Type.Number()], {
  description: "RFC 3339 (without offset: the person's zone), or epoch seconds or milliseconds",
})
const Seed = Type.Object(
  {
    person_id: Type.Optional(Id),
    device_id: Type.Optional(Id),
    timestamp: Type.Optional(Instant),
    wellness_metrics: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Null()]), {
      maxProperties: 50,
      description: 'hr, stress, sleep_duration (s), sleep_state, activity_intensity, or any metric by name',
    }),
    context: Type.Optional(OpenObject),
    interaction: Type.Optional(OpenObject),
  },
  { additionalProperties: false },
)
const Ingested = Type.Object({
  status: Type.Literal('success'),
  person_id: Id,
  ts: Type.String(),
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
})
const Bulk = Type.Object(
  {
    person_id: Type.Optional(Id),
    device_id: Type.Optional(Id),
    samples: Type.Array(Type.Unknown(), { minItems: 1, maxItems: SAMPLES_MAX }),
  },
  { additionalProperties: false },
)
const Result = Type.Object({
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  rejected: Type.Array(
    Type.Object({ index: Type.Integer(), code: Type.String(), message: Type.String(), path: Type.String() }),
  ),
})

/** Takes measurements over HTTP: one moment of a child's day, or many samples at once. */
export function createIngest(deps: IngestDeps): Ingest {
  const intake = createHttpIntake(deps)
  return {
    keepNote: createNotes(deps).keep,
    take: intake.take,
    feature: {
      name: 'ingest',
      routes(http) {
        routeMoment(http, deps, intake)
        routeBulk(http, deps, intake)
      },
    },
    telemetry(actor, named, samples) {
      const personId = named ?? (actor.kind === 'user' ? actor.personId : null)
      return intake.take(samples, { actor, personId, deviceId: null, source: 'telemetry', whole: false })
    },
  }
}

type Intake = ReturnType<typeof createHttpIntake>

function routeMoment(http: Http, deps: IngestDeps, intake: Intake): void {
  const notes = createNotes(deps)
  const wearers = createWearers(deps.store)
  http.post(
    '/ingest',
    {
      config: { policy: WRITE },
      // The seed's clients look for the name they know, so this speaks before the schema and the policy do.
      preValidation: async ({ actor, body }) => {
        if (actor.kind !== 'device' && isObject(body) && !('person_id' in body)) throw missingChild()
      },
      schema: {
        tags: ['ingest'],
        summary: 'One moment of a person: wellness values with what was going on',
        body: Seed,
        response: { 200: Ok(Ingested), 201: Ok(Ingested) },
      },
    },
    async (request, reply) => {
      const { body, actor, personId } = request
      refuseLarge('context', body.context)
      refuseLarge('interaction', body.interaction)
      if (body.context || body.interaction) request.authorize(personId, 'write', 'wellness')
      const moment = readMoment(body, deps.store, personId, deps.now(), deps.latestMs?.())
      if (moment.samples.length === 0 && !body.context && !body.interaction) throw nothingSent()
      const about = ownerOf(request, moment.atMs, wearers)
      const note = await noteOf(body, about, moment.atMs, deps)
      const upload = { actor, personId: body.person_id ?? null, deviceId: body.device_id ?? null }
      const result = await intake.take(moment.samples, { ...upload, source: 'ingest', whole: true })
      const [first] = result.rejected
      if (first) throw refusedMoment(first, result.rejected, moment)
      const changed = note ? await notes.keep(note) : false
      const { accepted, duplicates } = result
      reply.code(accepted > 0 || changed ? 201 : 200)
      const status = 'success' as const
      return ok(deps.now(), {
        status,
        person_id: about.personId ?? personId,
        ts: iso(moment.atMs),
        accepted,
        duplicates,
      })
    },
  )
}

/** Whose a moment is, and the device that tells of it; null persons: nobody's whom that device may tell about. */
function ownerOf(
  { actor, body, personId }: { actor: Actor; body: Static<typeof Seed>; personId: string },
  atMs: number,
  wearers: Wearers,
): { personId: string | null; deviceId: string | null } {
  if (actor.kind === 'device') {
    const { deviceId } = actor
    return { personId: body.person_id ?? wearers.wearerAt(deviceId, atMs), deviceId }
  }
  const deviceId = body.device_id ?? null
  const isTheirs = deviceId === null || wearers.servesAt(deviceId, personId, atMs)
  return { personId: isTheirs ? personId : null, deviceId }
}

/** Null when nothing was noted. Throws NOT_FOUND where the note would be nobody's, as a sample would be refused. */
async function noteOf(
  { context, interaction }: Static<typeof Seed>,
  about: ReturnType<typeof ownerOf>,
  atMs: number,
  deps: IngestDeps,
): Promise<Note | null> {
  if (!context && !interaction) return null
  const { personId } = about
  if (personId === null) {
    throw new HubError('NOT_FOUND', 'Nothing of this was kept: nobody here wore the device at that time.')
  }
  const deviceId = about.deviceId ?? (await deps.manualDevice(personId))
  return { personId, deviceId, atMs, context, interaction }
}

function routeBulk(http: Http, deps: IngestDeps, intake: Intake): void {
  http.post(
    '/health_data/ingest',
    {
      config: { policy: WRITE },
      bodyLimit: BULK_BYTES,
      schema: {
        tags: ['ingest'],
        summary: 'Many samples at once, judged one by one',
        body: Bulk,
        response: { 200: Ok(Result), 422: Type.Object({ ...Failure.properties, data: Result }) },
      },
    },
    async (request, reply) => {
      const { body, actor } = request
      // A device's samples belong to whoever wore it then, a user's to the person that the policy settled.
      const personId = actor.kind === 'device' ? (body.person_id ?? null) : request.personId
      const upload = { actor, personId, deviceId: body.device_id ?? null }
      const result = await intake.take(body.samples, { ...upload, source: 'health_data', whole: false })
      const [first] = result.rejected
      if (!first || result.accepted + result.duplicates > 0) return ok(deps.now(), result)
      return nothingLanded(reply, deps.now(), first, result)
    },
  )
}

function nothingLanded(
  reply: FastifyReply,
  nowMs: number,
  first: RejectedItem,
  data: BulkResult,
): FastifyReply {
  const message = `Nothing of this was kept. Item ${first.index}: ${first.message}.`
  const details = detailsOf(data.rejected.slice(0, 100))
  return reply
    .code(422)
    .send({ success: false, error: { code: first.code, message, details }, data, timestamp: iso(nowMs) })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function missingChild(): HubError {
  return new HubError(
    'VALIDATION_ERROR',
    'Say whose measurements these are: child_id (or person_id) is missing.',
    {
      details: [{ path: 'child_id', message: 'is missing' }],
    },
  )
}

function nothingSent(): HubError {
  return new HubError('VALIDATION_ERROR', 'There is nothing to keep: wellness_metrics holds no value.', {
    details: [{ path: 'wellness_metrics', message: 'holds no value' }],
  })
}

function refusedMoment(first: RejectedItem, all: readonly RejectedItem[], { samples }: Moment): HubError {
  const details = all.map(({ index, message }) => {
    const sample = samples[index]
    return { path: `wellness_metrics.${sample?.metric ?? index}`, message, value: sample?.value }
  })
  return new HubError(first.code, `Nothing of this was kept. ${details[0]?.path}: ${first.message}.`, {
    details,
  })
}

function detailsOf(rejected: readonly RejectedItem[]) {
  return rejected.map(({ index, path, message }) => ({
    path: `[${index}].${path}`.replace(/\.$/, ''),
    message,
  }))
}
