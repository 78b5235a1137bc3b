/** Erases moods, nights, activities, meals and journals of a person, earlier versions included. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

/** Photos of meals have to go before. */
export function recordsErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'records', [
    `DELETE FROM record_revision WHERE record_id IN (SELECT id FROM record WHERE person_key = ${ERASED_PERSON})`,
    `DELETE FROM record WHERE person_key = ${ERASED_PERSON}`,
  ])
}
