/** Erases what a person did in sessions: numbers, ratings, paths, tags, and the videos and files of every session they were in. */
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, eraseRows } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'
import type { Files } from './files.ts'

/** Nobody is cut out of a picture that shows others as well: the whole file goes. */
const WITH_FILES = `SELECT session_key AS sessionKey FROM session_player WHERE person_key = ${ERASED_PERSON}
  UNION SELECT session_key FROM session_track WHERE person_key = ${ERASED_PERSON} ORDER BY 1`
const ALONE = `DELETE FROM session WHERE key IN (SELECT session_key FROM session_player GROUP BY session_key
  HAVING min(person_key) = ${ERASED_PERSON} AND max(person_key) = ${ERASED_PERSON})`
const PATHS = `DELETE FROM session_path WHERE id IN (SELECT p.id
  FROM session_track t JOIN session_path p ON p.session_key = t.session_key AND p.camera = t.camera AND p.track = t.track
  WHERE t.person_key = ${ERASED_PERSON})`
/** What a client sent for the whole session, where it speaks of them. */
const TOLD = `UPDATE session SET kpis = NULL, metadata = '{}' WHERE key IN (
    SELECT session_key FROM session_player WHERE person_key = ${ERASED_PERSON})
  AND (instr(coalesce(kpis, ''), :personId) > 0 OR instr(metadata, :personId) > 0)`

export function sessionsErasure({
  store,
  files,
}: {
  store: Pick<Store, 'all' | 'write'>
  files: Pick<Files, 'list' | 'removeAll'>
}): Erasure {
  return {
    name: 'sessions',
    async erase(personId) {
      let removed = 0
      for (const { sessionKey } of store.all<{ sessionKey: number }>(WITH_FILES, { personId })) {
        removed += files.list(sessionKey).length
        await files.removeAll(sessionKey)
      }
      const { rows } = await eraseRows(store, personId, [
        ALONE,
        PATHS,
        TOLD,
        `DELETE FROM session_track WHERE person_key = ${ERASED_PERSON}`,
        `DELETE FROM session_tag WHERE person_key = ${ERASED_PERSON}`,
        `DELETE FROM session_player WHERE person_key = ${ERASED_PERSON}`,
      ])
      return { rows: rows + removed, files: removed }
    },
  }
}
