import type { DataClass } from './access.ts'

/** One thing the hub can measure. A new metric is one entry in `METRICS`. */
export interface Metric {
  /** Number in the store; never reused, never changed. */
  key: number
  name: string
  unit: string
  class: DataClass
  kind: 'number' | 'state' | 'position'
  /** Plausible range, both ends included; outside is rejected with OUT_OF_RANGE. */
  min: number
  max: number
  /** Values are summed as integers of 1/scale of the unit, so that roll-ups merge exactly. */
  scale: number
  /** Width of a histogram bin, in 1/scale of the unit. */
  binWidth: number
  /** Two samples further apart than this have a hole between them. */
  maxGapMs: number
  /** Older than this is shown as stale. */
  staleAfterMs: number
  /** The words of a state metric; the store keeps the position in this list. */
  states: readonly string[]
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

type Rest = Partial<
  Pick<Metric, 'class' | 'kind' | 'scale' | 'binWidth' | 'maxGapMs' | 'staleAfterMs' | 'states'>
>

function metric(key: number, name: string, unit: string, min: number, max: number, rest: Rest = {}): Metric {
  return {
    key,
    name,
    unit,
    min,
    max,
    class: 'wellness',
    kind: 'number',
    scale: 10,
    binWidth: 10,
    maxGapMs: 5 * MINUTE,
    staleAfterMs: 15 * MINUTE,
    states: [],
    ...rest,
  }
}

function states(key: number, name: string, words: readonly string[], rest: Rest = {}): Metric {
  return metric(key, name, 'state', 0, words.length - 1, {
    kind: 'state',
    scale: 1,
    binWidth: 1,
    states: words,
    ...rest,
  })
}

const SLOW: Rest = { maxGapMs: DAY, staleAfterMs: 36 * HOUR }

/** Canonical names, units and plausible ranges, as the contract lists them. */
const ENTRIES: readonly Metric[] = [
  metric(1, 'heart_rate', 'bpm', 20, 250, { staleAfterMs: 2 * MINUTE, maxGapMs: 2 * MINUTE }),
  metric(2, 'resting_heart_rate', 'bpm', 20, 250, SLOW),
  metric(3, 'rr_interval', 'ms', 240, 3000, {
    scale: 100,
    binWidth: 1000,
    maxGapMs: 3000,
    staleAfterMs: 2 * MINUTE,
  }),
  metric(4, 'hrv_rmssd', 'ms', 0, 400, {
    scale: 100,
    binWidth: 100,
    maxGapMs: HOUR,
    staleAfterMs: 36 * HOUR,
  }),
  metric(5, 'hrv_sdnn', 'ms', 0, 400, { scale: 100, binWidth: 100, maxGapMs: HOUR, staleAfterMs: 36 * HOUR }),
  metric(6, 'spo2', '%', 50, 100),
  metric(7, 'respiratory_rate', '1/min', 3, 80),
  metric(8, 'skin_temp', 'degC', 10, 45, { scale: 100, binWidth: 10, staleAfterMs: HOUR }),
  metric(9, 'body_temp', 'degC', 30, 44, { scale: 100, binWidth: 10, staleAfterMs: 12 * HOUR }),
  metric(10, 'stress', '1', 0, 1, { scale: 1000, binWidth: 10, maxGapMs: HOUR, staleAfterMs: 2 * HOUR }),
  metric(11, 'activity', '1', 0, 1, { scale: 1000, binWidth: 10, maxGapMs: HOUR, staleAfterMs: HOUR }),
  metric(12, 'steps', 'count', 0, 100_000, {
    scale: 1,
    binWidth: 10,
    maxGapMs: HOUR,
    staleAfterMs: 2 * HOUR,
  }),
  metric(13, 'steps_counter', 'count', 0, 10_000_000, {
    scale: 1,
    binWidth: 100,
    maxGapMs: HOUR,
    staleAfterMs: 2 * HOUR,
  }),
  metric(14, 'active_energy', 'kcal', 0, 20_000, { binWidth: 100, maxGapMs: HOUR, staleAfterMs: 2 * HOUR }),
  metric(15, 'distance', 'm', 0, 500_000, { binWidth: 100, maxGapMs: HOUR, staleAfterMs: 2 * HOUR }),
  metric(16, 'speed', 'm/s', 0, 100, {
    scale: 1000,
    binWidth: 100,
    maxGapMs: MINUTE,
    staleAfterMs: 2 * MINUTE,
  }),
  metric(17, 'cadence', '1/min', 0, 400, { maxGapMs: MINUTE, staleAfterMs: 2 * MINUTE }),
  metric(18, 'glucose', 'mg/dL', 20, 600, { class: 'glucose', maxGapMs: 16 * MINUTE }),
  metric(19, 'ketone', 'mmol/L', 0, 20, { class: 'glucose', scale: 100, binWidth: 10, ...SLOW }),
  metric(20, 'recovery', '%', 0, 100, SLOW),
  metric(21, 'strain', '1', 0, 21, { scale: 100, binWidth: 10, ...SLOW }),
  metric(22, 'sleep_quality', '1', 0, 10, SLOW),
  metric(23, 'sleep_duration', 's', 0, 86_400, {
    scale: 1,
    binWidth: 60,
    maxGapMs: HOUR,
    staleAfterMs: 36 * HOUR,
  }),
  states(24, 'sleep_state', ['awake', 'light', 'deep', 'rem', 'asleep', 'in_bed'], {
    maxGapMs: HOUR,
    staleAfterMs: HOUR,
  }),
  metric(25, 'mood', '1', 1, 10, SLOW),
  metric(26, 'bp_sys', 'mmHg', 40, 300, SLOW),
  metric(27, 'bp_dia', 'mmHg', 20, 200, SLOW),
  metric(28, 'weight', 'kg', 0.2, 500, { scale: 1000, binWidth: 100, ...SLOW }),
  metric(29, 'height', 'm', 0.2, 2.8, { scale: 1000, binWidth: 10, ...SLOW }),
  metric(30, 'battery', '%', 0, 100, { maxGapMs: HOUR, staleAfterMs: 6 * HOUR }),
  metric(31, 'position', 'deg', -90, 90, {
    kind: 'position',
    class: 'training',
    scale: 10_000_000,
    binWidth: 1_000_000,
    maxGapMs: MINUTE,
  }),
  metric(32, 'glucose_strip', 'mg/dL', 20, 600, { class: 'glucose', ...SLOW }),
  metric(33, 'glucose_calibration', 'mg/dL', 20, 600, { class: 'glucose', ...SLOW }),
  metric(34, 'energy_total', 'kcal', 0, 50_000, { binWidth: 100, maxGapMs: HOUR, staleAfterMs: 2 * HOUR }),
  metric(35, 'energy_expended', 'kcal', 0, 20_000, {
    scale: 100,
    binWidth: 1000,
    maxGapMs: HOUR,
    staleAfterMs: 2 * HOUR,
  }),
  metric(36, 'distance_total', 'm', 0, 100_000_000, {
    binWidth: 1000,
    maxGapMs: HOUR,
    staleAfterMs: 2 * HOUR,
  }),
  states(37, 'activity_state', ['still', 'walking', 'running', 'cycling', 'in_vehicle', 'unknown'], {
    maxGapMs: HOUR,
    staleAfterMs: HOUR,
  }),
  metric(38, 'stride_length', 'm', 0, 5, {
    scale: 1000,
    binWidth: 10,
    maxGapMs: MINUTE,
    staleAfterMs: 2 * MINUTE,
  }),
  metric(39, 'bmi', 'kg/m2', 5, 100, { scale: 100, binWidth: 10, ...SLOW }),
  metric(40, 'ambient_temp', 'degC', -60, 80, { scale: 100, binWidth: 10, staleAfterMs: HOUR }),
  metric(41, 'humidity', '%', 0, 100, { scale: 100, binWidth: 100, staleAfterMs: HOUR }),
]

const BY_NAME: ReadonlyMap<string, Metric> = new Map(ENTRIES.map((entry) => [entry.name, entry]))
const BY_KEY: ReadonlyMap<number, Metric> = new Map(ENTRIES.map((entry) => [entry.key, entry]))

/** Other names accepted on input. A bare `hrv` is not here: what it means depends on its source. */
export const ALIASES: Readonly<Record<string, string>> = {
  hr: 'heart_rate',
  rr: 'rr_interval',
  rr_intervals: 'rr_interval',
  pulse_rate: 'heart_rate',
  activity_intensity: 'activity',
  stress_level: 'stress',
  recovery_score: 'recovery',
  mood_rating: 'mood',
  whoop_recovery: 'recovery',
  whoop_strain: 'strain',
}

export const METRICS: readonly Metric[] = ENTRIES

export function metricNamed(name: string): Metric | undefined {
  return BY_NAME.get(name)
}

/** Looks a metric up by its own name or an alias. */
export function resolveMetric(nameOrAlias: string): Metric | undefined {
  return (
    BY_NAME.get(nameOrAlias) ??
    BY_NAME.get(Object.hasOwn(ALIASES, nameOrAlias) ? (ALIASES[nameOrAlias] ?? '') : '')
  )
}

/** The metric behind a key of the store. A key that no entry has is a program newer than this one's data, hence an error. */
export function metricByKey(key: number): Metric {
  const found = BY_KEY.get(key)
  if (!found) throw new Error(`metric key ${key} is unknown to this version`)
  return found
}
