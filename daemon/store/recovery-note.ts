import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../kernel/atomic-file.ts'
import type { Recovery } from './recovery.ts'
import type { Salvage } from './salvage.ts'

/** What is told about a database that came back: kept beside it until somebody has read it. */
export interface ToldRecovery extends Recovery {
  /** What the damaged file still gave; null while it is being read, or when there was no such file. */
  salvage: Salvage | null
}

export interface RecoveryNote {
  read(): ToldRecovery | null
  salvaged(salvage: Salvage): Promise<void>
  /** Somebody has read it: nothing more is shown. */
  dismiss(): Promise<void>
}

/** Opens the note in the data directory; `fresh` replaces an older one. */
export async function createRecoveryNote(dataDir: string, fresh: Recovery | null): Promise<RecoveryNote> {
  const path = join(dataDir, 'recovered.json')
  let told: ToldRecovery | null = fresh ? { ...fresh, salvage: null } : await written()
  if (fresh) await save()
  return {
    read: () => told,
    async salvaged(salvage) {
      if (told === null) return
      told = { ...told, salvage }
      await save()
    },
    async dismiss() {
      told = null
      await rm(path, { force: true })
    },
  }

  async function save(): Promise<void> {
    await writeFileAtomic(path, JSON.stringify(told))
  }

  async function written(): Promise<ToldRecovery | null> {
    try {
      // Written by an earlier start of this program, in a folder that is ours alone.
      return JSON.parse(await readFile(path, 'utf8')) as ToldRecovery
    } catch {
      return null
    }
  }
}
