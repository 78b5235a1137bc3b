/** Writes one backup: database copy, keys, certificates and media, packed and encrypted straight to its file. */
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import Database from 'better-sqlite3'
import { PRIVATE_FILE } from '../../kernel/atomic-file.ts'
import { makeDurable } from '../snapshot-files.ts'
import { AUDIT_NOTE, DATABASE, findFiles, fromDisk, hashing, MANIFEST } from './contents.ts'
import { type SealFor, sealed } from './seal.ts'
import { packTar, type TarFile } from './tar.ts'

export interface BackupOrder {
  dataDir: string
  /** A sound copy of the database that nobody writes to. */
  snapshot: string
  /** Where it ends up. */
  to: string
  seal: SealFor
  media: boolean
  /** The audit log's note as it was before the snapshot; null when there is none. */
  note: Uint8Array | null
  hubId: string
  version: string
  nowMs: number
  signal?: AbortSignal
}

export interface WrittenBackup {
  bytes: number
  sha256: string
  files: number
}

/** Resolves when the file is on disk under its name; a failure leaves nothing behind. */
export async function writeBackup(order: BackupOrder): Promise<WrittenBackup> {
  const { dataDir, snapshot, to, seal, media, note, nowMs } = order
  const partial = `${to}.partial`
  const found = await findFiles(dataDir, media)
  const { size } = await stat(snapshot)
  const database = { path: DATABASE, file: snapshot, bytes: size }
  const manifest = Buffer.from(
    JSON.stringify(
      {
        ...{ format: 'homefield-backup-1', hub_id: order.hubId, version: order.version },
        ...{ made_at: new Date(nowMs).toISOString(), schema: schemaOf(snapshot) },
        ...{ files: found.length + (note ? 2 : 1), media },
      },
      null,
      1,
    ),
  )
  async function* files(): AsyncGenerator<TarFile> {
    yield { path: MANIFEST, bytes: manifest.length, content: [manifest] }
    if (note) yield { path: AUDIT_NOTE, bytes: note.length, content: [note] }
    for (const one of [database, ...found]) yield fromDisk(one)
  }
  const hash = hashing()
  try {
    const stream = await sealed(packTar(files(), nowMs), seal)
    await pipeline(
      stream,
      hash.through,
      createWriteStream(partial, { mode: PRIVATE_FILE, flags: 'w' }),
      order.signal ? { signal: order.signal } : {},
    )
    makeDurable(partial)
    await rename(partial, to)
    makeDurable(dirname(to))
  } catch (cause) {
    await rm(partial, { force: true })
    throw cause
  }
  return { ...hash.result(), files: found.length + (note ? 2 : 1) }
}

function schemaOf(path: string): number {
  const db = new Database(path, { readonly: true, fileMustExist: true })
  try {
    return Number(db.pragma('user_version', { simple: true }))
  } finally {
    db.close()
  }
}
