/** Erases long work about a person that waits or is over; what runs just now is not taken away under its own feet. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function jobsErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'jobs', [
    `DELETE FROM job WHERE person_key = ${ERASED_PERSON} AND status <> 'started'`,
    `UPDATE job SET person_key = NULL WHERE person_key = ${ERASED_PERSON}`,
  ])
}
