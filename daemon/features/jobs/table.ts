/** The table of jobs: what waits, what runs, how it ended. Every change of a running job names its claim (`fence`). */
import type { DataClass } from '../../domain/access.ts'
import type { Job, JobQueue, JobStatus } from '../../domain/job.ts'
import type { SqlParams, Store, Write } from '../../store/store.ts'

/** What a job is when it is entered. */
export interface NewJob {
  id: string
  kind: string
  queue: JobQueue
  priority: number
  payload: unknown
  maxAttempts: number
  timeoutMs: number
  uniqueKey: string | null
  personId: string | null
  class: DataClass | null
  requestedBy: string | null
  dueAtMs: number
}

/** One claim of one job. */
export interface Claim {
  id: string
  fence: number
}

export interface JobFilter {
  status: JobStatus | null
  kind: string | null
  queue: JobQueue | null
  personId: string | null
  /** Null sees all; else own requests and jobs about `person:class` of this list. */
  viewer: { requestedBy: string; sees: readonly string[] } | null
}

/** How a claimed job ends or waits again. */
export type Ending =
  | { status: 'finished'; result: unknown }
  | { status: 'failed' | 'cancelled'; error: string | null }
  /** Once more at `dueAtMs`; `counts` is false when the attempt was not its own fault. */
  | { status: 'queued'; dueAtMs: number; error: string | null; counts: boolean }

export interface JobTable {
  find(id: string): Job | null
  /** The one with this key that waits or runs. */
  pending(uniqueKey: string): Job | null
  page(filter: JobFilter, offset: number, limit: number): { jobs: Job[]; total: number }
  /** What may be started now, in order. */
  due(queue: JobQueue, kinds: readonly string[], limit: number): Job[]
  /** When the next one of these kinds is due. */
  nextDueMs(kinds: readonly string[]): number | null
  counts(): Partial<Record<JobStatus, number>>
  entering(job: NewJob): Write
  /** Null when it was taken or cancelled in the meantime. */
  claim(id: string, leaseUntilMs: number): Promise<Claim | null>
  renewing(claim: Claim, state: { leaseUntilMs: number; progress: number; stage: string | null }): Write
  checkpointing(claim: Claim, checkpoint: unknown): Write
  ending(claim: Claim, ending: Ending): Write
  /** Whether it was still to be cancelled. */
  cancel(id: string): Promise<boolean>
  /** Whether it had ended and waits again now, with its checkpoint. */
  retry(id: string): Promise<boolean>
  /** Jobs that a dead process held wait again; those that it died of too often fail. Resolves with how many there were. */
  takeBack(lostMax: number, except: readonly string[]): Promise<number>
  /** Waiting jobs of no such kind fail. */
  refuseOthers(kinds: readonly string[], error: string): Promise<void>
  /** Forgets what ended before, and all but the newest that ended. */
  prune(beforeMs: number, keep: number): Promise<void>
}

type Row = Omit<Job, 'payload' | 'checkpoint' | 'result'> & {
  payload: string
  checkpoint: string | null
  result: string | null
}

const COLUMNS = `j.id, j.kind, j.queue, j.priority, j.status, j.payload, j.checkpoint, j.progress, j.stage, j.result, j.error,
  j.attempts, j.max_attempts AS maxAttempts, j.fence, j.timeout_ms AS timeoutMs, p.id AS personId, j.class,
  j.requested_by AS requestedBy, j.due_at AS dueAtMs, j.created_at AS createdAtMs, j.started_at AS startedAtMs,
  j.ended_at AS endedAtMs`
const FROM = `FROM job j LEFT JOIN person p ON p.key = j.person_key`
const BY_ID = `SELECT ${COLUMNS} ${FROM} WHERE j.id = :id`
const PENDING = `SELECT ${COLUMNS} ${FROM} WHERE j.unique_key = :uniqueKey AND j.status IN ('queued', 'started')`
const MATCHING = `(:status IS NULL OR j.status = :status) AND (:kind IS NULL OR j.kind = :kind)
  AND (:queue IS NULL OR j.queue = :queue) AND (:personId IS NULL OR p.id = :personId)
  AND (:all = 1 OR j.requested_by = :viewer
    OR p.id || ':' || coalesce(j.class, 'any') IN (SELECT value FROM json_each(:sees)))`
