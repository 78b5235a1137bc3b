/** Erases which files were brought in for a person, and those that still lie there. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Erasure } from '../../domain/erasure.ts'
import { ERASED_PERSON, eraseRows } from '../../store/erasing.ts'
import type { Store } from '../../store/store.ts'

const FILES = `SELECT id FROM import WHERE person_key = ${ERASED_PERSON} ORDER BY id`

export function importsErasure({
  store,
  folder,
}: {
  store: Pick<Store, 'all' | 'write'>
  folder: string
}): Erasure {
  return {
    name: 'imports',
    async erase(personId) {
      const files = store.all<{ id: string }>(FILES, { personId })
      for (const { id } of files)
        for (const path of [join(folder, id), join(folder, `${id}.unpacked`)])
          await rm(path, { recursive: true, force: true })
      const { rows } = await eraseRows(store, personId, [
        `DELETE FROM import_skip WHERE import_id IN (SELECT id FROM import WHERE person_key = ${ERASED_PERSON})`,
        `DELETE FROM import WHERE person_key = ${ERASED_PERSON}`,
      ])
      return { rows, files: files.length }
    },
  }
}
