/** Running figures of the vision loop, each bounded in memory. */

/** Weight of the newest value in a running mean. */
const NEWEST = 0.1
const AGES_KEPT = 256
/** Models whose cost is remembered. */
const MODELS_KEPT = 64

/** Mean milliseconds of one run of each model, newest values weighing most. */
export interface Timings {
  add(model: string, ms: number): void
  of(model: string): number | null
}

export function createTimings(): Timings {
  const means = new Map<string, number>()
  return {
    add(model, ms) {
      const before = means.get(model)
      if (before === undefined && means.size >= MODELS_KEPT) means.clear()
      means.set(model, before === undefined ? ms : before + NEWEST * (ms - before))
    },
    of: (model) => means.get(model) ?? null,
  }
}

/** How many results came in the last seconds, and how old their pictures were. */
export interface Pace {
  add(nowMs: number, ageMs: number): void
  fps(nowMs: number): number | null
  age(part: number): number | null
}

const WINDOW_MS = 5000

export function createPace(): Pace {
  const times: number[] = []
  const ages: number[] = []
  return {
    add(nowMs, ageMs) {
      times.push(nowMs)
      ages.push(ageMs)
      while (times.length > AGES_KEPT) times.shift()
      while (ages.length > AGES_KEPT) ages.shift()
    },
    fps(nowMs) {
      const lately = times.filter((atMs) => nowMs - atMs < WINDOW_MS)
      const [first] = lately
      if (first === undefined || lately.length < 2) return lately.length === 0 ? null : 0
      return Math.round(((lately.length - 1) * 10_000) / Math.max(1, (lately.at(-1) ?? 0) - first)) / 10
    },
    age(part) {
      const sorted = ages.toSorted((a, b) => a - b)
      const value = sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]
      return value === undefined ? null : Math.round(value)
    },
  }
}
