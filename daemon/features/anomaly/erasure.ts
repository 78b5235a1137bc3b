/** Forgets what is usual for a person. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function anomalyErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'anomaly', [`DELETE FROM vital_watch WHERE person_key = ${ERASED_PERSON}`])
}
