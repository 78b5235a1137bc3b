/** Who may see a job, and who may stop it: those who may see or change what it is about, and whoever asked for it. */
import { type Action, type Actor, can, DATA_CLASSES, maySee } from '../../domain/access.ts'
import type { Job } from '../../domain/job.ts'
import { HubError } from '../../kernel/errors.ts'

/** Throws NOT_FOUND for a job that the actor may not see, FORBIDDEN for one that it may only look at. */
export function refuseUnlessOpen(
  job: Job | null,
  actor: Actor,
  action: Action,
  nowMs: number,
): asserts job is Job {
  if (!job || !covers(job, actor, 'read', nowMs)) throw jobNotFound()
  if (action === 'write' && !covers(job, actor, 'write', nowMs))
    throw new HubError('FORBIDDEN', 'You may watch this job, but not change it.')
}

/** What tells an actor from others in the list of jobs; null sees all. */
export function viewerOf(actor: Actor, nowMs: number): { requestedBy: string; sees: string[] } | null {
  if (isOwner(actor)) return null
  if (actor.kind !== 'user') return { requestedBy: '', sees: [] }
  const persons = new Set([
    ...(actor.personId === null ? [] : [actor.personId]),
    ...actor.grants.map((one) => one.personId),
  ])
  const sees = [...persons].flatMap((personId) => [
    ...(maySee(actor, personId, nowMs) ? [`${personId}:any`] : []),
    ...DATA_CLASSES.filter((one) => can(actor, 'read', personId, one, nowMs)).map(
      (one) => `${personId}:${one}`,
    ),
  ])
  return { requestedBy: actor.userId, sees }
}

function covers(
  { personId, class: one, requestedBy }: Job,
  actor: Actor,
  action: Action,
  nowMs: number,
): boolean {
  if (isOwner(actor)) return true
  if (actor.kind === 'user' && requestedBy === actor.userId) return true
  if (personId === null || actor.kind !== 'user') return false
  const classes = one === null ? DATA_CLASSES : [one]
  return classes.some((each) => can(actor, action, personId, each, nowMs))
}

function isOwner(actor: Actor): boolean {
  return actor.kind === 'local' || (actor.kind === 'user' && actor.role === 'owner')
}

export function jobNotFound(): HubError {
  return new HubError('NOT_FOUND', 'There is no job with this id.')
}
