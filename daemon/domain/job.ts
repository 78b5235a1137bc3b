import type { DataClass } from './access.ts'

export const JOB_QUEUES = ['critical', 'default', 'low'] as const
export type JobQueue = (typeof JOB_QUEUES)[number]

export const JOB_STATUSES = ['queued', 'started', 'finished', 'failed', 'cancelled'] as const
export type JobStatus = (typeof JOB_STATUSES)[number]

/** Long work that survives a restart, as it is stored. */
export interface Job {
  id: string
  kind: string
  queue: JobQueue
  /** Higher goes first within its queue. */
  priority: number
  status: JobStatus
  payload: unknown
  /** What the last attempt left to go on from, null for a beginning. */
  checkpoint: unknown
  /** 0 to 1. */
  progress: number
  stage: string | null
  result: unknown
  error: string | null
  /** Attempts begun, without those that a stop of the hub interrupted. */
  attempts: number
  maxAttempts: number
  fence: number
  timeoutMs: number
  /** Whose data it is about, null for the hub's own. */
  personId: string | null
  class: DataClass | null
  /** User or device that asked for it, null for the hub itself. */
  requestedBy: string | null
  dueAtMs: number
  createdAtMs: number
  startedAtMs: number | null
  endedAtMs: number | null
}
