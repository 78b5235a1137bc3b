import type { LocalClock } from '../local-clock.ts'

/** Resolves the wall times of a table in file order. */
export interface WallTimes {
  /** Instant of `YYYY-MM-DDTHH:MM[:SS]`; null when it is no time. */
  next(wallTime: string): number | null
}

/** By how much clocks are set back in autumn: an hour nearly everywhere, half an hour on Lord Howe Island. */
const SET_BACK_MS = [3_600_000, 1_800_000] as const

const DAY_MS = 86_400_000
const DAYS_KEPT = 8

interface Day {
  /** Its midnight on the wall, written as if it were UTC. */
  wallMs: number
  startMs: number
  /** 24 hours long, so that its clock and time run alike. */
  even: boolean
}

/**
 * The hour that comes twice in autumn looks the same both times; which one a row means follows from the rows around it,
 * because a table runs forwards or backwards in time and not both.
 */
export function createWallTimes(clock: LocalClock): WallTimes {
  const days = new Map<string, Day | null>()
  let last: { atMs: number; wallMs: number } | null = null
  let backwards = false

  const dayOf = (date: string): Day | null => {
    const kept = days.get(date)
    if (kept !== undefined) return kept
    const day = readDay(date, clock)
    if (days.size >= DAYS_KEPT) days.clear()
    days.set(date, day)
    return day
  }
  const settle = (firstMs: number, second: number): number => {
    if (backwards) return last === null || second <= last.atMs ? second : firstMs
    return last !== null && firstMs < last.atMs ? second : firstMs
  }
  return {
    next(wallTime) {
      const day = dayOf(wallTime.slice(0, 10))
      const wallMs = Date.parse(`${wallTime.replace(' ', 'T')}Z`)
      if (!day || !(wallMs >= day.wallMs && wallMs < day.wallMs + DAY_MS)) return null
      const firstMs = day.even ? day.startMs + wallMs - day.wallMs : clock.instantOf(wallTime)
      if (firstMs === null) return null
      const second = day.even ? null : secondOf(wallMs, firstMs, clock)
      const atMs = second === null ? firstMs : settle(firstMs, second)
      if (last && second === null && wallMs !== last.wallMs) backwards = wallMs < last.wallMs
      last = { atMs, wallMs }
      return atMs
    },
  }
}

function readDay(date: string, clock: LocalClock): Day | null {
  const wallMs = Date.parse(`${date}T00:00:00Z`)
  if (Number.isNaN(wallMs)) return null
  const startMs = clock.instantOf(`${date}T00:00:00`)
  const endMs = clock.instantOf(wallText(wallMs + DAY_MS))
  return startMs === null || endMs === null ? null : { wallMs, startMs, even: endMs - startMs === DAY_MS }
}

/** The later instant of a wall time that comes twice, null for all others. */
function secondOf(wallMs: number, firstMs: number, clock: LocalClock): number | null {
  for (const back of SET_BACK_MS) {
    const behind = clock.instantOf(wallText(wallMs + back))
    if (behind !== null && behind - firstMs === 2 * back) return firstMs + back
  }
  return null
}

function wallText(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 19)
}
