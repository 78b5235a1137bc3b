/** Erases the account of a member who is that person; accounts of grown-ups who look after others only lose the link. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

const OWN = `(SELECT key FROM user WHERE role = 'member' AND person_key = ${ERASED_PERSON})`

/** Grants that the account holds have to go before. */
export function accountsErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'accounts', [
    `DELETE FROM refresh_token WHERE sign_in_id IN (SELECT id FROM sign_in WHERE user_key IN ${OWN})`,
    `DELETE FROM sign_in WHERE user_key IN ${OWN}`,
    `DELETE FROM user WHERE key IN ${OWN}`,
    `UPDATE user SET person_key = NULL WHERE person_key = ${ERASED_PERSON}`,
  ])
}
