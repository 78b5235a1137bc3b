import { type SeriesKeys, seriesName } from './rollup-rows.ts'
import { DAY_MS } from './sealed-days.ts'

/** Notes which series changed in the day that is being packed, so that nothing newer than what was read is taken for packed. */
export interface SealWatch {
  /** From now on changes in this day count; earlier ones are forgotten. */
  begin(dayMs: number): void
  end(): void
  touch(series: SeriesKeys, atMs: number): void
  /** Rows may have changed that nobody named. */
  touchAll(): void
  isTouched(name: string): boolean
}

export function createSealWatch(): SealWatch {
  const touched = new Set<string>()
  let day: { fromMs: number; all: boolean } | null = null
  return {
    begin(fromMs) {
      touched.clear()
      day = { fromMs, all: false }
    },
    end() {
      touched.clear()
      day = null
    },
    touch(series, atMs) {
      if (day !== null && atMs < day.fromMs + DAY_MS && atMs >= day.fromMs) touched.add(seriesName(series))
    },
    touchAll() {
      if (day !== null) day.all = true
    },
    isTouched: (name) => day === null || day.all || touched.has(name),
  }
}
