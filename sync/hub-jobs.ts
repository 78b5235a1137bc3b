/** Does what the cloud offers this hub to do: each job taken by one hub, done once, answered once, ended by its deadline. */
import { Compile } from 'typebox/compile'
import { EDGE_JOBS, type EdgeJobKind, type EdgeJobParams, edgeJobFault, isEdgeJob } from './edge-jobs.ts'
import type { HubClient } from './hub-client.ts'
import { packed } from './hub-client.ts'
import type { HubIdentity, SyncState } from './hub-state.ts'
import type { DataClass, SyncPorts } from './ports.ts'
import { isSealed, openJsonWith, sealJson } from './seal.ts'
import { Job, PATHS, type ProcessRequest } from './wire.ts'

export interface HubJobs {
  /** Looks for what was offered and what is not answered yet. */
  look(): void
  settled(): Promise<void>
}

export interface HubJobsDeps
  extends Pick<SyncPorts, 'store' | 'clock' | 'log' | 'failpoints' | 'runJob' | 'told'> {
  state: SyncState
  identity(): HubIdentity
  client(): HubClient
  isOn(): boolean
  isShared(personId: string, dataClass: DataClass | 'any'): boolean
  /** Puts everything of a person that may leave into the feed once more. */
  sendAgain(personId: string): Promise<void>
}

const jobCheck = Compile(Job)
const ANSWER_CHARS = 64 * 1024
const LONGEST_MS = 30 * 60_000
const KEPT_MS = 60 * 86_400_000
const AT_ONCE = 20
/** As many as a household may have open: those that are not for this hub must not stand before those that are. */
const OPEN_AT_MOST = 1000
const OFFERED = `SELECT body FROM sync_entity WHERE kind = 'job' AND json_extract(body, '$.state') IN ('offered', 'running')
  AND id NOT IN (SELECT job_id FROM sync_job WHERE state <> 'running') ORDER BY json_extract(body, '$.offered_at'), id LIMIT ${OPEN_AT_MOST}`
/** Also those whose end a restored cloud has forgotten. */
const UNANSWERED = `SELECT j.job_id AS jobId, j.state, j.result FROM sync_job j WHERE j.state <> 'running' AND (j.answered = 0
    OR EXISTS (SELECT 1 FROM sync_entity e WHERE e.kind = 'job' AND e.id = j.job_id AND json_extract(e.body, '$.state') = 'offered'))
  ORDER BY j.ended_at, j.job_id LIMIT ${AT_ONCE}`

interface Ended {
  state: 'done' | 'failed'
  result: unknown
}

