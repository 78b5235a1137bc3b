/** Erases that a camera films a person. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function camerasErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'cameras', [`DELETE FROM camera_person WHERE person_key = ${ERASED_PERSON}`])
}
