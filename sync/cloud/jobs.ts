/** Jobs for the hubs of a household: offered, taken by one, answered once; they travel in the feed. */

import { edgeJobFault } from '../edge-jobs.ts'
import { canonicalJson } from '../merge.ts'
import { isSealed, sealJson } from '../seal.ts'
import type { Job, ProcessRequest } from '../wire.ts'
import type { Queries } from './database.ts'
import { lockHousehold } from './feed.ts'
import { ensureKey, keysOf, opened } from './vault.ts'

export type Processed =
  | { job: Job }
  | { fault: 'unknown' | 'erased' | 'full' }
  | { fault: 'invalid'; told: string }

/** Jobs that a household may have open; beyond it an offer is refused. */
const OPEN_JOBS = 1000
const DAY_MS = 86_400_000
const LONGEST_MS = 30 * DAY_MS
const PARAMS_CHARS = 16 * 1024
/** A job that ended stays this long for whoever asks for its result. */
export const JOB_DAYS = 30

const ENDED = new Set<Job['state']>(['done', 'failed'])

/**
 * Offers a job or says how far it is; repeated it answers with the job as it stands. Runs in a transaction of the household.
 * `hub` is null for offers that come from the cloud.
 */
export async function processJob(
  queries: Queries,
  household: string,
  hub: string | null,
  request: ProcessRequest,
  nowMs: number,
): Promise<Processed> {
  await lockHousehold(queries, household, 'exclusive')
  const before = await jobOf(queries, household, request.job_id)
  if (!before && request.kind === undefined) return { fault: 'unknown' }
  const job = before ?? (await offered(queries, household, request, nowMs))
  if ('fault' in job) return job
  const after =
    request.state === 'declined'
      ? await declined(queries, household, settledJob(job, nowMs), hub, nowMs)
      : answered(job, hub, request, nowMs)
  const sealed = await sealedJob(queries, household, after)
  if (sealed === null) return { fault: 'erased' }
  if (!before || canonicalJson(before) !== canonicalJson(sealed)) await writeJob(queries, household, sealed)
  return { job: sealed }
}

