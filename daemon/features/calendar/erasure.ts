/** Erases what is planned for a person alone, and the addresses that show it. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

/** Asks whose account it is: has to go before the accounts. */
export function calendarErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'calendar', [
    `DELETE FROM calendar_feed WHERE person_key = ${ERASED_PERSON}
      OR user_id IN (SELECT id FROM user WHERE role = 'member' AND person_key = ${ERASED_PERSON})`,
    `DELETE FROM calendar_event WHERE person_key = ${ERASED_PERSON}`,
  ])
}
