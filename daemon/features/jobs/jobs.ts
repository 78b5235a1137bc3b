/** Long work as rows: entered with what caused it, run when there is room, seen and stopped under `/jobs`. */
import type { DataClass } from '../../domain/access.ts'
import type { Job, JobQueue } from '../../domain/job.ts'
import type { Feature } from '../../domain/route.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store } from '../../store/store.ts'
import type { JobHandler } from './handler.ts'
import { jobRoutes } from './routes.ts'
import { createRunner, type RunnerStats } from './runner.ts'
import { createSchedules, type Schedule } from './schedules.ts'
import { createJobTable, type JobTable } from './table.ts'
import { jobView } from './view.ts'

export interface JobOptions {
  /** Whose data it is about: who may see that person may see the job. */
  personId?: string
  /** Narrows that to one class of data. */
  class?: DataClass
  /** User or device that asked for it; sees it too. */
  requestedBy?: string | null
  priority?: number
  delayMs?: number
  /** While one with this key waits or runs, a second is not entered. */
  uniqueKey?: string
}

export interface Jobs {
  feature: Feature
  /** Says how a kind of job runs; before the hub starts. */
  handle(kind: string, handler: JobHandler): void
  /** A handled kind that comes back at its hours, in the hub's time zone. */
  schedule(schedule: Schedule): void
  /** Enters a job in the unit of whatever caused it. Throws OVERLOADED when too many wait. */
  enqueue(kind: string, payload: unknown, options?: JobOptions): Plan<{ id: string }>
  /** Enters a job by itself; resolves with it, or with the one that already waits under its key. */
  submit(kind: string, payload: unknown, options?: JobOptions): Promise<Job>
  find: JobTable['find']
  /** Whether it was still to be cancelled. */
  cancel(id: string): Promise<boolean>
  stats(): RunnerStats & { queued: number }
}

export interface JobsDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  clock: Clock
  log: Log
  newId: () => string
  /** Of the hours of recurring jobs. */
  zone: () => string
  /** 0 to 1. */
  random: () => number
  /** Tells the live channel about a job. */
  notify: (data: unknown, about: { personId: string | null; class: DataClass | 'any' }) => void
  limits?: Partial<Record<JobQueue, number>>
}

const LIMITS: Readonly<Record<JobQueue, number>> = { critical: 2, default: 2, low: 1 }
const TIMEOUT_MS = 30 * 60_000
const ATTEMPTS = 3
const QUEUED_MAX = 10_000
const PAYLOAD_BYTES = 64 * 1024
/** A job that takes the hub down with it stops doing so after this many times. */
const LOST_MAX = 20
const LOOK_MS = 30_000
const PRUNE_MS = 3_600_000
const KEPT_MS = 30 * 86_400_000
const KEPT = 1000

export function createJobs(deps: JobsDeps): Jobs {
  const { store, clock, log, newId, notify } = deps
  const table = createJobTable({ store, now: clock.now })
  const handlers = new Map<string, JobHandler>()
  let closed = false
  const onChanged = (id: string) => {
    // The store closes soon after: nobody is told about the last movements.
    if (closed) return
    const job = table.find(id)
    if (job) notify(jobView(job, runner.state(id)), { personId: job.personId, class: job.class ?? 'any' })
  }
  const runner = createRunner({
    ...{ table, store, clock, log, handlers, onChanged },
    random: deps.random,
    limits: { ...LIMITS, ...deps.limits },
  })
  const schedules = createSchedules({ store, now: clock.now, zone: deps.zone, enqueue })
  let stops: (() => void)[] = []
  let cancelWake = () => {}

  function enqueue(kind: string, payload: unknown, options: JobOptions = {}): Plan<{ id: string }> {
    const handler = handlers.get(kind)
    if (!handler) throw new HubError('INTERNAL', `Nothing here runs jobs of kind ${kind}.`)
    if ((table.counts().queued ?? 0) >= QUEUED_MAX)
      throw new HubError('OVERLOADED', 'Too many jobs wait already. Try again later.', { retryAfterS: 60 })
    if (Buffer.byteLength(JSON.stringify(payload ?? null)) > PAYLOAD_BYTES)
      throw new HubError('TOO_LARGE', 'A job is told what to do in 64 KB at most.')
    const id = newId()
    const entering = table.entering({
      id,
      kind,
      queue: handler.queue,
      priority: options.priority ?? 0,
      payload,
      maxAttempts: handler.maxAttempts ?? ATTEMPTS,
      timeoutMs: handler.timeoutMs ?? TIMEOUT_MS,
      uniqueKey: options.uniqueKey ?? null,
      personId: options.personId ?? null,
      class: options.class ?? null,
      requestedBy: options.requestedBy ?? null,
      dueAtMs: clock.now() + (options.delayMs ?? 0),
    })
    return {
      result: { id },
      writes: [entering],
      committed() {
        onChanged(id)
        wake()
      },
    }
  }

  /** Starts what is due and looks again when the next is, or after half a minute. */
  function wake(): void {
    if (stops.length === 0) return
    cancelWake()
    runner.pump()
    const dues = [table.nextDueMs([...handlers.keys()]), schedules.nextMs()].filter((due) => due !== null)
    const waitMs = Math.min(LOOK_MS, ...dues.map((due) => due - clock.now()))
    cancelWake = clock.after(Math.max(1000, waitMs), look)
  }

  function look(): void {
    schedules.enterDue().then(wake, (cause: unknown) => {
      log.warn({ cause: messageOf(cause) }, 'recurring jobs could not be entered')
      wake()
    })
  }

  async function prune(): Promise<void> {
    await table.prune(clock.now() - KEPT_MS, KEPT).catch((cause: unknown) => {
      log.warn({ cause: messageOf(cause) }, 'old jobs could not be forgotten')
    })
  }

  async function cancel(id: string): Promise<boolean> {
    const done = await table.cancel(id)
    if (done) runner.abort(id)
    onChanged(id)
    return done
  }

  return {
    handle: (kind, handler) => void handlers.set(kind, handler),
    schedule: (schedule) => {
      if (handlers.has(schedule.kind)) schedules.add(schedule)
    },
    enqueue,
    async submit(kind, payload, options = {}) {
      const plan = enqueue(kind, payload, options)
      await store.write(plan.writes)
      plan.committed()
      const entered =
        table.find(plan.result.id) ?? (options.uniqueKey ? table.pending(options.uniqueKey) : null)
      if (!entered) throw new HubError('CONFLICT', 'The same was asked for and ended in between. Ask again.')
      return entered
    },
    find: table.find,
    cancel,
    stats: () => ({ ...runner.stats(), queued: table.counts().queued ?? 0 }),
    feature: {
      name: 'jobs',
      routes(http) {
        const retry = async (id: string) => {
          const done = await table.retry(id)
          onChanged(id)
          wake()
          return done
        }
        jobRoutes(http, { table, now: clock.now, state: runner.state, cancel, retry })
      },
      async start() {
        closed = false
        const taken = await table.takeBack(LOST_MAX, [])
        if (taken > 0) log.info({ jobs: taken }, 'jobs of the last run go on')
        await table.refuseOthers([...handlers.keys()], 'This version of the hub knows no such job.')
        await prune()
        stops = [clock.every(PRUNE_MS, () => void prune())]
        look()
      },
      async stop() {
        cancelWake()
        for (const stop of stops) stop()
        stops = []
        closed = true
        await runner.stop()
      },
    },
  }
}
