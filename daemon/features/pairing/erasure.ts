/** Erases invitations for a person, and what came of them. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function pairingErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'pairing', [
    `DELETE FROM pairing_request WHERE offer_id IN (SELECT id FROM pairing_offer WHERE person_key = ${ERASED_PERSON})`,
    `DELETE FROM pairing_offer WHERE person_key = ${ERASED_PERSON}`,
  ])
}
