import { readFileSync } from 'node:fs'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Store } from './store.ts'

/** What the hub wrote to its storage in one UTC day. */
export interface WrittenDay {
  dayMs: number
  bytes: number
  /** Part of the day that was counted, 0–1: the hub was off or had not begun for the rest. */
  share: number
  /** Room left on the disk when it was last counted; null where the disk does not say, absent in what older versions wrote. */
  freeBytes?: number | null
  countedAtMs?: number
}

/** Counts what the hub writes, over restarts: flash wears by it. */
export interface WriteLog {
  /** Oldest first, at most thirty. */
  days(): readonly WrittenDay[]
  /** A whole day as the counted ones suggest; null before an hour was counted, or where the kernel does not count. */
  bytesADay(): number | null
  stop(): void
}

export interface WriteLogDeps {
  store: Pick<Store, 'get' | 'write'>
  clock: Pick<Clock, 'now' | 'every'>
  log: Log
  /** What the program gave to its storage since it started; null where the kernel does not count. */
  bytes?: () => number | null
  /** Room left on the disk now. */
  freeBytes?: () => number | null
}

const DAY_MS = 86_400_000
const COUNT_EVERY_MS = 3_600_000
const DAYS_KEPT = 30
const READ = `SELECT value FROM meta WHERE name = 'written_days'`
const WRITE = `INSERT INTO meta (name, value) VALUES ('written_days', :value) ON CONFLICT (name) DO UPDATE SET value = :value`

export function createWriteLog(deps: WriteLogDeps): WriteLog {
  const { store, clock, log, bytes = givenToStorage, freeBytes = () => null } = deps
  let counted = bytes()
  let countedMs = clock.now()

  function days(): WrittenDay[] {
    const value = store.get<{ value: string }>(READ)?.value
    // Written by this very part.
    return value === undefined ? [] : (JSON.parse(value) as WrittenDay[])
  }

  async function count(): Promise<void> {
    const [seen, nowMs] = [bytes(), clock.now()]
    const elapsedMs = nowMs - countedMs
    const added = seen === null || counted === null ? null : seen - counted
    counted = seen
    countedMs = nowMs
    // A clock that was set says nothing about how long this took.
    if (added === null || elapsedMs <= 0 || elapsedMs > 2 * COUNT_EVERY_MS) return
    const dayMs = Math.floor(nowMs / DAY_MS) * DAY_MS
    const known = days()
    const today = known.find((day) => day.dayMs === dayMs) ?? { dayMs, bytes: 0, share: 0 }
    const others = known.filter((day) => day !== today && day.dayMs < dayMs)
    const share = Math.min(1, today.share + elapsedMs / DAY_MS)
    const now: WrittenDay = {
      ...{ dayMs, bytes: today.bytes + added, share },
      ...{ freeBytes: freeBytes(), countedAtMs: nowMs },
    }
    const kept = [...others, now].slice(-DAYS_KEPT)
    await store.write([{ sql: WRITE, params: { value: JSON.stringify(kept) } }])
  }

  const stop = clock.every(COUNT_EVERY_MS, () => {
    count().catch((cause: unknown) =>
      log.warn({ reason: messageOf(cause) }, 'what was written is not counted'),
    )
  })

  return {
    days,
    bytesADay() {
      const known = days()
      const share = known.reduce((sum, day) => sum + day.share, 0)
      const sum = known.reduce((total, day) => total + day.bytes, 0)
      return share < COUNT_EVERY_MS / DAY_MS / 2 ? null : Math.round(sum / share)
    },
    stop,
  }
}

/** What the whole process caused to be written to storage, as the kernel counts it. */
function givenToStorage(): number | null {
  try {
    const found = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]
    return found === undefined ? null : Number(found)
  } catch {
    return null
  }
}