export function createHubJobs(deps: HubJobsDeps): HubJobs {
  const { store, clock, state } = deps
  let busy: Promise<void> | null = null

  const say = async (request: ProcessRequest) => {
    const { status, body } = await deps.client().ask('POST', PATHS.process, await packed(request))
    return { status, job: status === 200 && jobCheck.Check(body) ? body : null }
  }

  async function work(): Promise<void> {
    await answerAll()
    for (const { body } of store.all<{ body: string }>(OFFERED)) {
      if (!deps.isOn()) return
      const job: unknown = JSON.parse(body)
      if (!jobCheck.Check(job)) continue
      if (isOurs(job)) await take(job)
      else if (isDeclined(job)) await say({ job_id: job.job_id, state: 'declined' })
    }
    await store.write([
      {
        sql: 'DELETE FROM sync_job WHERE answered = 1 AND ended_at < :atMs',
        params: { atMs: clock.now() - KEPT_MS },
      },
    ])
  }

  function isOurs(job: Job): boolean {
    const { kind, subject, hub, deadline } = job
    if (hub !== null && hub !== deps.identity().hubId) return false
    if (deadline !== null && clock.now() >= deadline) return false
    const params = openedParams(job)
    // A kind of next year, or one that this household's other hub knows: somebody else takes it, or its deadline ends it.
    if (edgeJobFault(kind, subject, params) !== null) return false
    return subject === null || mayTell(kind as EdgeJobKind, subject)
  }

  /** Nothing of the person that the answer would tell may leave from here, and the cloud has not heard that yet. */
  function isDeclined({ kind, subject, hub, state: how, deadline, declined = [] }: Job): boolean {
    if (how !== 'offered' || hub !== null || subject === null || !isEdgeJob(kind)) return false
    if (declined.includes(deps.identity().hubId) || state.erased().has(subject)) return false
    return (deadline === null || clock.now() < deadline) && !mayTell(kind, subject)
  }

  function mayTell(kind: EdgeJobKind, subject: string): boolean {
    if (state.erased().has(subject)) return false
    if (!store.get('SELECT 1 FROM person WHERE id = :subject AND deleted_at IS NULL', { subject }))
      return false
    return deps.isShared(subject, EDGE_JOBS[kind].tells ?? 'any')
  }

  function openedParams({ subject, params }: Job): unknown {
    if (!isSealed(params)) return params ?? {}
    try {
      return subject === null ? null : openJsonWith(state.subjectKeys(subject), subject, params)
    } catch {
      return null
    }
  }

  async function take(job: Job): Promise<void> {
    const { job_id: jobId, kind, subject } = job
    const { job: taken } = await say({ job_id: jobId, state: 'running' })
    if (taken === null || taken.state !== 'running' || taken.hub !== deps.identity().hubId) return
    await store.write([
      {
        sql: `INSERT INTO sync_job (job_id, kind, subject, state, taken_at) VALUES (:jobId, :kind, :subject, 'running', :nowMs)
          ON CONFLICT (job_id) DO NOTHING`,
        params: { jobId, kind, subject, nowMs: clock.now() },
      },
    ])
    deps.failpoints.hit('hub.job-taken')
    const ended = await run(job)
    const result = sealed(subject, ended.result)
    // Erased meanwhile: nothing about the person leaves any more.
    if (result === undefined) return
    await store.write([
      {
        sql: `UPDATE sync_job SET state = :state, result = :result, ended_at = :nowMs WHERE job_id = :jobId AND state = 'running'`,
        params: { jobId, state: ended.state, result: JSON.stringify(result), nowMs: clock.now() },
      },
    ])
    deps.failpoints.hit('hub.job-done')
    deps.told()
    await answerAll()
  }

  async function run(job: Job): Promise<Ended> {
    const { kind, subject, deadline } = job
    const ending = new AbortController()
    const leftMs = Math.min(LONGEST_MS, (deadline ?? Number.POSITIVE_INFINITY) - clock.now())
    const cancel = clock.after(Math.max(0, leftMs), () => ending.abort())
    try {
      // Checked against its kind's form before it was taken.
      const params = openedParams(job) as EdgeJobParams
      const result =
        kind === 'send_again' && subject !== null
          ? await deps.sendAgain(subject).then(() => ({}))
          : await deps.runJob(kind as EdgeJobKind, subject, params, ending.signal)
      if (ending.signal.aborted) return { state: 'failed', result: { error: 'The deadline has passed.' } }
      const isLarge = JSON.stringify(result ?? null).length > ANSWER_CHARS
      return isLarge
        ? { state: 'failed', result: { error: 'The answer is too large.' } }
        : { state: 'done', result: result ?? null }
    } catch (cause) {
      deps.log.warn({ kind, cause: String(cause) }, 'what the cloud asked for could not be done')
      return { state: 'failed', result: { error: cause instanceof Error ? cause.message : String(cause) } }
    } finally {
      cancel()
    }
  }

  /** Undefined when there is nobody any more whom it may be sealed for. */
  function sealed(subject: string | null, result: unknown): unknown {
    if (subject === null) return result
    const key = state.erased().has(subject) ? null : state.subjectKey(subject)
    return key === null ? undefined : sealJson(key, subject, result)
  }

  async function answerAll(): Promise<void> {
    for (const { jobId, state: how, result } of store.all<{
      jobId: string
      state: 'done' | 'failed'
      result: string | null
    }>(UNANSWERED)) {
      const { status } = await say({
        job_id: jobId,
        state: how,
        result: JSON.parse(result ?? 'null') as unknown,
      })
      if (status !== 200 && status !== 404) return
      await store.write([
        { sql: 'UPDATE sync_job SET answered = 1 WHERE job_id = :jobId', params: { jobId } },
        // What comes down says the same a moment later.
        {
          sql: `UPDATE sync_entity SET body = json_set(body, '$.state', :how) WHERE kind = 'job' AND id = :jobId`,
          params: { jobId, how },
        },
      ])
    }
  }

  return {
    look() {
      if (busy || !deps.isOn()) return
      busy = work()
        .catch((cause: unknown) => deps.log.info({ cause: String(cause) }, 'jobs of the cloud wait'))
        .finally(() => {
          busy = null
        })
    },
    settled: async () => {
      await busy
    },
  }
}
