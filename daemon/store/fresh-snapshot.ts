import { HubError } from '../kernel/errors.ts'
import { listSnapshots, type Snapshot } from './snapshot-files.ts'
import type { Snapshots } from './snapshots.ts'

/**
 * A snapshot that was begun after this call: one that was under way already may lack what was just written, or hold what was
 * just erased. Throws DISK_FULL with the reason when there is none.
 */
export async function takeFresh(
  snapshots: Pick<Snapshots, 'take'>,
  folder: string,
  now: () => number,
): Promise<Snapshot> {
  const fromMs = now()
  for (let tries = 0; tries < 2; tries += 1) {
    const { problem } = await snapshots.take()
    if (problem !== null) throw new HubError('DISK_FULL', `The database could not be copied: ${problem}.`)
    const [newest] = listSnapshots(folder)
    if (newest && newest.takenAtMs >= fromMs) return newest
  }
  throw new HubError('DISK_FULL', 'The database could not be copied: no new copy is there.')
}
