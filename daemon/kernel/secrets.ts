/** Keys that the hub makes once and nobody else ever sees: one file each, readable by its own user only. */
import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensurePrivateFolder, writeFileAtomic } from './atomic-file.ts'
import { isMissing } from './errors.ts'

export const SECRET_BYTES = 32

/**
 * The secret `name` in `folder`, made on first use. A file of the wrong size is an error, not a reason to make a new one:
 * a silent new key would sign everybody out and hide the damage.
 */
export async function ensureSecret(folder: string, name: string): Promise<Buffer> {
  await ensurePrivateFolder(folder)
  const path = join(folder, name)
  const kept = await readFile(path).catch((cause: unknown) => {
    if (isMissing(cause)) return null
    throw cause
  })
  if (kept) {
    if (kept.length !== SECRET_BYTES) {
      throw new Error(`${path} is damaged: restore it from a backup, or remove it to sign everybody out`)
    }
    return kept
  }
  const made = randomBytes(SECRET_BYTES)
  await writeFileAtomic(path, made)
  return made
}

/** A key of its own for each purpose, so that one leaking use says nothing about another. */
export function deriveKey(secret: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), purpose, SECRET_BYTES))
}

/** HMAC-SHA-256: what is stored of a short code, which a plain hash would not hide. */
export function keyedHash(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** SHA-256: what is stored of a long random token. */
export function tokenHash(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** Whether two secrets are equal, in a time that does not tell where they differ. */
export function sameSecret(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
