/** Where photos of meals are kept: a row in the database, the pictures as files of the hub's own user. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensurePrivateFolder, writeFileAtomic } from '../../kernel/atomic-file.ts'
import { isMissing } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import type { Redrawn } from './redraw.ts'

export type PhotoSize = 'full' | 'thumb'

export interface StoredPhoto {
  mealId: string
  /** Random; files and ETags are named by it, so a photo that replaces another has a name of its own. */
  file: string
  width: number
  height: number
  fullBytes: number
  thumbBytes: number
  createdAtMs: number
}

export interface Shelf {
  find(mealId: string): StoredPhoto | null
  /** Replaces what the meal had. Leaves nothing behind when it rejects. */
  put(mealId: string, photo: Redrawn): Promise<StoredPhoto>
  /** Null when the file is gone meanwhile. */
  read(photo: StoredPhoto, size: PhotoSize): Promise<Buffer | null>
  /** Once more is nothing. */
  remove(mealId: string): Promise<void>
  /** Takes away photos of meals and persons that are gone. */
  removeGone(): Promise<void>
  /** Takes away files that no row names: a hub that was cut off left them. */
  sweep(): Promise<void>
}

export interface ShelfDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  folder: string
  now: () => number
}

const SELECT = `SELECT record_id AS mealId, file, width, height, full_bytes AS fullBytes, thumb_bytes AS thumbBytes,
    created_at AS createdAtMs FROM meal_photo`
const PUT = `INSERT INTO meal_photo (record_id, file, width, height, full_bytes, thumb_bytes, created_at)
  VALUES (:mealId, :file, :width, :height, :fullBytes, :thumbBytes, :createdAtMs)
  ON CONFLICT (record_id) DO UPDATE SET file = :file, width = :width, height = :height, full_bytes = :fullBytes,
    thumb_bytes = :thumbBytes, created_at = :createdAtMs`
const GONE = `${SELECT} WHERE NOT EXISTS (SELECT 1 FROM record r JOIN person p ON p.key = r.person_key
    WHERE r.id = meal_photo.record_id AND r.deleted_at IS NULL AND p.deleted_at IS NULL)
  ORDER BY record_id`
const SIZES: readonly PhotoSize[] = ['full', 'thumb']

export function createShelf({ store, folder, now }: ShelfDeps): Shelf {
  const arriving = new Set<string>()
  let replacing = Promise.resolve()
  const pathOf = (file: string, size: PhotoSize) => join(folder, `${file}.${size}.jpg`)
  const find = (mealId: string) =>
    store.get<StoredPhoto>(`${SELECT} WHERE record_id = :mealId`, { mealId }) ?? null
  const dropFiles = async (file: string) => {
    for (const size of SIZES) await rm(pathOf(file, size), { force: true })
  }

  async function replace(photo: StoredPhoto): Promise<void> {
    const before = find(photo.mealId)
    await store.write([{ sql: PUT, params: { ...photo }, expect: 1 }])
    if (before) await dropFiles(before.file)
  }

  async function remove(mealId: string): Promise<void> {
    const photo = find(mealId)
    if (!photo) return
    await store.write([
      {
        sql: 'DELETE FROM meal_photo WHERE record_id = :mealId AND file = :file',
        params: { mealId, file: photo.file },
      },
    ])
    await dropFiles(photo.file)
  }

  return {
    find,
    remove,
    async put(mealId, { width, height, full, thumb }) {
      const file = randomBytes(16).toString('hex')
      const size = { width, height, fullBytes: full.length, thumbBytes: thumb.length }
      const photo = { mealId, file, ...size, createdAtMs: now() }
      arriving.add(file)
      try {
        await ensurePrivateFolder(folder)
        await writeFileAtomic(pathOf(file, 'full'), full)
        await writeFileAtomic(pathOf(file, 'thumb'), thumb)
        // One at a time: of two photos sent at once, the later must see the earlier to take its files away.
        const turn = replacing.then(() => replace(photo))
        replacing = turn.catch(() => {})
        await turn
        return photo
      } catch (cause) {
        await dropFiles(file)
        throw cause
      } finally {
        arriving.delete(file)
      }
    },
    read: ({ file }, size) => readFile(pathOf(file, size)).catch(nullIfMissing),
    async removeGone() {
      for (const { mealId } of store.all<StoredPhoto>(GONE)) await remove(mealId)
    },
    async sweep() {
      const names = (await readdir(folder).catch(nullIfMissing)) ?? []
      for (const name of names) {
        const file = name.split('.')[0] ?? ''
        const named = arriving.has(file) || store.get('SELECT 1 FROM meal_photo WHERE file = :file', { file })
        // A file half written has a name of its own kind, and may be one that is just arriving.
        if (!named && (file !== '' || arriving.size === 0)) await rm(join(folder, name), { force: true })
      }
    },
  }
}

function nullIfMissing(cause: unknown): null {
  if (isMissing(cause)) return null
  throw cause
}
