/** Erases the notes of what went on around a person's measurements. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function ingestErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'ingest', [`DELETE FROM context_note WHERE person_key = ${ERASED_PERSON}`])
}
