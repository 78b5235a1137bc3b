/** Adjusted Rand index of two groupings: 1 the same, about 0 by chance (Hubert & Arabie 1985). */
export function agreement(a: readonly number[], b: readonly number[]): number {
  const pairs = (count: number) => (count * (count - 1)) / 2
  const sum = (keys: readonly string[]) => {
    const counts = new Map<string, number>()
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
    return [...counts.values()].reduce((all, count) => all + pairs(count), 0)
  }
  const both = sum(a.map((label, index) => `${label} ${b[index]}`))
  const left = sum(a.map(String))
  const right = sum(b.map(String))
  const chance = (left * right) / pairs(a.length)
  return (both - chance) / ((left + right) / 2 - chance)
}
