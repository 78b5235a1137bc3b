import type { Bucket } from '../../models/series/rollup.ts'
import type { Series } from './rollup-draft.ts'
import type { SeriesKeys } from './rollup-rows.ts'

/** What the writer holds in memory about one series, for readers to merge with the stored rows. */
export interface OpenSeries extends SeriesKeys {
  /** Newest sample of the series. */
  lastMs: number
  /** The minute that still grows, null when everything is stored. */
  minute: { startMs: number; rev: number; bucket: Bucket } | null
}

/** The series of a person (of one metric, or of all) as readers get them. */
export function openSeriesOf(all: Iterable<Series>, person: number, metric: number | null): OpenSeries[] {
  const found: OpenSeries[] = []
  for (const series of all) {
    if (series.person !== person || (metric !== null && series.metric !== metric)) continue
    const { device, lastMs, minute } = series
    const grows = minute && { startMs: minute.startMs, rev: minute.rev, bucket: minute.bucket }
    found.push({ person, metric: series.metric, device, lastMs, minute: grows })
  }
  return found
}
