/** What the hub's side of the sync needs of the hub, said by itself: wired where the hub is put together. */
import type { EdgeJobKind, EdgeJobParams } from './edge-jobs.ts'
import type { Failpoints } from './failpoint.ts'

export type SqlValue = string | number | bigint | null | Uint8Array
export type SqlParams = Readonly<Record<string, SqlValue>>

export interface Statement {
  sql: string
  params?: SqlParams
  /** How many rows it must change; any other count undoes the whole unit. */
  expect?: number
}

/** The hub's database: reads see what is committed, a unit of writes happens as a whole. */
export interface HubStore {
  all<Row>(sql: string, params?: SqlParams): Row[]
  get<Row>(sql: string, params?: SqlParams): Row | undefined
  write(unit: readonly Statement[]): Promise<unknown>
}

export interface HubClock {
  now(): number
  monotonic(): number
  after(ms: number, fn: () => void): () => void
  every(ms: number, fn: () => void): () => void
}

export interface HubLog {
  info(facts: object, text: string): void
  warn(facts: object, text: string): void
  error(facts: object, text: string): void
}

/** Seals what lies in the hub's own database. */
export interface HubSeals {
  close(owner: string, content: unknown): Uint8Array
  open(owner: string, sealed: Uint8Array): unknown
}

export type DataClass = 'wellness' | 'glucose' | 'training' | 'media'

export interface SyncLimits {
  /** Rows of one batch. */
  rows: number
  /** Bytes a UTC day that `state` and `bulk` may take together with `now`; 0: no limit. `now` is never held back. */
  bytesPerDay: number
  /** Hours of the day (hub's zone), `[from, to)`, in which `bulk` may travel; null: always. */
  bulkHours: readonly [number, number] | null
  /** Entries of the lane `bulk` that may wait; beyond it the oldest become a gap. */
  waitingBulk: number
}

export interface SyncPorts {
  store: HubStore
  clock: HubClock
  log: HubLog
  seals: HubSeals
  fetch: typeof fetch
  random(): number
  newId(): string
  failpoints: Failpoints
  limits: SyncLimits
  version: string
  /** What the hub is called. */
  hubName(): string
  /** A metric by its number in the store. */
  metric(key: number): { name: string; scale: number; class: DataClass }
  /** The metrics of a class. */
  metricsOf(dataClass: DataClass): readonly number[]
  /** Hour of the day as the household's clock shows it. */
  hourOfDay(): number
  /** Whether a calendar can repeat an event this way. */
  canRepeat(rrule: string, startMs: number, timezone: string): boolean
  isZone(timezone: string): boolean
  /** Somebody was erased elsewhere: erases them here; the erasure ends with `planErased`. */
  erase(personId: string): Promise<void>
  /** Does what the cloud asked for; what it answers goes there, sealed when it is about a person. */
  runJob(
    kind: EdgeJobKind,
    personId: string | null,
    params: EdgeJobParams,
    signal: AbortSignal,
  ): Promise<unknown>
  /** Rows of these kinds were changed below those who keep a copy in memory. */
  changed(kinds: ReadonlySet<string>): void
  /** Something that the page shows is different now. */
  told(): void
  /** How long the line from the cloud may say nothing before it is opened anew; two minutes unless told. */
  silentMs?: number
  /** Lets others have a turn between slices of work. */
  turn(): Promise<void>
}
