/** Counts that a phone and a watch both keep: steps, energy, distance. Of each quarter hour one source speaks. */
import { preferred, type RankOf, type Told } from './rivals.ts'

/** So much was counted between two instants; without an end the count came all at once. */
export interface Counted extends Told {
  atMs: number
  endMs: number | null
  value: number
}

/** What was counted in a quarter hour, and by whom. */
export interface QuarterCount {
  atMs: number
  value: number
  told: Told
}

/** Local midnights of every zone in use fall on a quarter. */
const QUARTER_MS = 15 * 60_000
/** Longer than a day with a repeated hour is no count of anything; its end is not believed. */
export const COUNT_MAX_MS = 26 * 3_600_000
/** What is on the body counts also when the phone lies on the table. */
const WORN = /watch|band|ring|strap|oura|whoop|garmin|fitbit|polar|amazfit|suunto|coros/i
const CARRIED = /phone|pixel|ipad|handy/i

/**
 * Quarter hours, ascending, in each of which the preferred source that counted anything speaks for all of it; the others' shares
 * are left out, so that nothing counts twice. A count over several quarters is shared among them by time. Preferred is the
 * household's rank of the device, then what is worn before what is carried, then as `preferred` says.
 */
export function leadingCounts(counts: readonly Counted[], rankOf: RankOf): QuarterCount[] {
  const quarters = new Map<number, Map<string, { told: Told; value: number }>>()
  for (const one of counts) {
    for (const { atMs, value } of sharesOf(one)) {
      const sources = quarters.get(atMs) ?? new Map<string, { told: Told; value: number }>()
      quarters.set(atMs, sources)
      const name = `${one.deviceId}\n${one.source}`
      const known = sources.get(name)
      if (known) known.value += value
      else sources.set(name, { told: one, value })
    }
  }
  const order = (a: { told: Told }, b: { told: Told }) =>
    rankOf(a.told.deviceId) - rankOf(b.told.deviceId) ||
    carried(a.told) - carried(b.told) ||
    preferred(a.told, b.told, rankOf)
  const leading = [...quarters].flatMap(([atMs, sources]) => {
    const best = [...sources.values()].reduce((a, b) => (order(a, b) <= 0 ? a : b))
    return [{ atMs, value: best.value, told: { deviceId: best.told.deviceId, source: best.told.source } }]
  })
  return leading.sort((a, b) => a.atMs - b.atMs)
}

function carried({ deviceId, source }: Told): number {
  const name = `${source} ${deviceId}`
  if (WORN.test(name)) return 0
  return CARRIED.test(name) ? 2 : 1
}

function sharesOf({ atMs, endMs, value }: Counted): { atMs: number; value: number }[] {
  const first = Math.floor(atMs / QUARTER_MS) * QUARTER_MS
  const spanMs = endMs === null ? 0 : endMs - atMs
  if (endMs === null || spanMs <= 0 || spanMs > COUNT_MAX_MS || endMs <= first + QUARTER_MS)
    return [{ atMs: first, value }]
  const shares: { atMs: number; value: number }[] = []
  // Whole steps stay whole: each quarter ends at a rounded sum.
  const until = (ms: number) => {
    const sum = (value * (Math.min(endMs, ms) - atMs)) / spanMs
    return Number.isInteger(value) ? Math.round(sum) : sum
  }
  let told = 0
  for (let from = first; from < endMs; from += QUARTER_MS) {
    const sum = until(from + QUARTER_MS)
    shares.push({ atMs: from, value: sum - told })
    told = sum
  }
  return shares
}
