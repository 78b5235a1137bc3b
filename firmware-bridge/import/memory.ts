/** Remembers the newest keys. */
export interface Memory {
  /** Whether the key is known; from now on it is. */
  knows(key: string): boolean
}

/**
 * Keeps between half of `limit` and `limit` keys: two halves take turns, because taking the oldest key out of a large set
 * one by one is slow.
 */
export function createMemory(limit: number): Memory {
  let young = new Set<string>()
  let old = new Set<string>()
  return {
    knows(key) {
      if (young.has(key) || old.has(key)) return true
      if (young.size >= limit / 2) {
        old = young
        young = new Set()
      }
      young.add(key)
      return false
    },
  }
}
