import type { ErrorCode } from '../kernel/errors.ts'
import type { OpenSeries } from './open-series.ts'
import type { NaturalKey, Write, WriteResult } from './store.ts'
import type { UpkeepDone, UpkeepOrder } from './upkeep-order.ts'

/** Numbers per observation in `Batch.rows`: atMs, person, metric key, device, value, source, quality. */
export const ROW_LENGTH = 7
/** Ids and source names stand as positions in `Batch.names`; no quality is NaN. */
export const FIELD = { at: 0, person: 1, metric: 2, device: 3, value: 4, source: 5, quality: 6 } as const

/** Stands in `Batch.calls` for a unit; any other number is the row count of an append. */
export const UNIT = -1

export type Unit =
  | { kind: 'write'; writes: readonly Write[] }
  | { kind: 'rezone'; personId: string }
  | { kind: 'retract'; keys: readonly NaturalKey[] }
  /** Gives rows another instant, all at once; `extra` is the JSON they have from then on. */
  | { kind: 'move'; rows: readonly (NaturalKey & { extra: string | null })[]; byMs: number }

/** One group commit on its way to the writer thread, packed so that crossing costs little per row. */
export interface Batch {
  nowMs: number
  calls: Int32Array
  units: readonly Unit[]
  names: readonly string[]
  rows: Float64Array<ArrayBuffer>
  /** JSON of the rows that have extra facts, by row number. */
  extras: readonly (readonly [row: number, json: string])[]
}

export const OUTCOMES = ['accepted', 'duplicate', 'revised'] as const

/** What a commit did. */
export interface Committed {
  /** Position in `OUTCOMES` of every row; rows of refused calls have no meaning here. */
  outcomes: Uint8Array
  /** Revision of the rows that were revised, by row number. */
  revisions: readonly (readonly [row: number, revision: number])[]
  /** Results of the units, by call number. */
  results: readonly (readonly [call: number, results: WriteResult[]])[]
  /** Calls that had no effect, by call number. */
  refused: readonly (readonly [call: number, code: ErrorCode, message: string])[]
  /** More roll-ups wait to be stored: another commit is wanted even when nobody calls. */
  more: boolean
  gauges: Gauges
}

export interface Gauges {
  batchMs: number
  /** The COMMIT alone, which is where the disk is waited for. */
  syncMs: number
  /** Bytes the thread gave to the disk since it started; null where the kernel does not count them. */
  bytesWritten: number | null
  openSeries: number
  dueHours: number
  /** Rows for days whose single values were let go, since the thread started. */
  closedRows: number
}

export type ToThread =
  | { kind: 'commit'; batch: Batch }
  /** Try the commit that stalled again. */
  | { kind: 'retry' }
  | { kind: 'open'; question: number; person: number; metric: number | null }
  | { kind: 'upkeep'; question: number; order: UpkeepOrder }
  | { kind: 'close' }

export type FromThread =
  | { kind: 'ready'; recoveredHours: number }
  | { kind: 'unfit'; code: ErrorCode; message: string }
  | { kind: 'committed'; committed: Committed }
  /** Nothing of the batch is stored; the thread keeps it. `full` when the disk is the reason. */
  | { kind: 'stalled'; full: boolean; message: string }
  /** Nothing of the batch is stored and trying again will not help. */
  | { kind: 'failed'; message: string }
  | { kind: 'open'; question: number; series: OpenSeries[] }
  /** `done` is null with the reason when it was broken off. */
  | { kind: 'upkept'; question: number | null; done: UpkeepDone | null; message: string }
  | { kind: 'closed' }

export interface ThreadStart {
  path: string
  /** Series whose open minute is kept in memory. */
  openSeries: number
}
