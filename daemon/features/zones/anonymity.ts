/** Who is counted in a zone, chosen so that no answer is about fewer than five people and no two answers differ by fewer. */
import type { Zone } from './register.ts'

export const LEAST_PEOPLE = 5
export const DAY_MS = 86_400_000

/**
 * Null: those who are counted stay. Somebody who comes or goes alone is counted, or no longer, when a day is over; five or more
 * at once are at once. So an answer of the same hour never tells what one person adds.
 */
export function recounted(
  { counted, countedAtMs }: Pick<Zone, 'counted' | 'countedAtMs'>,
  belonging: readonly string[],
  nowMs: number,
): string[] | null {
  const come = missing(belonging, counted)
  const gone = missing(counted, belonging)
  if (come === 0 && gone === 0) return null
  const isDayOver = countedAtMs === null ? come >= LEAST_PEOPLE : nowMs - countedAtMs >= DAY_MS
  return isDayOver || (isCrowd(come) && isCrowd(gone)) ? [...belonging] : null
}

/**
 * Whether this zone may be told beside the others: two zones that share people differ by nobody or by at least five on each side.
 * Of two that do not, the older one is told; one that was removed counts for a day more.
 */
export function isApart(zone: Zone, others: readonly Zone[]): boolean {
  return others.every((other) => {
    if (other.id === zone.id || !isOlder(other, zone)) return true
    const own = missing(zone.counted, other.counted)
    const shared = zone.counted.length - own
    return shared === 0 || (isCrowd(own) && isCrowd(missing(other.counted, zone.counted)))
  })
}

function isOlder(a: Zone, b: Zone): boolean {
  return a.createdAtMs === b.createdAtMs ? a.id < b.id : a.createdAtMs < b.createdAtMs
}

function isCrowd(people: number): boolean {
  return people === 0 || people >= LEAST_PEOPLE
}

/** How many of these are not among those. */
function missing(these: readonly string[], those: readonly string[]): number {
  const known = new Set(those)
  return these.filter((one) => !known.has(one)).length
}
