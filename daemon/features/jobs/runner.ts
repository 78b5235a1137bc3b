/** Runs what is due: claims by lease, renews, ends each job once, and gives everything back when the hub stops. */
import { JOB_QUEUES, type Job, type JobQueue } from '../../domain/job.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import type { Store, Write } from '../../store/store.ts'
import type { JobContext, JobDone, JobHandler } from './handler.ts'
import type { Claim, Ending, JobTable } from './table.ts'

export interface Runner {
  /** Starts what is due and has room. */
  pump(): void
  /** Where a running job is, newer than its row. */
  state(id: string): { progress: number; stage: string | null } | null
  /** Tells a running job to end; its row is ended already. */
  abort(id: string): void
  running(): readonly string[]
  /** Gives running jobs back to the queue and waits a moment for them to notice. */
  stop(): Promise<void>
  stats(): RunnerStats
}

/** Counters since the start. */
export interface RunnerStats {
  running: number
  finished: number
  failed: number
  retried: number
  timedOut: number
  /** Handlers that did not end when they were told to. */
  stuck: number
}

export interface RunnerDeps {
  table: JobTable
  store: Pick<Store, 'write'>
  clock: Clock
  log: Log
  /** 0 to 1, for spreading repetitions. */
  random: () => number
  handlers: ReadonlyMap<string, JobHandler>
  /** Jobs of a queue at a time. */
  limits: Readonly<Record<JobQueue, number>>
  onChanged: (jobId: string) => void
}

interface Run {
  job: Job
  claim: Claim
  progress: number
  stage: string | null
  controller: AbortController
  /** The row has its end: what the handler still answers is nothing. */
  settled: boolean
  toldMs: number
  abandon: () => void
}

const LEASE_MS = 60_000
const RENEW_MS = 20_000
const TELL_MS = 500
/** A handler that was told to end gets this long before its place is given to another. */
const GRACE_MS = 30_000
const BACK_OFF_FIRST_MS = 5000
const BACK_OFF_LONGEST_MS = 15 * 60_000
const STAGE_LENGTH = 200
const ERROR_LENGTH = 500

