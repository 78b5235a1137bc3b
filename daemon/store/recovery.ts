import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Condition, conditionOf } from './damage.ts'
import { listSnapshots, makeDurable } from './snapshot-files.ts'

/** A database that came back from a snapshot. */
export interface Recovery {
  atMs: number
  reason: string
  snapshotAtMs: number
  /** Where the damaged file lies; null when there was none. */
  damagedPath: string | null
}

export interface RecoveryPlace {
  database: string
  /** Folder of the snapshots. */
  snapshots: string
  /** Where damaged files are put. */
  damaged: string
}

/** Beside the database while it is open: found at a start, the last run ended without closing it. */
const OPEN_MARK = '.open'
const DAMAGED_KEPT = 2
const PRIVATE_FOLDER = 0o700
const PRIVATE_FILE = 0o600

/**
 * Before anything opens the database: after an unclean end every page is checked, and a damaged or lost database is replaced by the newest
 * sound snapshot; the damaged one is kept aside. Answers null when nothing was wrong. Throws, leaving everything as it is, when it
 * is damaged and no snapshot is sound. Nothing else may have the database open.
 */
export function recoverDatabase(place: RecoveryPlace, nowMs: number): Recovery | null {
  const thorough = existsSync(place.database + OPEN_MARK)
  const condition = conditionOf(place.database, { thorough })
  if (condition.kind === 'sound') return null
  const sound = listSnapshots(place.snapshots).find(
    ({ path }) => conditionOf(path, { thorough: true }).kind === 'sound',
  )
  if (sound === undefined) {
    if (condition.kind === 'absent') return null
    throw new Error(
      `${place.database} is damaged (${condition.reason}) and there is no sound snapshot: restore a backup, or move the data directory away to begin anew`,
    )
  }
  const damagedPath = putAside(place, condition, nowMs)
  putInPlace(sound.path, place.database)
  const reason = condition.kind === 'damaged' ? condition.reason : 'the file was gone'
  return { atMs: nowMs, reason, snapshotAtMs: sound.takenAtMs, damagedPath }
}

/** Says that the database is open from now on. */
export function markOpen(database: string): void {
  writeFileSync(database + OPEN_MARK, '', { mode: PRIVATE_FILE })
}

/** Says that it was closed as it should be. */
export function markClosed(database: string): void {
  rmSync(database + OPEN_MARK, { force: true })
}

/** A log that belongs to another file would be played into the restored one, so it goes aside as well. */
function putAside({ database, damaged }: RecoveryPlace, condition: Condition, nowMs: number): string | null {
  const folder = join(damaged, String(nowMs))
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER })
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(database + suffix))
      renameSync(database + suffix, join(folder, basename(database) + suffix))
  }
  const kept = readdirSync(damaged).sort().reverse()
  for (const old of kept.slice(DAMAGED_KEPT)) rmSync(join(damaged, old), { recursive: true, force: true })
  return condition.kind === 'damaged' ? join(folder, basename(database)) : null
}

function putInPlace(snapshot: string, database: string): void {
  const partial = `${database}.restoring`
  rmSync(partial, { force: true })
  copyFileSync(snapshot, partial)
  makeDurable(partial)
  renameSync(partial, database)
  makeDurable(dirname(database))
}
