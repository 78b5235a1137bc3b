/** Which backups there are, and with which key they are made. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store, Write } from '../../store/store.ts'

export interface KeptBackup {
  id: string
  atMs: number
  file: string
  bytes: number
  sha256: string
  sealedFor: 'key' | 'passphrase'
  media: number
  goneAtMs: number | null
  erasedSince: number
}

export interface BackupKey {
  recipient: string
  madeAtMs: number
}

export interface Shelf {
  folder: string
  /** Newest first, those that are gone too. */
  list(): KeptBackup[]
  find(id: string): KeptBackup | undefined
  add(backup: Omit<KeptBackup, 'goneAtMs' | 'erasedSince'>): Promise<void>
  /** Removes the oldest files beyond `keep`; their lines stay. */
  prune(keep: number, nowMs: number): Promise<void>
  key(): BackupKey | null
  setKey(key: BackupKey): Promise<void>
}

const COLUMNS = `id, at AS atMs, file, bytes, sha256, sealed_for AS sealedFor, media, gone_at AS goneAtMs,
  erased_since AS erasedSince`
const LISTED = 100
const KEY = 'backup_key'

export function createShelf(store: Pick<Store, 'all' | 'get' | 'write'>, folder: string): Shelf {
  const list = () =>
    store.all<KeptBackup>(`SELECT ${COLUMNS} FROM backup ORDER BY at DESC, id DESC LIMIT ${LISTED}`)
  return {
    folder,
    list,
    find: (id) => store.get<KeptBackup>(`SELECT ${COLUMNS} FROM backup WHERE id = :id`, { id }),
    async add(backup) {
      await store.write([
        {
          sql: `INSERT INTO backup (id, at, file, bytes, sha256, sealed_for, media)
            VALUES (:id, :atMs, :file, :bytes, :sha256, :sealedFor, :media)`,
          params: { ...backup },
          expect: 1,
        },
      ])
    },
    async prune(keep, nowMs) {
      const writes: Write[] = []
      for (const { id, file } of list()
        .filter(({ goneAtMs }) => goneAtMs === null)
        .slice(keep)) {
        await rm(join(folder, file), { force: true })
        writes.push({ sql: 'UPDATE backup SET gone_at = :nowMs WHERE id = :id', params: { id, nowMs } })
      }
      if (writes.length > 0) await store.write(writes)
    },
    key() {
      const value = store.get<{ value: string }>('SELECT value FROM meta WHERE name = :name', {
        name: KEY,
      })?.value
      if (value === undefined) return null
      const [recipient = '', madeAt = '0'] = value.split(' ')
      return { recipient, madeAtMs: Number(madeAt) }
    },
    async setKey({ recipient, madeAtMs }) {
      await store.write([
        {
          sql: 'INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value',
          params: { name: KEY, value: `${recipient} ${madeAtMs}` },
        },
      ])
    },
  }
}
