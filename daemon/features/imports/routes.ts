/** HTTP of imports: a file in, what came of it, what was left out and why. */
import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { IMPORT_KINDS } from '../../../firmware-bridge/import/kinds.ts'
import { type Actor, can, DATA_CLASSES, maySee } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { JOB_STATUSES, type Job } from '../../domain/job.ts'
import type { Http, Policy } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso, Ok, OkPage, ok, okPage, PageQuery, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'
import { boundaryOf, fileOfForm } from './multipart.ts'
import { untilStalled } from './stalls.ts'
import type { ImportPayload } from './storing.ts'
import type { ImportTable, StoredImport } from './table.ts'
import type { Uploads } from './uploads.ts'

export interface ImportRoutesDeps {
  store: Pick<Store, 'write'>
  now: () => number
  newId: () => string
  clock: Pick<Clock, 'after'>
  zoneOf: (personId: string) => string
  jobs: {
    enqueue(
      kind: string,
      payload: unknown,
      options: { personId: string; requestedBy: string | null },
    ): Plan<{ id: string }>
    find(id: string): Job | null
  }
  table: ImportTable
  uploads: Uploads
  /** Of the job that reads a file. */
  kind: string
  sweep: () => Promise<void>
  /** Uploads on their way, whose files nobody may take away. */
  arriving: Set<string>
}

const USERS = ['owner', 'caregiver', 'coach', 'member'] as const
const LISTED: Policy = { access: 'signed-in', roles: USERS }
const UPLOAD: Policy = {
  access: 'person',
  roles: USERS,
  person: { in: 'query', name: 'person_id', orSelf: true },
  action: 'write',
  class: 'by-metric',
}
/** Above the limit of uploads, which speaks for itself. */
const BODY_LIMIT = Number.MAX_SAFE_INTEGER
/** Uploads that are coming in at a time: each holds a connection and a file. */
const AT_ONCE = 4
/** A phone at the edge of the Wi-Fi may be slow, but not silent. */
const STALL_MS = 30_000

const Query = Type.Object(
  {
    kind: Type.Enum(['auto', ...IMPORT_KINDS], { default: 'auto' }),
    person_id: Type.Optional(Id),
    file_name: Type.Optional(
      Type.String({ maxLength: 255, description: 'Some exports say what they are in it' }),
    ),
    date_order: Type.Optional(
      Type.Enum(['DMY', 'MDY'], { description: 'Where a LibreView file does not give it away' }),
    ),
  },
  { additionalProperties: false },
)
const Params = Type.Object({ importId: Id }, { additionalProperties: false })
const Entered = Type.Object({ job_id: Id, import_id: Id })
const Shown = Type.Object({
  id: Id,
  job_id: Id,
  person_id: Id,
  kind: Type.String(),
  file_name: Type.Union([Type.String(), Type.Null()]),
  bytes: Type.Integer(),
  status: Type.Union([Type.Enum([...JOB_STATUSES]), Type.Null()]),
  progress: Type.Union([Type.Number(), Type.Null()]),
  error: Type.Union([Type.String(), Type.Null()]),
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  revised: Type.Integer(),
  skipped: Type.Integer(),
  created_at: Timestamp,
})
const Left = Type.Object({ where: Type.String(), reason: Type.String(), count: Type.Integer() })

export function importRoutes(http: Http, deps: ImportRoutesDeps): void {
  // A file is no JSON, whatever its sender calls it: here every body is taken as it comes.
  void http.register(async (inner: Http) => {
    inner.removeAllContentTypeParsers()
    inner.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    uploadRoute(inner, deps)
  })
  readRoutes(http, deps)
}

