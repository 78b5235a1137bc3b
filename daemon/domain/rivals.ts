/** Two sources that tell the same story: the preferred one is heard, the other fills its holes. Nothing is averaged. */

/** What ranking looks at. */
export interface Told {
  deviceId: string
  source: string
}

/** Rank that the household gave a device; lower is preferred. */
export type RankOf = (deviceId: string) => number

const MINUTE_MS = 60_000
/** Readings of one sensor by two uploaders differ in time by their clocks and the sensor's own jitter. */
const JITTER_MS = 30_000
/** Programs that pass on what another program recorded. */
const REEXPORTED = /apple[ _-]?health|health[ _-]?kit|health[ _-]?connect|google[ _-]?fit|export/i
const BY_HAND = /^(?:manual|by[ _-]?hand)$/i
const LIBRE = /libre|abbott/i

/** Minutes that one glucose reading of a source stands for: 15 for Libre, 5 for the others (Dexcom, Guardian, Eversense). */
export function nominalMinutes(source: string): number {
  return LIBRE.test(source) ? 15 : 5
}

/**
 * Orders sources from the one to believe: by the household's rank of the device, then what measured before what was passed on
 * before what was typed in, then by name, so that the choice never depends on the period that is looked at.
 */
export function preferred(a: Told, b: Told, rankOf: RankOf): number {
  return (
    rankOf(a.deviceId) - rankOf(b.deviceId) ||
    distance(a.source) - distance(b.source) ||
    compare(a.deviceId, b.deviceId) ||
    compare(a.source, b.source)
  )
}

function distance(source: string): number {
  if (BY_HAND.test(source)) return 2
  return REEXPORTED.test(source) ? 1 : 0
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/**
 * One trace out of the readings of several sources, ascending: a reading is left out where a preferred source has one within
 * half its nominal interval. Give readings from `RIVAL_MARGIN_MS` before to after the period, then the edges come out the same
 * in whatever pieces a long period is read.
 */
export function leadingReadings<Reading extends Told & { atMs: number }>(
  readings: readonly Reading[],
  rankOf: RankOf,
): Reading[] {
  const bySource = [...seriesOf(readings).values()].sort((a, b) => preferred(a.told, b.told, rankOf))
  let kept: Reading[] = []
  for (const { rows } of bySource) kept = kept.length === 0 ? rows : merged(kept, rows)
  return kept
}

/** How far a reading can silence others, at most. */
export const RIVAL_REACH_MS = 7.5 * MINUTE_MS + JITTER_MS
/** A silenced reading silences nobody, so a choice hangs on as many reaches as there are sources above: five at once is plenty. */
export const RIVAL_MARGIN_MS = 5 * RIVAL_REACH_MS

function reachMs({ source }: Told): number {
  return (nominalMinutes(source) * MINUTE_MS) / 2 + JITTER_MS
}

function seriesOf<Reading extends Told & { atMs: number }>(readings: readonly Reading[]) {
  const series = new Map<string, { told: Told; rows: Reading[] }>()
  for (const reading of readings) {
    const name = `${reading.deviceId}\n${reading.source}`
    const known = series.get(name)
    if (known) known.rows.push(reading)
    else series.set(name, { told: reading, rows: [reading] })
  }
  for (const { rows } of series.values()) rows.sort((a, b) => a.atMs - b.atMs)
  return series
}

/** Both ascending; rows of `late` that `kept` already tells are left out. */
function merged<Reading extends Told & { atMs: number }>(kept: Reading[], late: readonly Reading[]) {
  const fresh: Reading[] = []
  let from = 0
  for (const reading of late) {
    while ((kept[from]?.atMs ?? Number.POSITIVE_INFINITY) < reading.atMs - RIVAL_REACH_MS) from += 1
    if (!isTold(kept, from, reading.atMs)) fresh.push(reading)
  }
  return fresh.length === 0 ? kept : [...kept, ...fresh].sort((a, b) => a.atMs - b.atMs)
}

function isTold(kept: readonly (Told & { atMs: number })[], from: number, atMs: number): boolean {
  for (let index = from; index < kept.length; index += 1) {
    const one = kept[index]
    if (!one || one.atMs > atMs + RIVAL_REACH_MS) return false
    if (Math.abs(one.atMs - atMs) <= reachMs(one)) return true
  }
  return false
}

/** A stretch of time that somebody recorded: a night, a run. */
export interface Stretch extends Told {
  startMs: number
  endMs: number
  updatedAtMs: number
}

/**
 * Of stretches that overlap, the one to believe: of the same source the one that was told last; of sources that are as good as
 * each other the longest, so that a cut-off copy hides no whole one and the order in which files come in decides nothing.
 * Ascending by start.
 */
export function leadingStretches<One extends Stretch>(stretches: readonly One[], rankOf: RankOf): One[] {
  const bySource = new Map<string, One[]>()
  for (const one of stretches) {
    const name = `${one.deviceId}\n${one.source}`
    bySource.set(name, [...(bySource.get(name) ?? []), one])
  }
  const own = [...bySource.values()].flatMap((told) => apart(told.sort(latest)))
  return apart(
    own.sort(
      (a, b) =>
        rankOf(a.deviceId) - rankOf(b.deviceId) ||
        distance(a.source) - distance(b.source) ||
        lengthOf(b) - lengthOf(a) ||
        latest(a, b),
    ),
  )
}

function lengthOf({ startMs, endMs }: Stretch): number {
  return endMs - startMs
}

/** The first of those that overlap. */
function apart<One extends Stretch>(order: readonly One[]): One[] {
  const kept: One[] = []
  for (const one of order) {
    if (!kept.some((other) => other.startMs < one.endMs && one.startMs < other.endMs)) kept.push(one)
  }
  return kept.sort((a, b) => a.startMs - b.startMs)
}

function latest(a: Stretch, b: Stretch): number {
  return b.updatedAtMs - a.updatedAtMs || compare(a.deviceId, b.deviceId) || a.startMs - b.startMs
}

/** Something eaten; grams of carbohydrate, null where nobody counted them. */
export interface Eaten extends Told {
  atMs: number
  carbsG: number | null
}

/** How far apart two programs date one meal, and how differently they round it. */
export const MEAL_REACH_MS = 10 * MINUTE_MS
const MEAL_CARBS_G = 1

/**
 * Meals that several sources tell, once each: the preferred source's stands for one of every other with the same carbohydrates
 * within ten minutes. What one source tells twice was eaten twice. Ascending.
 */
export function leadingMeals<One extends Eaten>(meals: readonly One[], rankOf: RankOf): One[] {
  const bySource = [...seriesOf(meals).values()].sort((a, b) => preferred(a.told, b.told, rankOf))
  const kept: One[] = []
  for (const { rows } of bySource) {
    const others = new Set(kept)
    for (const meal of rows) {
      const same = [...others]
        .filter((other) => isSameMeal(meal, other))
        .sort((a, b) => Math.abs(a.atMs - meal.atMs) - Math.abs(b.atMs - meal.atMs))[0]
      if (same) others.delete(same)
      else kept.push(meal)
    }
  }
  return kept.sort((a, b) => a.atMs - b.atMs)
}

function isSameMeal(a: Eaten, b: Eaten): boolean {
  if (a.carbsG === null || b.carbsG === null) return false
  return Math.abs(a.atMs - b.atMs) <= MEAL_REACH_MS && Math.abs(a.carbsG - b.carbsG) <= MEAL_CARBS_G
}
