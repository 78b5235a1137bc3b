/** A stored value as exports write it down. */
import { metricNamed } from '../../domain/metric.ts'
import type { StoredObservation } from '../../domain/observation.ts'
import { type Reading, readingOf } from '../../domain/reading.ts'
import { iso } from '../../kernel/envelope.ts'

export interface ExportedValue {
  metric: string
  unit: string
  reading: Reading
  start: string
  /** Null: an instant. */
  end: string | null
  source: string
  stored: StoredObservation
}

/** A night's length is stored where it ended; everything else begins at its instant. */
export function exported(stored: StoredObservation): ExportedValue {
  const { metric, atMs, value, extra, source } = stored
  const told = typeof extra?.['t_end'] === 'string' ? extra['t_end'] : null
  const isNight = metric === 'sleep_duration' && told === null
  return {
    metric,
    unit: metricNamed(metric)?.unit ?? '',
    reading: readingOf(stored),
    start: iso(isNight ? atMs - value * 1000 : atMs),
    end: isNight ? iso(atMs) : told,
    source,
    stored,
  }
}

/** One way to write values down: what stands before, between and after them. */
export interface ExportFormat {
  mediaType: string
  extension: string
  head: string
  separator: string
  tail: string
  /** Null: this format has no way to say it. */
  write(value: ExportedValue, personId: string): string | null
}