const COUNT = `SELECT count(*) AS total ${FROM} WHERE ${MATCHING}`
const PAGE = `SELECT ${COLUMNS} ${FROM} WHERE ${MATCHING} ORDER BY j.created_at DESC, j.id DESC LIMIT :limit OFFSET :offset`
const KNOWN = `j.kind IN (SELECT value FROM json_each(:kinds))`
const DUE = `SELECT ${COLUMNS} ${FROM} WHERE j.status = 'queued' AND j.queue = :queue AND j.due_at <= :nowMs AND ${KNOWN}
  ORDER BY j.priority DESC, j.due_at, j.id LIMIT :limit`
const NEXT = `SELECT min(j.due_at) AS dueAtMs FROM job j WHERE j.status = 'queued' AND ${KNOWN}`
const COUNTS = `SELECT status, count(*) AS jobs FROM job GROUP BY status ORDER BY status`
const ENTER = `INSERT INTO job (id, kind, queue, priority, payload, max_attempts, timeout_ms, unique_key, person_key, class,
    requested_by, due_at, created_at)
  VALUES (:id, :kind, :queue, :priority, :payload, :maxAttempts, :timeoutMs, :uniqueKey,
    (SELECT key FROM person WHERE id = :personId), :class, :requestedBy, :dueAtMs, :nowMs)
  ON CONFLICT DO NOTHING`
const CLAIM = `UPDATE job SET status = 'started', attempts = attempts + 1, fence = fence + 1, lease_until = :leaseUntilMs,
    started_at = :nowMs, ended_at = NULL, error = NULL
  WHERE id = :id AND status = 'queued' RETURNING fence`
const HELD = `WHERE id = :id AND fence = :fence AND status = 'started'`
const RENEW = `UPDATE job SET lease_until = :leaseUntilMs, progress = :progress, stage = :stage ${HELD}`
const CHECKPOINT = `UPDATE job SET checkpoint = :checkpoint ${HELD}`
const FINISH = `UPDATE job SET status = 'finished', progress = 1, result = :result, checkpoint = NULL, lease_until = NULL,
    ended_at = :nowMs ${HELD}`
const END = `UPDATE job SET status = :status, error = :error, lease_until = NULL, ended_at = :nowMs ${HELD}`
const REQUEUE = `UPDATE job SET status = 'queued', error = :error, lease_until = NULL, due_at = :dueAtMs,
    attempts = attempts - :back ${HELD}`
const CANCEL = `UPDATE job SET status = 'cancelled', lease_until = NULL, ended_at = :nowMs
  WHERE id = :id AND status IN ('queued', 'started')`
const RETRY = `UPDATE job SET status = 'queued', attempts = 0, lost = 0, due_at = :nowMs, error = NULL, ended_at = NULL,
    progress = 0 WHERE id = :id AND status IN ('failed', 'cancelled')`
const LOST = `status = 'started' AND id NOT IN (SELECT value FROM json_each(:except))`
const LOST_TOO_OFTEN = `UPDATE job SET status = 'failed', lost = lost + 1, lease_until = NULL, ended_at = :nowMs,
    error = 'The hub died with this job too often.' WHERE ${LOST} AND lost >= :lostMax`
const TAKE_BACK = `UPDATE job SET status = 'queued', lost = lost + 1, attempts = attempts - 1, lease_until = NULL,
    due_at = :nowMs WHERE ${LOST}`
const REFUSE = `UPDATE job SET status = 'failed', error = :error, ended_at = :nowMs
  WHERE status = 'queued' AND kind NOT IN (SELECT value FROM json_each(:kinds))`
const PRUNE = `DELETE FROM job WHERE ended_at IS NOT NULL AND (ended_at < :beforeMs OR id IN (
    SELECT id FROM job WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id LIMIT -1 OFFSET :keep))`

export interface JobTableDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  now: () => number
}

