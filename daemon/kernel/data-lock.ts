import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { HubError } from './errors.ts'

export interface DataLock {
  release(): void
}

/**
 * Makes this process the only hub on a data directory. The lock is one the operating system holds (through SQLite's own file
 * lock), so a killed hub leaves none behind. Throws CONFLICT naming the holder.
 */
export function lockDataDirectory(dir: string, holder: { pid: number; startedAt: string }): DataLock {
  const lock = new Database(join(dir, 'hub.lock'), { timeout: 0 })
  try {
    lock.pragma('journal_mode = DELETE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    if (!isBusy(cause)) {
      throw new HubError(
        'INTERNAL',
        `${join(dir, 'hub.lock')} is damaged. It holds nothing: remove it and start again.`,
        { cause },
      )
    }
    throw new HubError(
      'CONFLICT',
      `Another hub already runs on ${dir}${holderOf(dir)}. Stop it first, or use another HOMEFIELD_DATA.`,
      {
        cause,
      },
    )
  }
  writeFileSync(join(dir, 'hub.holder'), JSON.stringify(holder), { mode: 0o600 })
  return { release: () => void lock.close() }
}

function isBusy(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && String(cause.code).startsWith('SQLITE_BUSY')
}

function holderOf(dir: string): string {
  try {
    const held: unknown = JSON.parse(readFileSync(join(dir, 'hub.holder'), 'utf8'))
    const { pid, startedAt } = Object.assign({ pid: '?', startedAt: '?' }, held)
    return ` (process ${pid}, since ${startedAt})`
  } catch {
    return ''
  }
}
