/** Work that is done at night and may be asked for at once, under the names that a seed's clients know. */
import { Type } from 'typebox'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { JOB_STATUSES, type Job } from '../../domain/job.ts'
import type { Feature, Http, Policy } from '../../domain/route.ts'
import { Ok, ok, Timestamp } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'

/** What the queue of jobs lends. */
export interface TaskJobs {
  submit(
    kind: string,
    payload: unknown,
    options: { uniqueKey: string; requestedBy: string | null },
  ): Promise<Job>
  find(id: string): Job | null
}

export interface TasksDeps {
  jobs: TaskJobs
  now: () => number
  /** Kinds that may be asked for, by the word in their path. */
  kinds: readonly { path: string; kind: string; summary: string }[]
}

const OWNERS: Policy = { access: 'signed-in', roles: ['owner'] }
/** Clients that post JSON send an empty object, others nothing. */
const Nothing = Type.Object({}, { additionalProperties: false })
const Params = Type.Object({ taskId: Id }, { additionalProperties: false })
const Task = Type.Object({
  task_id: Id,
  job_id: Id,
  kind: Type.String(),
  status: Type.Enum([...JOB_STATUSES]),
  progress: Type.Number(),
  result: Type.Unknown(),
  error: Type.Union([Type.String(), Type.Null()]),
  created_at: Timestamp,
})

export function createTasks(deps: TasksDeps): Feature {
  return { name: 'tasks', routes: (http) => taskRoutes(http, deps) }
}

function taskRoutes(http: Http, { jobs, now, kinds }: TasksDeps): void {
  for (const { path, kind, summary } of kinds) {
    http.post(
      `/tasks/${path}`,
      {
        config: { policy: OWNERS },
        preValidation: async (request) => {
          request.body ??= {}
        },
        schema: { tags: ['jobs'], summary, body: Nothing, response: { 202: Ok(Task) } },
      },
      async ({ actor }, reply) => {
        const job = await jobs.submit(kind, null, { uniqueKey: `task ${kind}`, requestedBy: askedBy(actor) })
        return reply.code(202).send(ok(now(), viewOf(job)))
      },
    )
  }
  const known = new Set(kinds.map(({ kind }) => kind))
  http.get(
    '/tasks/status/:taskId',
    {
      config: { policy: OWNERS },
      schema: { tags: ['jobs'], summary: 'How a task stands', params: Params, response: { 200: Ok(Task) } },
    },
    async ({ params }) => {
      const job = jobs.find(params.taskId)
      if (!job || !known.has(job.kind)) throw new HubError('NOT_FOUND', 'There is no task with this id.')
      return ok(now(), viewOf(job))
    },
  )
}

function askedBy(actor: Actor): string | null {
  return actor.kind === 'user' ? actor.userId : null
}

function viewOf(job: Job) {
  const { id, kind, status, progress, result, error } = job
  return {
    ...{ task_id: id, job_id: id, kind, status, progress, result, error },
    created_at: new Date(job.createdAtMs).toISOString(),
  }
}
