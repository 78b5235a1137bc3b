/** Writes records down: told twice they are one, told anew a revision; what is a metric lands as an observation too. */

import type { Rejection } from '../../domain/intake.ts'
import type { Observation } from '../../domain/observation.ts'
import type { RecordContext, RecordDraft, RecordKind, RecordKindName } from '../../domain/record.ts'
import { MANUAL } from '../../domain/source.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import type { RecordTable, StoredRecord } from './table.ts'

export type RecordOutcome = 'accepted' | 'duplicate' | 'revised'

/** Who tells it, about whom. */
export interface Teller {
  personId: string
  deviceId: string
  source: string
}

export interface Journal {
  /** Resolves once it is on disk. Rejects with what is wrong with the draft's place (CONFLICT). */
  tell(
    kind: RecordKind,
    draft: RecordDraft,
    teller: Teller,
  ): Promise<{ record: StoredRecord; outcome: RecordOutcome }>
  /** Merges `changes` into what the record says; throws what is wrong with the result, or GONE. */
  change(kind: RecordKind, record: StoredRecord, changes: object): Promise<StoredRecord>
  /** Takes it back; once more is nothing. */
  remove(kind: RecordKind, record: StoredRecord): Promise<void>
}

/** Whose records changed, and the instants whose days they counted on before and count on now. */
export interface RecordChange {
  personId: string
  kind: RecordKindName
  dayMs: readonly number[]
}

export interface JournalDeps {
  table: RecordTable
  store: Pick<Store, 'observations'>
  now: () => number
  newId: () => string
  zoneOf: (personId: string) => string
  /** Told once something is on disk. */
  onChanged: (changed: RecordChange) => void
}

/** A writer that meets somebody faster reads again and repeats. */
const TRIES = 3

export function createJournal(deps: JournalDeps): Journal {
  const { table, store, newId, onChanged } = deps

  async function tellOnce(
    kind: RecordKind,
    draft: RecordDraft,
    teller: Teller,
  ): Promise<RecordOutcome | null> {
    const key = { kind: kind.name, startMs: draft.startMs, ...teller }
    const stored = table.at(key)
    if (!stored) {
      const added = await table.add({ id: newId(), ...key }, draft)
      return added ? 'accepted' : null
    }
    const isSame = JSON.stringify(stored.fields) === JSON.stringify(draft.fields)
    // What a person deleted stays deleted when a program sends it once more as it was.
    if (isSame && (stored.deletedAtMs === null || teller.source !== MANUAL)) return 'duplicate'
    await table.revise(stored, draft)
    return 'revised'
  }

  async function settled(kind: RecordKind, draft: RecordDraft, teller: Teller): Promise<RecordOutcome> {
    for (let tries = 1; ; tries += 1) {
      try {
        const outcome = await tellOnce(kind, draft, teller)
        if (outcome) return outcome
      } catch (cause) {
        if (!isConflict(cause) || tries === TRIES) throw cause
      }
      if (tries === TRIES) throw tooMany()
    }
  }

  return {
    async tell(kind, sent, teller) {
      const before = table.at({ kind: kind.name, startMs: sent.startMs, ...teller })
      const draft = withDetail(kind, sent, before, deps)
      const outcome = await settled(kind, draft, teller)
      const record = table.at({ kind: kind.name, startMs: draft.startMs, ...teller })
      if (!record) throw tooMany()
      // A duplicate's values are sent again: the first attempt may have died between the record and them.
      if (record.deletedAtMs === null)
        await place(store, valuesOf(kind, before, deps), observed(draft, record))
      onChanged(changeOf(record, before))
      return { record, outcome }
    },
    async change(kind, record, changes) {
      if (record.deletedAtMs !== null) throw gone()
      const context = contextOf(record, deps)
      const draft = kind.read({ ...record.fields, ...changes }, context)
      if ('code' in draft) throw refusedRecord(draft)
      if (JSON.stringify(draft.fields) !== JSON.stringify(record.fields)) await table.revise(record, draft)
      const after = table.find(record.id) ?? record
      await place(store, valuesOf(kind, record, deps), observed(draft, after))
      onChanged(changeOf(after, record))
      return after
    },
    async remove(kind, record) {
      const values = valuesOf(kind, record, deps)
      if (record.deletedAtMs === null) await table.remove(record)
      if (values.length > 0) await store.observations.retract(values)
      onChanged(changeOf(record, null))
    },
  }
}

/** An app's summary of a night must not take away the stages that its export told. */
function withDetail(
  kind: RecordKind,
  draft: RecordDraft,
  before: StoredRecord | null,
  deps: JournalDeps,
): RecordDraft {
  if (!before || before.deletedAtMs !== null || before.endMs !== draft.endMs) return draft
  const kept = (kind.detail ?? []).filter((name) => name in before.fields && !(name in draft.fields))
  if (kept.length === 0) return draft
  const detail = Object.fromEntries(kept.map((name) => [name, before.fields[name]]))
  const whole = kind.read({ ...draft.fields, ...detail }, contextOf(before, deps))
  return 'code' in whole ? draft : whole
}

function changeOf({ personId, kind, dayMs }: StoredRecord, before: StoredRecord | null): RecordChange {
  return { personId, kind, dayMs: before ? [before.dayMs, dayMs] : [dayMs] }
}

function contextOf(record: StoredRecord, { now, zoneOf }: JournalDeps): RecordContext {
  return { nowMs: now(), zone: zoneOf(record.personId) }
}

/** The observations that a stored record has made; read from its fields, which were judged when it came. */
function valuesOf(kind: RecordKind, record: StoredRecord | null, deps: JournalDeps): Observation[] {
  if (!record) return []
  const draft = kind.read(record.fields, { ...contextOf(record, deps), nowMs: Number.MAX_SAFE_INTEGER })
  return 'code' in draft ? [] : observed(draft, record)
}

function observed({ values }: RecordDraft, { personId, deviceId, source }: Teller): Observation[] {
  return values.map((value) => ({ personId, deviceId, source, quality: null, extra: null, ...value }))
}

/** Takes back values at instants that the record has left, then stores those it has. */
async function place(
  store: Pick<Store, 'observations'>,
  before: readonly Observation[],
  after: readonly Observation[],
): Promise<void> {
  const nameOf = ({ metric, atMs }: Observation) => `${metric} ${atMs}`
  const stays = new Set(after.map(nameOf))
  const left = before.filter((one) => !stays.has(nameOf(one)))
  if (left.length > 0) await store.observations.retract(left)
  if (after.length > 0) await store.observations.append(after)
}

function isConflict(cause: unknown): boolean {
  return cause instanceof HubError && cause.code === 'CONFLICT'
}

function tooMany(): HubError {
  return new HubError('CONFLICT', 'Others keep changing this record. Read it again and repeat.')
}

function gone(): HubError {
  return new HubError('GONE', 'This record was deleted. Send it anew if it was right.')
}

/** The refusal of a record, with the field that is to blame. */
export function refusedRecord({ code, path, message }: Rejection): HubError {
  return new HubError(code, `This was not kept. ${path}: ${message}.`, { details: [{ path, message }] })
}
