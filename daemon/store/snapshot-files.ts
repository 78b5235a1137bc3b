/** Snapshots of the database: whole copies in a folder beside it, named by when they were taken. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

export interface Snapshot {
  path: string
  takenAtMs: number
  bytes: number
}

const NAME = /^homefield-(\d{13})\.db$/
const PRIVATE_FOLDER = 0o700

/** Newest first. An unfinished one has another name and is not among them. */
export function listSnapshots(folder: string): Snapshot[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return []
  }
  return names
    .flatMap((name) => {
      const taken = NAME.exec(name)?.[1]
      const path = join(folder, name)
      return taken === undefined ? [] : [{ path, takenAtMs: Number(taken), bytes: statSync(path).size }]
    })
    .sort((a, b) => b.takenAtMs - a.takenAtMs)
}

/**
 * Copies what is committed right now (`VACUUM INTO`, which unlike the backup call ends while others write), checks the copy, and makes it
 * durable before it gets its name. Blocks: call it on a thread of its own. Throws when the copy is not sound.
 */
export function takeSnapshot(database: string, folder: string, atMs: number): Snapshot {
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER })
  for (const name of readdirSync(folder)) if (name.endsWith('.partial')) rmSync(join(folder, name))
  const path = join(folder, `homefield-${String(atMs).padStart(13, '0')}.db`)
  const partial = `${path}.partial`
  try {
    const source = new Database(database, { readonly: true, fileMustExist: true })
    try {
      source.prepare('VACUUM INTO :partial').run({ partial })
    } finally {
      source.close()
    }
    requireSound(partial)
    makeDurable(partial)
    renameSync(partial, path)
    makeDurable(folder)
  } catch (cause) {
    rmSync(partial, { force: true })
    throw cause
  }
  return { path, takenAtMs: atMs, bytes: statSync(path).size }
}

function requireSound(path: string): void {
  const copy = new Database(path, { readonly: true })
  try {
    const found = String(copy.pragma('quick_check(1)', { simple: true }))
    if (found !== 'ok') throw new Error(`the copy is not sound: ${found}`)
  } finally {
    copy.close()
  }
}

/** Writes a file's bytes, or a folder's names, through to the disk. */
export function makeDurable(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/**
 * Which snapshots go: kept are the newest three, and the newest of each of the last `days` days, because damage may be
 * noticed late.
 */
export function snapshotsToDrop(snapshots: readonly Snapshot[], days = 3, newest = 3): Snapshot[] {
  const byDay = new Set<number>()
  return snapshots.filter(({ takenAtMs }, index) => {
    const day = Math.floor(takenAtMs / DAY_MS)
    const firstOfDay = !byDay.has(day)
    byDay.add(day)
    return index >= newest && !(firstOfDay && byDay.size <= days)
  })
}

/**
 * How long to wait between two snapshots: an hour, and longer for a large database, so that a day's snapshots write at most
 * `dailyBytes` to the card.
 */
export function snapshotEveryMs(databaseBytes: number, dailyBytes: number): number {
  return Math.max(HOUR_MS, Math.ceil((databaseBytes / dailyBytes) * DAY_MS))
}
