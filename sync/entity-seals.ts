/** Locks and opens what is personal in the entities that hubs and the cloud share. */
import type { SyncState } from './hub-state.ts'
import { canonicalJson, fieldOf } from './merge.ts'
import { type Entity, type EntityKind, SEALED_FIELDS } from './rows.ts'
import { isSealed, openJsonWith, type SealedValue, sealJson } from './seal.ts'

export interface EntitySeals {
  /** The fields as they are written; those that still say what `before` says keep the bytes they had, whatever key made them. */
  sealed(
    kind: EntityKind,
    subject: string | null,
    fields: Record<string, unknown>,
    before: Entity | null,
  ): Record<string, unknown>
  /** Every field in clear; null when one cannot be opened. */
  opened(entity: Entity): Record<string, unknown> | null
}

export function createEntitySeals(state: Pick<SyncState, 'subjectKeys'>): EntitySeals {
  return {
    sealed(kind, subject, fields, before) {
      const keys = subject === null ? [] : state.subjectKeys(subject)
      const [key] = keys
      if (subject === null || !key) return fields
      const names = new Set(SEALED_FIELDS[kind])
      const sealedAs = (name: string, value: unknown) => {
        const known = before ? fieldOf(before, name) : undefined
        // Another key is no edit: what still says the same stays as it was sealed.
        return isSealed(known) && canonicalJson(openedValue(keys, subject, known)) === canonicalJson(value)
          ? known
          : sealJson(key, subject, value)
      }
      return Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [
          name,
          names.has(name) && value !== null ? sealedAs(name, value) : value,
        ]),
      )
    },
    opened(entity) {
      const { subject } = entity
      const keys = subject === null ? [] : state.subjectKeys(subject)
      const fields: Record<string, unknown> = {}
      for (const [name, [value]] of Object.entries(entity.fields)) {
        fields[name] = isSealed(value) ? openedValue(keys, subject, value) : value
        if (fields[name] === undefined) return null
      }
      return fields
    },
  }
}

/** Undefined when none of the keys opens it. */
function openedValue(keys: readonly Uint8Array[], subject: string | null, value: SealedValue): unknown {
  try {
    return subject === null ? undefined : openJsonWith(keys, subject, value)
  } catch {
    return undefined
  }
}