export function createJobTable({ store, now }: JobTableDeps): JobTable {
  const one = (sql: string, params: SqlParams) => {
    const row = store.get<Row>(sql, params)
    return row ? jobOf(row) : null
  }
  const changed = async (sql: string, params: SqlParams) => {
    const [result] = await store.write([{ sql, params }])
    return result?.changes ?? 0
  }
  return {
    find: (id) => one(BY_ID, { id }),
    pending: (uniqueKey) => one(PENDING, { uniqueKey }),
    page({ viewer, ...filter }, offset, limit) {
      const params = {
        ...filter,
        all: viewer ? 0 : 1,
        viewer: viewer?.requestedBy ?? null,
        sees: JSON.stringify(viewer?.sees ?? []),
      }
      const total = store.get<{ total: number }>(COUNT, params)?.total ?? 0
      return { jobs: store.all<Row>(PAGE, { ...params, offset, limit }).map(jobOf), total }
    },
    due: (queue, kinds, limit) =>
      store.all<Row>(DUE, { queue, kinds: JSON.stringify(kinds), limit, nowMs: now() }).map(jobOf),
    nextDueMs: (kinds) =>
      store.get<{ dueAtMs: number | null }>(NEXT, { kinds: JSON.stringify(kinds) })?.dueAtMs ?? null,
    counts: () =>
      Object.fromEntries(
        store.all<{ status: JobStatus; jobs: number }>(COUNTS).map(({ status, jobs }) => [status, jobs]),
      ),
    entering: ({ payload, ...job }) => ({
      sql: ENTER,
      params: { ...job, payload: JSON.stringify(payload ?? null), nowMs: now() },
    }),
    async claim(id, leaseUntilMs) {
      const [result] = await store.write([{ sql: CLAIM, params: { id, leaseUntilMs, nowMs: now() } }])
      const fence = result?.rows[0]?.['fence']
      return typeof fence === 'number' ? { id, fence } : null
    },
    renewing: ({ id, fence }, state) => ({ sql: RENEW, params: { id, fence, ...state }, expect: 1 }),
    checkpointing: ({ id, fence }, checkpoint) => ({
      sql: CHECKPOINT,
      params: { id, fence, checkpoint: JSON.stringify(checkpoint) },
      expect: 1,
    }),
    ending: ({ id, fence }, ending) => ({ ...endingOf(ending, { id, fence, nowMs: now() }), expect: 1 }),
    cancel: async (id) => (await changed(CANCEL, { id, nowMs: now() })) === 1,
    retry: async (id) => (await changed(RETRY, { id, nowMs: now() })) === 1,
    async takeBack(lostMax, except) {
      const params = { except: JSON.stringify(except), nowMs: now() }
      const results = await store.write([
        { sql: LOST_TOO_OFTEN, params: { ...params, lostMax } },
        { sql: TAKE_BACK, params },
      ])
      return results.reduce((sum, { changes }) => sum + changes, 0)
    },
    refuseOthers: async (kinds, error) =>
      void (await changed(REFUSE, { kinds: JSON.stringify(kinds), error, nowMs: now() })),
    prune: async (beforeMs, keep) => void (await changed(PRUNE, { beforeMs, keep })),
  }
}

function endingOf(
  ending: Ending,
  { id, fence, nowMs }: Claim & { nowMs: number },
): { sql: string; params: SqlParams } {
  const held = { id, fence }
  if (ending.status === 'finished')
    return { sql: FINISH, params: { ...held, nowMs, result: JSON.stringify(ending.result ?? null) } }
  if (ending.status === 'queued') {
    const { dueAtMs, error, counts } = ending
    return { sql: REQUEUE, params: { ...held, dueAtMs, error, back: counts ? 0 : 1 } }
  }
  return { sql: END, params: { ...held, nowMs, status: ending.status, error: ending.error } }
}

function jobOf(row: Row): Job {
  const { payload, checkpoint, result } = row
  return { ...row, payload: parsed(payload), checkpoint: parsed(checkpoint), result: parsed(result) }
}

function parsed(json: string | null): unknown {
  return json === null ? null : JSON.parse(json)
}
