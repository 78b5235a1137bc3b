/** What of a data directory belongs into a backup: everything that another box needs to be this one. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { isMissing } from '../../kernel/errors.ts'
import type { TarFile } from './tar.ts'

export const MANIFEST = 'manifest.json'
export const DATABASE = 'homefield.db'
/** Folders that go along whole: keys and certificates, then media. */
export const KEPT_FOLDERS = ['secrets', 'tls', 'meal-photos', 'sessions'] as const
/** The end of the audit log as noted beside the database. */
export const AUDIT_NOTE = 'audit.head'
export const KEPT_FILES = [AUDIT_NOTE] as const

/** The first file of a backup. */
export const Manifest = Type.Object(
  {
    format: Type.Literal('homefield-backup-1'),
    hub_id: Type.String(),
    version: Type.String(),
    made_at: Type.String(),
    schema: Type.Integer(),
    files: Type.Integer(),
    media: Type.Boolean(),
  },
  { additionalProperties: true },
)
export const isManifest = Compile(Manifest)

interface Found {
  path: string
  file: string
  bytes: number
}

const MEDIA: ReadonlySet<string> = new Set(['meal-photos', 'sessions'])

/** Files of the data directory as they are now; one that goes in between is left out. */
export async function findFiles(dataDir: string, media: boolean): Promise<Found[]> {
  const found: Found[] = []
  for (const folder of KEPT_FOLDERS) {
    if (!media && MEDIA.has(folder)) continue
    const names = await readdir(join(dataDir, folder), { recursive: true, withFileTypes: true }).catch(none)
    for (const entry of names) {
      if (!entry.isFile() || entry.name.endsWith('.tmp') || entry.name.endsWith('.partial')) continue
      const file = join(entry.parentPath, entry.name)
      found.push({ path: file.slice(dataDir.length + 1).replaceAll('\\', '/'), file, bytes: 0 })
    }
  }
  const sized = await Promise.all(
    found.map(async (one) => ({ ...one, bytes: (await stat(one.file).catch(() => null))?.size ?? -1 })),
  )
  return sized.filter(({ bytes }) => bytes >= 0).sort((a, b) => (a.path < b.path ? -1 : 1))
}

function none(cause: unknown): [] {
  if (isMissing(cause)) return []
  throw cause
}

/** A file on disk as an entry of the archive. */
export function fromDisk({ path, file, bytes }: Found): TarFile {
  const content = bytes === 0 ? [] : createReadStream(file, { end: bytes - 1 })
  return { path, bytes, content }
}

/** SHA-256 of what passes through. */
export function hashing() {
  const hash = createHash('sha256')
  let bytes = 0
  return {
    async *through(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces) {
        hash.update(piece)
        bytes += piece.length
        yield piece
      }
    },
    result: () => ({ sha256: hash.digest('hex'), bytes }),
  }
}
