/** Erases alerts about a person with everybody who was told, and what the person was told about others. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function alertsErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'alerts', [
    `DELETE FROM delivery WHERE recipient = 'person:' || :personId
      OR alert_seq IN (SELECT seq FROM alert WHERE person_key = ${ERASED_PERSON})`,
    `DELETE FROM alert_snooze WHERE recipient = 'person:' || :personId OR person_key = ${ERASED_PERSON}`,
    `DELETE FROM alert WHERE person_key = ${ERASED_PERSON}`,
  ])
}
