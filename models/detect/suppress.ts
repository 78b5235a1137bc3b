/** Keeps the best of things that are the same thing, best first; at most `limit` (the rest are the least sure). */
export function suppress<T extends { score: number }>(
  found: readonly T[],
  isSame: (kept: T, other: T) => boolean,
  limit: number,
): T[] {
  const kept: T[] = []
  for (const candidate of found.toSorted((a, b) => b.score - a.score)) {
    if (kept.length === limit) break
    if (!kept.some((better) => isSame(better, candidate))) kept.push(candidate)
  }
  return kept
}
