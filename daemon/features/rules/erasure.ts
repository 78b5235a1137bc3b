/** Erases the rules for a person's values, earlier versions included. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function rulesErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'rules', [
    `DELETE FROM rule_version WHERE rule_id IN (SELECT id FROM rule WHERE person_key = ${ERASED_PERSON})`,
    `DELETE FROM rule WHERE person_key = ${ERASED_PERSON}`,
  ])
}
