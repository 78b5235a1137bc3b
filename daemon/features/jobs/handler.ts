/** What a kind of job is to the queue, and what the queue is to a job that runs. */
import type { Job, JobQueue } from '../../domain/job.ts'
import type { Write } from '../../store/store.ts'

/** What became of a job; `writes` reach the disk together with its end, or not at all. */
export interface JobDone {
  result?: unknown
  writes?: readonly Write[]
}

export interface JobContext {
  /** As it was claimed; `checkpoint` is what the last attempt saved. */
  job: Readonly<Job>
  /** Aborts when the job is cancelled, out of time, or the hub stops: end soon, what is written later has no effect. */
  signal: AbortSignal
  /** 0 to 1, and what is being done. Costs nothing: it is told and stored now and then. */
  progress(fraction: number, stage?: string): void
  /** Stores where to go on, with what was done until here. Rejects with CONFLICT when the job is no longer this attempt's. */
  save(checkpoint: unknown, writes?: readonly Write[]): Promise<void>
}

/**
 * One kind of job. `run` may be called again after any interruption: what it does outside of `writes` has to be harmless
 * twice. A HubError that no repetition mends (400 to 422, but 409) fails the job at once, anything else is tried again.
 */
export interface JobHandler {
  queue: JobQueue
  /** Default 30 minutes. */
  timeoutMs?: number
  /** Default 3. */
  maxAttempts?: number
  run(context: JobContext): Promise<JobDone | undefined>
}
