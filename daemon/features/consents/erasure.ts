/** Erases every grant about a person, and those that the person's own account holds. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function consentsErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'consents', [
    `DELETE FROM consent WHERE person_key = ${ERASED_PERSON}
      OR user_key IN (SELECT key FROM user WHERE role = 'member' AND person_key = ${ERASED_PERSON})`,
  ])
}
