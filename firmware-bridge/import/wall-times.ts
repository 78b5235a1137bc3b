import type { LocalClock } from '../local-clock.ts'

/** Resolves the wall times of a table in file order. */
export interface WallTimes {
  /** Instant of `YYYY-MM-DDTHH:MM[:SS]`; null when it is no time. */
  next(wallTime: string): number | null
}

/** By how much clocks are set back in autumn: an hour nearly everywhere, half an hour on Lord Howe Island. */
const SET_BACK_MS = [3_600_000, 1_800_000] as const

/**
 * The hour that comes twice in autumn looks the same both times; which one a row means follows from the rows around it,
 * because a table runs forwards or backwards in time and not both.
 */
export function createWallTimes(clock: LocalClock): WallTimes {
  let last: { atMs: number; wallMs: number } | null = null
  let backwards = false
  const secondOf = (wallMs: number, firstMs: number): number | null => {
    for (const back of SET_BACK_MS) {
      const behind = clock.instantOf(wallText(wallMs + back))
      if (behind !== null && behind - firstMs === 2 * back) return firstMs + back
    }
    return null
  }
  return {
    next(wallTime) {
      const firstMs = clock.instantOf(wallTime)
      const wallMs = Date.parse(`${wallTime.replace(' ', 'T')}Z`)
      if (firstMs === null || Number.isNaN(wallMs)) return null
      const second = secondOf(wallMs, firstMs)
      if (last && second === null && wallMs !== last.wallMs) backwards = wallMs < last.wallMs
      const takesSecond =
        second !== null &&
        (backwards ? last === null || second <= last.atMs : last !== null && firstMs < last.atMs)
      const atMs = takesSecond && second !== null ? second : firstMs
      last = { atMs, wallMs }
      return atMs
    },
  }
}

function wallText(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 19)
}
