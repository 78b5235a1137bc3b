/** Erases what looping apps and diaries told about a person's treatment. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

export function nightscoutErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'nightscout', [
    `DELETE FROM treatment_revision WHERE person_key = ${ERASED_PERSON}`,
    `DELETE FROM treatment WHERE person_key = ${ERASED_PERSON}`,
    `DELETE FROM uploader_document WHERE person_key = ${ERASED_PERSON}`,
  ])
}
