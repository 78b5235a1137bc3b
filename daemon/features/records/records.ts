/** What people record as a whole: moods, nights, activities, meals, days. */
import { activity } from '../../domain/activity.ts'
import { journal as journalOfDay } from '../../domain/journal.ts'
import { meal } from '../../domain/meal.ts'
import { mood } from '../../domain/mood.ts'
import type { RecordKind, RecordKindName } from '../../domain/record.ts'
import type { Feature } from '../../domain/route.ts'
import { sleep } from '../../domain/sleep.ts'
import type { Sources } from '../../store/sources.ts'
import type { Store } from '../../store/store.ts'
import {
  createJournal,
  type RecordChange,
  type RecordOutcome,
  refusedRecord,
  type Teller,
} from './journal.ts'
import { recordRoutes } from './routes.ts'
import { createRecordTable, type RecordTable, type StoredRecord } from './table.ts'

export interface RecordsDeps {
  store: Pick<Store, 'all' | 'get' | 'write' | 'observations'>
  sources: Sources
  now: () => number
  newId: () => string
  zoneOf: (personId: string) => string
  wearerAt: (deviceId: string, atMs: number) => string | null
}

export interface Records {
  feature: Feature
  /** Records of a window as they are now. */
  all: RecordTable['all']
  /** Whose record of that kind it is; null for one that is not there or was deleted. */
  ownerOf(kind: RecordKindName, id: string): string | null
  /** Records what a program knows; rejects with what is wrong with it. */
  tell(
    kind: RecordKindName,
    sent: object,
    teller: Teller,
  ): Promise<{ record: StoredRecord; outcome: RecordOutcome }>
  /** Takes back what that device told about the instant; once more is nothing. */
  takeBack(kind: RecordKindName, at: Omit<Teller, 'source'> & { startMs: number }): Promise<void>
  /** Tells what just changed; returns the way to stop listening. */
  onChanged(listener: (changed: RecordChange) => void): () => void
}

const KINDS: readonly RecordKind[] = [mood, sleep, activity, meal, journalOfDay]
const BY_NAME: Readonly<Record<RecordKindName, RecordKind>> = {
  mood,
  sleep,
  activity,
  meal,
  journal: journalOfDay,
}

export function createRecords(deps: RecordsDeps): Records {
  const table = createRecordTable(deps)
  const listeners = new Set<(changed: RecordChange) => void>()
  const journal = createJournal({
    ...deps,
    table,
    onChanged(changed) {
      for (const listener of listeners) listener(changed)
    },
  })
  return {
    all: table.all,
    ownerOf(kind, id) {
      const record = table.find(id)
      return record?.kind === kind && record.deletedAtMs === null ? record.personId : null
    },
    async tell(name, sent, teller) {
      const kind = BY_NAME[name]
      const draft = kind.read(sent, { nowMs: deps.now(), zone: deps.zoneOf(teller.personId) })
      if ('code' in draft) throw refusedRecord(draft)
      return journal.tell(kind, draft, teller)
    },
    async takeBack(kind, at) {
      const record = table.at({ kind, ...at })
      if (record && record.deletedAtMs === null) await journal.remove(BY_NAME[kind], record)
    },
    onChanged(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    feature: {
      name: 'records',
      routes(http) {
        for (const kind of KINDS) recordRoutes(http, kind, { ...deps, table, journal })
      },
    },
  }
}
