import type { RetentionLimits } from '../domain/retention.ts'

/** What one round of upkeep shall do: pack days that are over, and with limits let go what is older than them. */
export interface UpkeepOrder {
  nowMs: number
  limits: RetentionLimits | null
}

export interface UpkeepDone {
  sealed: Sealed
  letGo: LetGo | null
  /** Given back to the file system. */
  freedBytes: number
}

/** What was packed. */
export interface Sealed {
  days: number
  rows: number
  bytes: number
  /** Series of a day that stayed rows: an hour of theirs is not rolled up yet, they changed meanwhile, or their packed part is damaged. */
  left: number
}

/** What was older than its limit. */
export interface LetGo {
  minuteRows: number
  values: number
  /** Days whose minutes went for good. */
  minuteDays: number
}
