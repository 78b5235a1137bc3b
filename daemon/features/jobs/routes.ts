/** HTTP of jobs: what waits and runs, one of them, stopping it, once more. */
import { Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { JOB_QUEUES, JOB_STATUSES, type Job } from '../../domain/job.ts'
import type { Http, Policy } from '../../domain/route.ts'
import { Ok, OkPage, ok, okPage, PageQuery } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { jobNotFound, refuseUnlessOpen, viewerOf } from './sight.ts'
import type { JobTable } from './table.ts'
import { JobView, jobView } from './view.ts'

export interface JobRoutesDeps {
  table: Pick<JobTable, 'find' | 'page'>
  now: () => number
  state: (id: string) => { progress: number; stage: string | null } | null
  cancel: (id: string) => Promise<boolean>
  retry: (id: string) => Promise<boolean>
}

/** Which jobs somebody sees follows from whom they are about, so the handlers decide. */
const USERS: Policy = { access: 'signed-in', roles: ['owner', 'caregiver', 'coach', 'member'] }
const Params = Type.Object({ jobId: Id }, { additionalProperties: false })
const Query = Type.Object(
  {
    ...PageQuery.properties,
    status: Type.Optional(Type.Enum([...JOB_STATUSES])),
    queue: Type.Optional(Type.Enum([...JOB_QUEUES])),
    kind: Type.Optional(Type.String({ maxLength: 64 })),
    person_id: Type.Optional(Id),
  },
  { additionalProperties: false },
)

export function jobRoutes(http: Http, { table, now, state, cancel, retry }: JobRoutesDeps): void {
  const shown = (job: Job) => jobView(job, state(job.id))
  http.get(
    '/jobs',
    {
      config: { policy: USERS },
      schema: {
        tags: ['jobs'],
        summary: 'Long work, newest first: what waits, runs, and how it ended',
        querystring: Query,
        response: { 200: OkPage(JobView) },
      },
    },
    async ({ query, actor }) => {
      const filter = {
        status: query.status ?? null,
        kind: query.kind ?? null,
        queue: query.queue ?? null,
        personId: query.person_id ?? null,
        viewer: viewerOf(actor, now()),
      }
      const { jobs, total } = table.page(filter, (query.page - 1) * query.per_page, query.per_page)
      return okPage(now(), jobs.map(shown), query, total)
    },
  )
  http.get(
    '/jobs/:jobId',
    {
      config: { policy: USERS },
      schema: { tags: ['jobs'], summary: 'One job', params: Params, response: { 200: Ok(JobView) } },
    },
    async ({ params, actor }) => {
      const job = table.find(params.jobId)
      refuseUnlessOpen(job, actor, 'read', now())
      return ok(now(), shown(job))
    },
  )
  const change = async (id: string, actor: Actor, act: (id: string) => Promise<boolean>, refused: string) => {
    refuseUnlessOpen(table.find(id), actor, 'write', now())
    if (!(await act(id))) throw new HubError('CONFLICT', refused)
    const after = table.find(id)
    if (!after) throw jobNotFound()
    return ok(now(), shown(after))
  }
  http.post(
    '/jobs/:jobId/cancel',
    {
      config: { policy: USERS },
      schema: { tags: ['jobs'], summary: 'Stop a job', params: Params, response: { 200: Ok(JobView) } },
    },
    ({ params, actor }) => change(params.jobId, actor, cancel, 'This job has ended already.'),
  )
  http.post(
    '/jobs/:jobId/retry',
    {
      config: { policy: USERS },
      schema: {
        tags: ['jobs'],
        summary: 'Run a job that failed or was cancelled once more, from where it was',
        params: Params,
        response: { 200: Ok(JobView) },
      },
    },
    ({ params, actor }) =>
      change(params.jobId, actor, retry, 'Only a job that failed or was cancelled can run again.'),
  )
}
