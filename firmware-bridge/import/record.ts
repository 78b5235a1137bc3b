/** What importers hand over: canonical records in the order of the file, and everything that was left out with its reason. */

export interface Place {
  lat: number
  lon: number
}

type Facts = Readonly<Record<string, unknown>>

interface Provenance {
  /** App or device that recorded it, in the file's words. */
  sourceName?: string
  device?: string
  externalId?: string
  /** What else the file said, under the names that answers use. */
  facts?: Facts
}

export interface ImportedSample extends Provenance {
  kind: 'sample'
  metric: string
  value: number | string | Place | readonly number[]
  unit: string
  atMs: number
  endMs?: number
  /** How a value that stands for many was made. */
  agg?: 'avg' | 'sum'
  censored?: 'low' | 'high'
}

export type SleepStage = 'awake' | 'light' | 'deep' | 'rem' | 'asleep'

export interface StageStretch {
  stage: SleepStage
  startMs: number
  endMs: number
}

export interface ImportedSleep extends Provenance {
  kind: 'sleep'
  startMs: number
  endMs: number
  /** Local day of waking, `YYYY-MM-DD`. */
  nightOf: string
  nap?: boolean
  inBed?: { startMs: number; endMs: number }
  minutes: Readonly<Partial<Record<SleepStage | 'in_bed', number>>>
  stages: readonly StageStretch[]
}

export interface ImportedActivity extends Provenance {
  kind: 'activity'
  type: string
  startMs: number
  endMs: number
  durationS: number
  distanceM?: number
  energyKcal?: number
  hrAvg?: number
  hrMax?: number
}

export interface ImportedEvent extends Provenance {
  kind: 'event'
  event: 'meal' | 'insulin' | 'basal' | 'exercise' | 'note'
  atMs: number
}

export interface Skipped {
  kind: 'skipped'
  /** Row, record or entry, in words that find it again. */
  where: string
  reason: string
  /** How many of the same. */
  count?: number
  /** Nothing behind this place could be read. */
  fatal?: true
}

/** Something about the file as a whole: a profile, the next page, how many points. */
export interface Finding {
  kind: 'finding'
  name: string
  value: unknown
}

export type ImportRecord =
  | ImportedSample
  | ImportedSleep
  | ImportedActivity
  | ImportedEvent
  | Skipped
  | Finding

export type Emit = (record: ImportRecord) => void

/** Reads one file from its chunks. Never throws: what cannot be read is a record too. */
export interface Reading {
  push(chunk: Uint8Array): void
  end(): void
}

export function skipped(where: string, reason: string): Skipped {
  return { kind: 'skipped', where, reason }
}

export function unreadable(where: string, reason: string): Skipped {
  return { kind: 'skipped', where, reason, fatal: true }
}

/** The given fields without those that are undefined or null. */
export function present<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: NonNullable<Fields[Key]> } {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as { [Key in keyof Fields]?: NonNullable<Fields[Key]> }
}
