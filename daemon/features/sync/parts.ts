/** What the parts of the sync's feature share. */
import type { DataClass } from '../../domain/access.ts'
import type { Store } from '../../store/store.ts'

export interface SyncStanding {
  /** `off`, `on`, `paused`, or why nothing goes until somebody decides: `revoked`, `forked`. */
  state: string
  identity: {
    hubId: string
    householdName: string
    address: string
    epoch: number
    enrolledAtMs: number
    pulledAtMs: number | null
    conflicts: number
  } | null
  lanes: readonly {
    lane: string
    depth: number
    pushedAtMs: number | null
    rows: number
    bytes: number
    day: number
    dayBytes: number
    /** Why the last try failed or is held back; null when all is well. */
    why: string | null
    nextTryMs: number | null
  }[]
  choices: readonly { personId: string; class: DataClass; raw: boolean }[]
  limits: { bytesPerDay: number; bulkHours: string | null }
}

export interface SyncDeps {
  store: Pick<Store, 'all'>
  now: () => number
  standing: () => SyncStanding
  enrol(address: string, code: string): Promise<{ household: string } | { fault: string; told: string }>
  leave(): Promise<void>
  pause(paused: boolean): Promise<void>
  choose(personId: string, choices: readonly { class: DataClass; raw: boolean }[]): Promise<void>
  people: () => readonly string[]
  start(): void
  stop(): Promise<void>
}