function uploadRoute(http: Http, deps: ImportRoutesDeps): void {
  const { now, newId, zoneOf, jobs, store, table, uploads, kind: jobKind, sweep, arriving } = deps
  http.post(
    '/imports',
    {
      config: { policy: UPLOAD, slowBody: true },
      bodyLimit: BODY_LIMIT,
      schema: {
        tags: ['imports'],
        summary:
          'Bring a file in: the body is its bytes, or a form with it. Answers once it is on disk; a job reads it',
        querystring: Query,
        response: { 202: Ok(Entered) },
      },
    },
    async (request, reply) => {
      const { query, actor, personId } = request
      const file = fileIn(request, deps.clock)
      if (arriving.size >= AT_ONCE)
        throw new HubError('OVERLOADED', 'Other files are still coming in. Send it in a minute.', {
          retryAfterS: 60,
        })
      const importId = newId()
      arriving.add(importId)
      try {
        await sweep()
        const bytes = await uploads.receive(importId, file.chunks, announced(request))
        const fileName = (query.file_name ?? file.name())?.replace(/^.*[/\\]/, '') || null
        const payload: ImportPayload = {
          ...{ importId, personId, fileName, kind: query.kind, dateOrder: query.date_order ?? null },
          zone: zoneOf(personId),
          classes: DATA_CLASSES.filter((one) => can(actor, 'write', personId, one, now())),
          nowMs: now(),
        }
        const plan = jobs.enqueue(jobKind, payload, { personId, requestedBy: askedBy(actor) })
        const jobId = plan.result.id
        const entry = { id: importId, jobId, personId, kind: query.kind, fileName, bytes }
        await store.write([...plan.writes, ...table.entering(entry)])
        plan.committed()
        return reply.code(202).send(ok(now(), { job_id: jobId, import_id: importId }))
      } catch (cause) {
        await uploads.remove(importId)
        throw cause
      } finally {
        arriving.delete(importId)
      }
    },
  )
}

/** The file that a request brings, bare or in a form. */
function fileIn({ body, headers }: FastifyRequest, clock: Pick<Clock, 'after'>) {
  const boundary = boundaryOf(headers['content-type'])
  if (body instanceof Readable) {
    const chunks = untilStalled(body, STALL_MS, clock)
    return boundary === null ? { chunks, name: () => null } : fileOfForm(chunks, boundary)
  }
  throw new HubError(
    'VALIDATION_ERROR',
    'Send the file as the body, with a Content-Type such as application/zip.',
  )
}

function announced({ headers }: FastifyRequest): number | null {
  const length = headers['content-encoding'] === undefined ? Number(headers['content-length']) : Number.NaN
  return Number.isFinite(length) ? length : null
}

function askedBy(actor: Actor): string | null {
  return actor.kind === 'user' ? actor.userId : null
}

function readRoutes(http: Http, deps: ImportRoutesDeps): void {
  const { now, jobs, table } = deps
  const shown = ({ counts, createdAtMs, ...one }: StoredImport) => {
    const job = jobs.find(one.jobId)
    return {
      ...{ id: one.id, job_id: one.jobId, person_id: one.personId, kind: one.kind },
      ...{ file_name: one.fileName, bytes: one.bytes },
      ...{ status: job?.status ?? null, progress: job?.progress ?? null, error: job?.error ?? null },
      ...counts,
      created_at: iso(createdAtMs),
    }
  }
  const find = (id: string, actor: Actor) => {
    const found = table.find(id)
    if (found && maySee(actor, found.personId, now())) return found
    throw new HubError('NOT_FOUND', 'There is no import with this id.')
  }
  http.get(
    '/imports',
    {
      config: { policy: LISTED },
      schema: {
        tags: ['imports'],
        summary: 'Files that were brought in, newest first',
        querystring: PageQuery,
        response: { 200: OkPage(Shown) },
      },
    },
    async ({ query, actor }) => {
      const offset = (query.page - 1) * query.per_page
      const { imports, total } = table.page(seenBy(actor, now()), offset, query.per_page)
      return okPage(now(), imports.map(shown), query, total)
    },
  )
  http.get(
    '/imports/:importId',
    {
      config: { policy: LISTED },
      schema: {
        tags: ['imports'],
        summary: 'What came of a file',
        params: Params,
        response: { 200: Ok(Shown) },
      },
    },
    async ({ params, actor }) => ok(now(), shown(find(params.importId, actor))),
  )
  http.get(
    '/imports/:importId/skipped',
    {
      config: { policy: LISTED },
      schema: {
        tags: ['imports'],
        summary: 'What was left out of a file, and why',
        params: Params,
        querystring: PageQuery,
        response: { 200: OkPage(Left) },
      },
    },
    async ({ params, query, actor }) => {
      const { id } = find(params.importId, actor)
      const { skipped, total } = table.skipped(id, (query.page - 1) * query.per_page, query.per_page)
      return okPage(now(), skipped, query, total)
    },
  )
}

/** Persons whose imports an actor may see; null: all. */
function seenBy(actor: Actor, nowMs: number): string[] | null {
  if (actor.kind === 'local' || (actor.kind === 'user' && actor.role === 'owner')) return null
  if (actor.kind !== 'user') return []
  const persons = [
    ...(actor.personId === null ? [] : [actor.personId]),
    ...actor.grants.map((one) => one.personId),
  ]
  return [...new Set(persons)].filter((personId) => maySee(actor, personId, nowMs))
}
