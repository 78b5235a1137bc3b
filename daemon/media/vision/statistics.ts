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
  /** Null until there are two seconds of them. */
  fps(nowMs: number): number | null
  age(part: number): number | null
}

const WINDOW_MS = 5000
/** Over a shorter time, pictures that had waited would pass for a rate. */
const SURE_MS = 2000
/** Two seconds of the fastest camera. */
const TIMES_KEPT = 512

export function createPace(): Pace {
  const times: number[] = []
  const ages: number[] = []
  return {
    add(nowMs, ageMs) {
      times.push(nowMs)
      ages.push(ageMs)
      while (times.length > TIMES_KEPT) times.shift()
      while (ages.length > AGES_KEPT) ages.shift()
    },
    fps(nowMs) {
      const lately = times.filter((atMs) => nowMs - atMs < WINDOW_MS)
      const spanMs = (lately.at(-1) ?? 0) - (lately[0] ?? 0)
      return spanMs < SURE_MS ? null : Math.round(((lately.length - 1) * 10_000) / spanMs) / 10
    },
    age(part) {
      const sorted = ages.toSorted((a, b) => a - b)
      const value = sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]
      return value === undefined ? null : Math.round(value)
    },
  }
}
