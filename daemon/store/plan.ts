import type { Write } from './store.ts'

/** What one part prepares for another's atomic unit: both happen, or neither. */
export interface Plan<Result> {
  result: Result
  writes: readonly Write[]
  /** Call after the unit is on disk: brings the part's memory up to date. */
  committed(): void
}
