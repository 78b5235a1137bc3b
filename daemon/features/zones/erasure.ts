/** Takes a person out of every community zone. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function zonesErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'zones', [
    `DELETE FROM community_member WHERE person_key = ${ERASED_PERSON}`,
    `DELETE FROM community_counted WHERE person_key = ${ERASED_PERSON}`,
  ])
}
