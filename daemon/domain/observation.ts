/** What the store keeps beside a value when the source said more; every field is optional and small. */
export interface ObservationExtra {
  /** A word of the sensor's scale end: the true value is below or above. */
  censored?: 'low' | 'high'
  /** A bare `hrv` was taken for RMSSD. */
  kind_assumed?: true
  /** Longitude in degrees and accuracy in metres of a `position`, whose value is the latitude. */
  lon?: number
  accuracy_m?: number
  /** The device's own wall clock, kept because it has no zone. */
  local_time?: string
  [fact: string]: unknown
}

/** One measured value about one person, in the metric's unit. `atMs` is when it was measured. */
export interface Observation {
  personId: string
  deviceId: string
  /** Canonical name, a key of the metric registry. */
  metric: string
  atMs: number
  /** Number in the metric's unit, or the index of a state's word. */
  value: number
  /** Which way it came: `gatt`, `obs`, `ingest`, `health_data`, `telemetry`, `plx`, … */
  source: string
  /** 0–1 as the source said it, null when it said nothing. */
  quality: number | null
  extra: ObservationExtra | null
}

/** An observation as it is stored: `revision` counts corrections, 0 for the first value. */
export interface StoredObservation extends Observation {
  revision: number
}

/** What became of one observation: new, the same value again, or a correction of an older value. */
export type Outcome = 'accepted' | 'duplicate' | 'revised'

/** Roll-up levels of the API, beside `raw`. */
export const LEVELS = ['1m', '15m', '1h', '1d'] as const
export type Level = (typeof LEVELS)[number]

/** One roll-up bucket as the API shows it, values in the metric's unit. */
export interface LevelPoint {
  atMs: number
  count: number
  min: number
  max: number
  mean: number
  p50: number
}
