import type { Bucket } from '../../models/series/rollup.ts'
import type { SeriesHour, SeriesKeys } from './rollup-rows.ts'

/** A series as the writer remembers it. */
export interface Series extends SeriesKeys {
  lastMs: number
  minute: OpenMinute | null
  /** The hour that `rollup_pending` holds because of `minute`, null when all is stored or due. */
  hour: number | null
}

/** The minute that still grows. */
export interface OpenMinute {
  startMs: number
  rev: number
  bucket: Bucket
  /** A row was slipped in or replaced: the bucket is read again from the raw rows before the commit. */
  stale: boolean
}

/** One minute of one series. */
export interface Minute {
  series: SeriesKeys
  startMs: number
}

/** What one transaction changed; applied to memory when it commits, thrown away when it does not. */
export interface Draft {
  series: Map<string, Series>
  dropped: Set<string>
  closed: (Minute & { bucket: Bucket; rev: number })[]
  late: Map<string, Minute>
  /** Hours that lost a minute. */
  emptied: Map<string, SeriesHour>
  dueAdded: Map<string, SeriesHour>
  dueDone: Set<string>
  /** Hours whose place in `rollup_pending` may have to change. */
  touched: Map<string, SeriesHour>
  pendingAdded: string[]
  pendingDropped: string[]
}

export function emptyDraft(): Draft {
  return {
    series: new Map(),
    dropped: new Set(),
    closed: [],
    late: new Map(),
    emptied: new Map(),
    dueAdded: new Map(),
    dueDone: new Set(),
    touched: new Map(),
    pendingAdded: [],
    pendingDropped: [],
  }
}
