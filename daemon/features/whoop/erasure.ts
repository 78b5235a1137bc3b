/** Erases a person's WHOOP connection with its tokens. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function whoopErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'whoop', [
    `DELETE FROM whoop_record WHERE person_key = ${ERASED_PERSON}`,
    `DELETE FROM whoop_sign_in WHERE person_key = ${ERASED_PERSON}`,
    `DELETE FROM whoop_connection WHERE person_key = ${ERASED_PERSON}`,
  ])
}