async function offered(
  queries: Queries,
  household: string,
  { job_id, kind = '', subject = null, params = {}, deadline: wanted }: ProcessRequest,
  nowMs: number,
): Promise<Job | { fault: 'erased' | 'full' } | { fault: 'invalid'; told: string }> {
  const deadline = wanted ?? nowMs + DAY_MS
  const told = edgeJobFault(kind, subject, params) ?? termsFault(params, deadline, nowMs)
  if (told !== null) return { fault: 'invalid', told }
  if (subject !== null) {
    const { rows } = await queries.query('SELECT FROM erasure WHERE household_id = $1 AND subject = $2', [
      household,
      subject,
    ])
    if (rows.length > 0) return { fault: 'erased' }
  }
  const { rows } = await queries.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM household_feed
     WHERE household_id = $1 AND kind = 'job' AND body ->> 'state' IN ('offered', 'running')`,
    [household],
  )
  if ((rows[0]?.open ?? 0) >= OPEN_JOBS) return { fault: 'full' }
  const open = {
    state: 'offered',
    hub: null,
    result: null,
    offered_at: nowMs,
    deadline,
    ended_at: null,
  } as const
  return { job_id, kind, subject, params, ...open }
}

function termsFault(params: unknown, deadline: number, nowMs: number): string | null {
  if (JSON.stringify(params).length > PARAMS_CHARS) return 'params are told in 16 KB at most.'
  const isSensible = deadline > nowMs && deadline <= nowMs + LONGEST_MS
  return isSensible ? null : 'deadline must lie ahead, by 30 days at most.'
}

const LATE = { error: 'Nobody did it before its deadline.' }

/** As it stands now: one that nobody did in time has failed, also before that is written down. */
function settledJob(job: Job, nowMs: number): Job {
  const isLate = job.deadline !== null && job.deadline <= nowMs && !ENDED.has(job.state)
  return isLate ? { ...job, state: 'failed', result: LATE, ended_at: job.deadline } : job
}

/** The first hub that takes a job keeps it; what ended stays ended. */
function answered(before: Job, hub: string | null, { state, result }: ProcessRequest, nowMs: number): Job {
  const job = settledJob(before, nowMs)
  if (state === undefined || state === 'offered' || state === 'declined' || ENDED.has(job.state)) return job
  if (job.hub !== null && job.hub !== hub) return job
  return { ...job, state, hub, result: result ?? job.result, ended_at: ENDED.has(state) ? nowMs : null }
}

const UNSHARED = { error: 'No hub of the household lets anything of this person leave that would answer it.' }

/** A job that all hubs of the household decline has failed: nobody waits for its deadline. */
async function declined(
  queries: Queries,
  household: string,
  job: Job,
  hub: string | null,
  nowMs: number,
): Promise<Job> {
  if (hub === null || job.state !== 'offered' || job.subject === null) return job
  const { rows } = await queries.query<{ id: string }>(
    'SELECT id FROM hub WHERE household_id = $1 AND revoked_at IS NULL AND forked_at IS NULL ORDER BY id',
    [household],
  )
  const all = rows.map(({ id }) => id)
  const said = new Set([...(job.declined ?? []), hub])
  const after = { ...job, declined: all.filter((id) => said.has(id)) }
  return all.some((id) => !said.has(id))
    ? after
    : { ...after, state: 'failed', result: UNSHARED, ended_at: nowMs }
}

async function sealedJob(queries: Queries, household: string, job: Job): Promise<Job | null> {
  if (job.subject === null) return job
  const { subject } = job
  if (isSealedOrNone(job.params) && isSealedOrNone(job.result)) return job
  const key = await ensureKey(queries, household, subject)
  if (!key) return null
  const sealed = (value: unknown) => (isSealedOrNone(value) ? value : sealJson(key, subject, value))
  return { ...job, params: sealed(job.params), result: sealed(job.result) }
}

function isSealedOrNone(value: unknown): boolean {
  return value === null || isSealed(value)
}

async function jobOf(queries: Queries, household: string, id: string): Promise<Job | null> {
  const { rows } = await queries.query<{ body: Job }>(
    `SELECT body FROM household_feed WHERE household_id = $1 AND kind = 'job' AND id = $2`,
    [household, id],
  )
  return rows[0]?.body ?? null
}

async function writeJob(queries: Queries, household: string, job: Job): Promise<void> {
  await queries.query(
    `INSERT INTO household_feed (household_id, kind, id, subject, hlc, body) VALUES ($1, 'job', $2, $3, '', $4)
     ON CONFLICT (household_id, kind, id) DO UPDATE SET body = excluded.body`,
    [household, job.job_id, job.subject, canonicalJson(job)],
  )
}

/** With what is sealed in them opened, as an account may see it. */
export async function listJobs(queries: Queries, household: string, nowMs: number): Promise<Job[]> {
  const { rows } = await queries.query<{ body: Job }>(
    `SELECT body FROM household_feed WHERE household_id = $1 AND kind = 'job' ORDER BY id LIMIT 2000`,
    [household],
  )
  const keys = await keysOf(queries, household)
  const clear = (job: Job, value: unknown) => opened(keys, job.subject, value)
  return rows
    .map(({ body }) => settledJob(body, nowMs))
    .map((job) => ({ ...job, params: clear(job, job.params), result: clear(job, job.result) }))
}

/** Writes down what ended by its deadline, and lets go of what ended long ago. */
export async function sweepJobs(owner: Queries, nowMs: number): Promise<void> {
  await owner.query(
    `UPDATE household_feed SET body = body || jsonb_build_object('state', 'failed', 'result', $2::jsonb, 'ended_at', body -> 'deadline')
     WHERE kind = 'job' AND body ->> 'state' IN ('offered', 'running') AND (body ->> 'deadline')::bigint <= $1`,
    [nowMs, JSON.stringify(LATE)],
  )
  await owner.query(
    `DELETE FROM household_feed WHERE kind = 'job' AND body ->> 'state' IN ('done', 'failed')
       AND coalesce((body ->> 'ended_at')::bigint, $1::bigint) < $1::bigint - $2::bigint`,
    [nowMs, JOB_DAYS * DAY_MS],
  )
}
