/** Jobs for the hubs of a household: offered, taken by one, answered once; they travel in the feed. */
import { canonicalJson } from '../merge.ts'
import { isSealed, sealJson } from '../seal.ts'
import type { Job, ProcessRequest } from '../wire.ts'
import type { Queries } from './database.ts'
import { lockHousehold } from './feed.ts'
import { keyOf } from './vault.ts'

export type Processed = { job: Job } | { fault: 'unknown' | 'erased' | 'full' }

/** Jobs that a household may have open; beyond it an offer is refused. */
const OPEN_JOBS = 1000
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
  const job = before ?? (await offered(queries, household, request))
  if ('fault' in job) return job
  const after = answered(job, hub, request, nowMs)
  const sealed = await sealedJob(queries, household, after)
  if (sealed === null) return { fault: 'erased' }
  if (!before || canonicalJson(before) !== canonicalJson(sealed)) await writeJob(queries, household, sealed)
  return { job: sealed }
}

async function offered(
  queries: Queries,
  household: string,
  { job_id, kind = '', subject = null, params = {} }: ProcessRequest,
): Promise<Job | { fault: 'erased' | 'full' }> {
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
  return { job_id, kind, subject, params, state: 'offered', hub: null, result: null, ended_at: null }
}

/** The first hub that takes a job keeps it; what ended stays ended. */
function answered(job: Job, hub: string | null, { state, result }: ProcessRequest, nowMs: number): Job {
  if (state === undefined || state === 'offered' || ENDED.has(job.state)) return job
  if (job.hub !== null && job.hub !== hub) return job
  return { ...job, state, hub, result: result ?? job.result, ended_at: ENDED.has(state) ? nowMs : null }
}

async function sealedJob(queries: Queries, household: string, job: Job): Promise<Job | null> {
  if (job.subject === null) return job
  const { subject } = job
  if (isSealedOrNone(job.params) && isSealedOrNone(job.result)) return job
  const key = await keyOf(queries, household, subject)
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

export async function listJobs(queries: Queries, household: string): Promise<Job[]> {
  const { rows } = await queries.query<{ body: Job }>(
    `SELECT body FROM household_feed WHERE household_id = $1 AND kind = 'job' ORDER BY id LIMIT 2000`,
    [household],
  )
  return rows.map(({ body }) => body)
}
