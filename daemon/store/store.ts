import type { Level, LevelPoint, Observation, Outcome, StoredObservation } from '../domain/observation.ts'

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
  /** Resolves once every row is on disk, with what became of each, in order. All rows of a call share one commit. */
  append(batch: readonly Observation[]): Promise<Outcome[]>
  /** Raw values, ascending. A page never ends between two values of the same instant. */
  range(range: Range): Promise<Page<StoredObservation>>
  /** Roll-up buckets, ascending; `1d` buckets are the person's local days. Open buckets are included. */
  level(range: Range & { level: Level }): Promise<Page<LevelPoint>>
  /** The newest value of every metric of the person. */
  latest(personId: string): Promise<StoredObservation[]>
  /** Values that a correction replaced, oldest first, for one natural key. */
  history(key: Pick<Observation, 'personId' | 'deviceId' | 'metric' | 'atMs'>): Promise<StoredObservation[]>
}

/** What just reached the disk; duplicates are left out. */
export type CommitListener = (committed: readonly StoredObservation[]) => void

export interface StoreStats {
  queued: number
  commits: number
  rows: number
  lastCommitMs: number
  bytesWritten: number
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
   * Rejects with HubError: CONFLICT (an `expect` was not met or a constraint failed), DISK_FULL, SHUTTING_DOWN.
   */
  write(unit: readonly Write[]): Promise<WriteResult[]>
  observations: Observations
  /** Called after each commit, in commit order. Returns the way to stop listening. */
  onCommitted(listener: CommitListener): () => void
  /** Rebuilds the local-day roll-ups of a person whose time zone changed. */
  rezone(personId: string): Promise<void>
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
}
