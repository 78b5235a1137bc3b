/** Keys that the hub makes once and nobody else ever sees: one file each, readable by its own user only. */
import { randomBytes } from 'node:crypto'
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
