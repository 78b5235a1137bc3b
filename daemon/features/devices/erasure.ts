/** Erases who wore what, and the names of devices that nobody else ever wore. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

/** People call a watch by its wearer: without its wearer it is called by its id. */
const NAMES = `UPDATE device SET name = id WHERE key IN (
    SELECT device_key FROM wearer GROUP BY device_key
    HAVING min(person_key) = ${ERASED_PERSON} AND max(person_key) = ${ERASED_PERSON})`

export function devicesErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'devices', [
    NAMES,
    `DELETE FROM wearer WHERE person_key = ${ERASED_PERSON}`,
    `DELETE FROM served_person WHERE person_key = ${ERASED_PERSON}`,
  ])
}
