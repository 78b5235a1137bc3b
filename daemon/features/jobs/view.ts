import { type Static, Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import { JOB_QUEUES, JOB_STATUSES, type Job } from '../../domain/job.ts'
import { iso, Timestamp } from '../../kernel/envelope.ts'

const MaybeTime = Type.Union([Timestamp, Type.Null()])
const MaybeText = Type.Union([Type.String(), Type.Null()])

/** A job as the API and the live channel show it. */
export const JobView = Type.Object({
  id: Id,
  kind: Type.String(),
  queue: Type.Enum([...JOB_QUEUES]),
  status: Type.Enum([...JOB_STATUSES]),
  progress: Type.Number({ description: '0 to 1' }),
  stage: MaybeText,
  result: Type.Unknown(),
  error: MaybeText,
  attempts: Type.Integer(),
  max_attempts: Type.Integer(),
  person_id: Type.Union([Id, Type.Null()]),
  due_at: Timestamp,
  created_at: Timestamp,
  started_at: MaybeTime,
  ended_at: MaybeTime,
})
export type JobView = Static<typeof JobView>

/** `running` is where the job is now, which its row learns a little later. */
export function jobView(job: Job, running: { progress: number; stage: string | null } | null): JobView {
  const { progress, stage } = job.status === 'started' && running ? running : job
  return {
    id: job.id,
    kind: job.kind,
    queue: job.queue,
    status: job.status,
    progress,
    stage,
    result: job.result,
    error: job.error,
    attempts: job.attempts,
    max_attempts: job.maxAttempts,
    person_id: job.personId,
    due_at: iso(job.dueAtMs),
    created_at: iso(job.createdAtMs),
    started_at: job.startedAtMs === null ? null : iso(job.startedAtMs),
    ended_at: job.endedAtMs === null ? null : iso(job.endedAtMs),
  }
}
