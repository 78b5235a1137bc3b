/** Erases a person's places in families, care circles and teams. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function groupsErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'groups', [`DELETE FROM group_member WHERE person_key = ${ERASED_PERSON}`])
}
