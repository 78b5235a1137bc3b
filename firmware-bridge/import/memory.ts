/** Remembers the newest keys. */
export interface Memory<Key> {
  /** Whether the key is known; from now on it is. */
  knows(key: Key): boolean
}

/**
 * Keeps between half of `limit` and `limit` keys: two halves take turns, because taking the oldest key out of a large set
 * one by one is slow.
 */
export function createMemory<Key = string>(limit: number): Memory<Key> {
  let young = new Set<Key>()
  let old = new Set<Key>()
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