export function createRunner(deps: RunnerDeps): Runner {
  const { table, store, clock, log, handlers, limits, onChanged } = deps
  const runs = new Map<string, Run>()
  const claiming = new Map<string, JobQueue>()
  const counts = { finished: 0, failed: 0, retried: 0, timedOut: 0, stuck: 0 }
  let stopped = false

  function pump(): void {
    if (stopped) return
    for (const queue of JOB_QUEUES) {
      const busy = [...runs.values()].filter(({ job }) => job.queue === queue).length
      const room = limits[queue] - busy - [...claiming.values()].filter((one) => one === queue).length
      if (room <= 0) continue
      const due = table.due(queue, [...handlers.keys()], room + claiming.size)
      for (const job of due.filter(({ id }) => !claiming.has(id)).slice(0, room)) begin(job)
    }
  }

  function begin(job: Job): void {
    const handler = handlers.get(job.kind)
    if (!handler) return
    claiming.set(job.id, job.queue)
    table
      .claim(job.id, clock.now() + LEASE_MS)
      .then(
        (claim) => {
          if (!claim) return
          // Claimed while the hub was stopping: the next start takes it back.
          if (!stopped) void run(job, claim, handler)
        },
        (cause: unknown) => log.warn({ job: job.id, cause: messageOf(cause) }, 'a job could not be claimed'),
      )
      .finally(() => claiming.delete(job.id))
  }

  async function run(queued: Job, claim: Claim, handler: JobHandler): Promise<void> {
    const job: Job = { ...queued, status: 'started', fence: claim.fence, attempts: queued.attempts + 1 }
    const controller = new AbortController()
    let abandon = () => {}
    const abandoned = new Promise<'abandoned'>((resolve) => {
      abandon = () => resolve('abandoned')
    })
    const { progress, stage } = job
    const mine: Run = {
      job,
      claim,
      progress,
      stage,
      controller,
      settled: false,
      toldMs: clock.now(),
      abandon,
    }
    runs.set(job.id, mine)
    onChanged(job.id)
    const stops = [
      clock.every(RENEW_MS, () => void renew(mine)),
      clock.after(job.timeoutMs, () => void timeOut(mine)),
    ]
    const ran = attempt(handler, contextOf(mine))
    const outcome = await Promise.race([ran, abandoned])
    if (outcome === 'abandoned') {
      counts.stuck += 1
      log.error({ job: job.id, kind: job.kind }, 'a job does not end although it was told to')
    } else if (!mine.settled) await settle(mine, outcome)
    for (const stop of stops) stop()
    runs.delete(job.id)
    onChanged(job.id)
    pump()
  }

  function contextOf(mine: Run): JobContext {
    return {
      job: mine.job,
      signal: mine.controller.signal,
      progress(fraction, stage) {
        mine.progress = Math.min(1, Math.max(0, fraction))
        if (stage !== undefined) mine.stage = stage.slice(0, STAGE_LENGTH)
        if (clock.now() - mine.toldMs < TELL_MS) return
        mine.toldMs = clock.now()
        onChanged(mine.job.id)
      },
      async save(checkpoint, writes = []) {
        await store.write([table.checkpointing(mine.claim, checkpoint), renewing(mine), ...writes])
      },
    }
  }

  function renewing({ claim, progress, stage }: Run): Write {
    return table.renewing(claim, { leaseUntilMs: clock.now() + LEASE_MS, progress, stage })
  }

  async function renew(mine: Run): Promise<void> {
    if (mine.settled) return
    try {
      await store.write([renewing(mine)])
    } catch (cause) {
      // Somebody else ended the row: nothing that this attempt does counts any more.
      if (cause instanceof HubError && cause.code === 'CONFLICT') tellToEnd(mine)
    }
  }

  async function timeOut(mine: Run): Promise<void> {
    if (mine.settled) return
    counts.timedOut += 1
    await settle(mine, {
      failed: new Error(`It took longer than ${Math.round(mine.job.timeoutMs / 1000)} s.`),
    })
    tellToEnd(mine)
  }

  function tellToEnd(mine: Run): void {
    mine.settled = true
    mine.controller.abort()
    clock.after(GRACE_MS, mine.abandon)
  }

  async function settle(mine: Run, outcome: Attempt): Promise<void> {
    mine.settled = true
    const { job, claim } = mine
    try {
      if ('done' in outcome) {
        const ending: Ending = { status: 'finished', result: outcome.done.result }
        await store.write([...(outcome.done.writes ?? []), table.ending(claim, ending)])
        counts.finished += 1
        return
      }
    } catch (cause) {
      return settle(mine, { failed: cause })
    }
    const ending = endingOf(job, outcome.failed, clock.now(), deps.random())
    counts[ending.status === 'queued' ? 'retried' : 'failed'] += 1
    log.warn({ job: job.id, kind: job.kind, status: ending.status }, 'a job failed')
    // Not ours any more, or the store closes: the next start finds the row as it is.
    await store.write([table.ending(claim, ending)]).catch(() => {})
  }

  return {
    pump,
    state(id) {
      const found = runs.get(id)
      return found ? { progress: found.progress, stage: found.stage } : null
    },
    abort(id) {
      const found = runs.get(id)
      if (found) tellToEnd(found)
    },
    running: () => [...runs.keys(), ...claiming.keys()],
    async stop() {
      stopped = true
      const held = [...runs.values()].filter(({ settled }) => !settled)
      for (const mine of held) mine.settled = true
      const back: Ending = { status: 'queued', dueAtMs: clock.now(), error: null, counts: false }
      await Promise.all(
        held.map((mine) => store.write([table.ending(mine.claim, back)]).catch(() => undefined)),
      )
      for (const mine of held) mine.controller.abort()
    },
    stats: () => ({ ...counts, running: runs.size }),
  }
}

type Attempt = { done: JobDone } | { failed: unknown }

async function attempt(handler: JobHandler, context: JobContext): Promise<Attempt> {
  try {
    return { done: (await handler.run(context)) ?? {} }
  } catch (cause) {
    return { failed: cause }
  }
}

function endingOf(job: Job, cause: unknown, nowMs: number, random: number): Ending {
  const error = messageOf(cause).slice(0, ERROR_LENGTH)
  if (isFinal(cause) || job.attempts >= job.maxAttempts) return { status: 'failed', error }
  return { status: 'queued', dueAtMs: nowMs + backOffMs(job.attempts, random), error, counts: true }
}

/** Whether the same again would fail the same. */
function isFinal(cause: unknown): boolean {
  if (!(cause instanceof HubError)) return false
  return cause.status < 500 && cause.code !== 'CONFLICT' && cause.code !== 'RATE_LIMITED'
}

/** Four times as long after each failure, spread by half to either side. */
export function backOffMs(attempts: number, random: number): number {
  const longMs = Math.min(BACK_OFF_LONGEST_MS, BACK_OFF_FIRST_MS * 4 ** (attempts - 1))
  return Math.round(longMs * (0.5 + random))
}
