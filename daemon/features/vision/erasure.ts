/** Erases what cameras saw of a person: the tracks that somebody said were theirs, and all of cameras that filmed nobody else. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, rowsErasure } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

/** Sessions that nobody else was in. */
const ALONE = `SELECT session_key FROM session_player GROUP BY session_key
  HAVING min(person_key) = ${ERASED_PERSON} AND max(person_key) = ${ERASED_PERSON}`

/** Asks sessions and cameras whose tracks are whose: has to go before them. */
export function visionErasure(store: Pick<Store, 'write'>): Erasure {
  return rowsErasure(store, 'vision', [
    `DELETE FROM track_chunk WHERE id IN (SELECT c.id
      FROM session_track t JOIN track_chunk c ON c.camera = t.camera AND c.kind = 0 AND c.track = t.track
      WHERE t.person_key = ${ERASED_PERSON} OR t.session_key IN (${ALONE}))`,
    `DELETE FROM track_chunk WHERE camera IN (
      SELECT camera.id FROM camera_person JOIN camera ON camera.key = camera_key GROUP BY camera.id
      HAVING min(person_key) = ${ERASED_PERSON} AND max(person_key) = ${ERASED_PERSON})`,
  ])
}
