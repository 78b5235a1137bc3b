/** Erases what happened to a person, with its timeline. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

/** Alerts have to go before. */
export function episodesErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'episodes', [
    `DELETE FROM episode_row WHERE episode_id IN (SELECT id FROM episode WHERE person_key = ${ERASED_PERSON})`,
    `DELETE FROM episode WHERE person_key = ${ERASED_PERSON}`,
  ])
}
