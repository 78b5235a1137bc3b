/** Remembers the newest instants of one series. */
import { createMemory } from '../../../firmware-bridge/import/memory.ts'

export interface Instants {
  /** Whether the instant is known; from now on it is. */
  knows(atMs: number): boolean
}

/**
 * Exports mostly ascend, so an instant after all others is only put at the end of a list, which is searched for the few that
 * come out of order. The list and the others are `limit` each at most, the oldest leave first.
 */
export function createInstants(limit: number): Instants {
  let ascending: number[] = []
  const others = createMemory<number>(limit)

  function holds(atMs: number): boolean {
    let from = 0
    let to = ascending.length
    while (from < to) {
      const middle = (from + to) >>> 1
      const found = ascending[middle] ?? Number.POSITIVE_INFINITY
      if (found === atMs) return true
      if (found < atMs) from = middle + 1
      else to = middle
    }
    return false
  }

  return {
    knows(atMs) {
      const last = ascending.at(-1)
      if (last !== undefined && atMs <= last) return holds(atMs) || others.knows(atMs)
      if (ascending.length >= limit) ascending = ascending.slice(limit / 2)
      ascending.push(atMs)
      return false
    },
  }
}
