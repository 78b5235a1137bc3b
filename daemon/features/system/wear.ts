import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** How worn the storage says it is. */
export interface CardHealth {
  /** Share of its rated life that is used, upper end of the tenth it tells, 0–1; null with a reason when it does not tell. */
  usedShare: number | null
  reason: string | null
}

/**
 * Reads what eMMC tells of itself (JEDEC eMMC 5.1, DEVICE_LIFE_TIME_EST: 0x01 is 0–10 %, 0x0A 90–100 %, 0x0B beyond). SD cards have no such
 * register, and disks need a program with more rights. `root` is the system's list of block devices.
 */
export function cardHealth(root = '/sys/block'): CardHealth {
  const silent = (reason: string): CardHealth => ({ usedShare: null, reason })
  let names: string[]
  try {
    names = readdirSync(root).filter((name) => /^mmcblk\d+$/.test(name))
  } catch {
    return silent('this system does not list its storage')
  }
  if (names.length === 0) return silent('no eMMC or SD card; ask a disk with smartctl')
  for (const name of names) {
    const [first = 0, second = 0] = lifeTime(join(root, name, 'device/life_time'))
    const worst = Math.max(first, second)
    if (worst >= 1 && worst <= 0x0b) return { usedShare: Math.min(worst, 10) / 10, reason: null }
  }
  return silent('the card keeps no count of its wear, as SD cards do not')
}

function lifeTime(path: string): number[] {
  try {
    return readFileSync(path, 'utf8').trim().split(/\s+/).map(Number)
  } catch {
    return []
  }
}

/** What a cheap card of three bits a cell bears, and what its own housekeeping multiplies small writes by. Makers seldom say; this is meant to be too low. */
const WHOLE_WRITES = 500
const AMPLIFICATION = 4

/** How many years a card of this size lasts at so many bytes a day, by a cautious guess; null when the bytes are not known. */
export function yearsOfCard(cardBytes: number, bytesADay: number | null): number | null {
  if (bytesADay === null || bytesADay <= 0) return null
  const years = (cardBytes * WHOLE_WRITES) / (bytesADay * AMPLIFICATION) / 365
  return Math.min(100, Math.round(years * 10) / 10)
}

/** Room left on the disk at an instant. */
export interface RoomThen {
  atMs: number
  freeBytes: number
}

const DAY_MS = 86_400_000

/** Days until the disk is full if room goes as it went since `then`; null before a day has passed, or when it does not get less. */
export function daysLeft(then: RoomThen | undefined, now: RoomThen): number | null {
  if (then === undefined || now.atMs - then.atMs < DAY_MS) return null
  const aDay = ((then.freeBytes - now.freeBytes) * DAY_MS) / (now.atMs - then.atMs)
  return aDay <= 0 ? null : Math.floor(now.freeBytes / aDay)
}
