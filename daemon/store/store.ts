import type { Level, LevelPoint, Observation, Outcome, StoredObservation } from '../domain/observation.ts'
import type { RetentionLimits } from '../domain/retention.ts'
import type { Clock } from '../kernel/clock.ts'
import type { UpkeepDone } from './upkeep-order.ts'

export type SqlValue = string | number | bigint | null | Uint8Array
export type SqlParams = Readonly<Record<string, SqlValue>>

/** One statement for the writer thread. `RETURNING` rows come back in the result. */
export interface Write {
  sql: string
  params?: SqlParams
  /** How many rows it must change; any other count rolls the whole unit back and rejects with CONFLICT. */
  expect?: number
}

export interface WriteResult {
  changes: number
  rows: Record<string, SqlValue>[]
}

/** What tells one observation from every other. */
export type NaturalKey = Pick<Observation, 'personId' | 'deviceId' | 'metric' | 'atMs'>

/** Half-open window `[fromMs, toMs)` of one person's metric. */
export interface Range {
  personId: string
  metric: string
  fromMs: number
  toMs: number
  limit: number
}

export interface Page<Point> {
  points: Point[]
  /** Where to go on reading, null at the end. */
  nextFromMs: number | null
}

/** The one interface to recorded values; where rows lie (hot, roll-up, sealed) is the store's business. */
export interface Observations {
  /**
   * Resolves once every row is on disk, with what became of each, in order. All rows of a call share one commit. Rejects as
   * `write` does, with NOT_FOUND when a person (or a deleted one) or device is unknown, and with UNKNOWN_METRIC or
   * VALIDATION_ERROR for rows that could never be stored; then no row of the call is.
   */
  append(batch: readonly Observation[]): Promise<Outcome[]>
  /** Raw values, ascending. A page never ends between two values of the same instant. */
  range(range: Range): Promise<Page<StoredObservation>>
  /** Roll-up buckets, ascending; `1d` buckets are the person's local days. Open buckets are included. */
  level(range: Range & { level: Level }): Promise<Page<LevelPoint>>
  /** The newest value of every metric of the person. */
  latest(personId: string): Promise<StoredObservation[]>
  /** Values that a correction replaced, oldest first, for one natural key. */
  history(key: NaturalKey): Promise<StoredObservation[]>
  /**
   * Takes values back that should not have been recorded: they leave every reading and roll-up and stay visible in `history`.
   * Resolves with how many there were once that is on disk; a key without a value is passed over. Rejects as `write` does.
   */
  retract(keys: readonly NaturalKey[]): Promise<number>
  /** Gives values another instant, `byMs` later, all or none of a call, with other facts; where there is one already it stays. */
  move(rows: readonly (NaturalKey & Pick<Observation, 'extra'>)[], byMs: number): Promise<number>
}

/** What just reached the disk; duplicates are left out. */
export type CommitListener = (committed: readonly StoredObservation[]) => void

/** What was just taken back, whether or not each key had a value. */
export type RetractListener = (keys: readonly NaturalKey[]) => void

/** How long something took, counted in steps: `counts[i]` took at most `boundsMs[i]`, the last one longer than all bounds. */
export interface Latency {
  boundsMs: readonly number[]
  counts: readonly number[]
  count: number
  sumMs: number
}

/** Counters grow from the start of the program; the rest is as of the last commit. */
export interface StoreStats {
  /** Rows (units count as one) that wait for a commit or are in one. */
  queued: number
  commits: number
  /** Rows that reached the disk, corrections included. */
  rows: number
  duplicates: number
  revised: number
  /** Calls without effect: unknown person or device, an `expect` not met, a failed statement. */
  refused: number
  /** Calls turned away because too much was queued. */
  overloaded: number
  /** Commits tried again because the disk was full or the file locked. */
  retries: number
  /** Nothing can be written until there is room; calls wait. */
  diskFull: boolean
  /** Listeners that threw. */
  listenerFailures: number
  lastCommitMs: number
  /** A whole transaction, the COMMIT in it (the wait for the disk), and a call from queueing to on disk. */
  commitLatency: Latency
  syncLatency: Latency
  acknowledgeLatency: Latency
  /** Bytes the writer gave to the disk; null where the kernel does not count them. */
  bytesWritten: number | null
  /** Series whose newest minute is in memory, and finished hours that are not rolled up yet. */
  openSeries: number
  dueHours: number
  /** Rows for days whose single values were let go: they count as known. */
  closedRows: number
  /** Rounds of packing and letting go, and what they packed. */
  upkeep: { rounds: number; failures: number; sealedRows: number; sealedBytes: number }
}

/**
 * The hub's database. One writer thread owns the only read-write connection and commits what queued while the last commit
 * ran; reads go through a read-only connection and see committed data only.
 */
export interface Store {
  /** Runs a read-only statement; `sql` is prepared once and kept. */
  all<Row>(sql: string, params?: SqlParams): Row[]
  get<Row>(sql: string, params?: SqlParams): Row | undefined
  /**
   * Runs the statements in order as one atomic unit inside the next group commit; resolves when they are on disk.
   * Rejects with HubError: CONFLICT (an `expect` was not met or a constraint failed), INTERNAL (a statement is wrong),
   * OVERLOADED (too much is queued), DISK_FULL (closed while the disk was full; until then calls wait), SHUTTING_DOWN.
   */
  write(unit: readonly Write[]): Promise<WriteResult[]>
  observations: Observations
  /** Called after each commit, in commit order. Returns the way to stop listening. */
  onCommitted(listener: CommitListener): () => void
  /** Called after a commit that took values back. Returns the way to stop listening. */
  onRetracted(listener: RetractListener): () => void
  /** Rebuilds the local-day roll-ups of a person whose time zone changed. */
  rezone(personId: string): Promise<void>
  /**
   * Packs days that are over, lets go what is older than the limits, and gives room back, between commits; the store packs by itself too.
   * Rejects with INTERNAL when it had to break off, SHUTTING_DOWN when the store closes; what was done stays done.
   */
  upkeep(limits: RetentionLimits | null): Promise<UpkeepDone>
  stats(): StoreStats
  /** Commits what is queued, writes open roll-ups, closes. Later calls reject with SHUTTING_DOWN. */
  close(): Promise<void>
}

export interface StoreOptions {
  /** Database file; its folder exists. */
  path: string
  now: () => number
  /** Told when the writer thread dies: nothing can be acknowledged any more. */
  onFailure: (cause: unknown) => void
  /** Durations, and when to try again or tidy up; the machine's own unless a test brings one. */
  clock?: Pick<Clock, 'monotonic' | 'after' | 'every'>
  limits?: Partial<StoreLimits>
}

/** What the store holds in memory at most. */
export interface StoreLimits {
  /** Rows waiting for a commit; a call beyond it is turned away with OVERLOADED. Default 100,000. */
  queuedRows: number
  /** Calls in one commit. Default 2,000. */
  commitCalls: number
  /** Rows after which a commit takes no further call. Default 20,000. */
  commitRows: number
  /** Series whose newest minute is in memory; beyond it the one silent longest is stored. Default 4,096. */
  openSeries: number
}
