import { stampBeats } from './beats.ts'
import { EARLIEST_MS, parseInstant } from './instant.ts'
import {
  intervalsOf,
  isNumberWithin,
  NO_EXTRA,
  plausible,
  type Rejection,
  rejection,
  valueIn,
  withExtra,
} from './intake-value.ts'
import { type Metric, metricNamed, resolveMetric } from './metric.ts'
import type { Observation, ObservationExtra } from './observation.ts'
import { wallTimeToMs } from './zone.ts'

/** One sample as it came in, by whichever way: shape known, values not yet judged. */
export interface SampleInput {
  /** Canonical name or alias. */
  metric: string
  value: unknown
  /** RFC 3339 text or epoch seconds or milliseconds. */
  ts?: unknown
  /** The device's wall clock, resolved with the device's zone. */
  localTime?: unknown
  /** How long before the message's own time this was measured, for formats that count backwards. */
  agoMs?: number
  tEnd?: unknown
  unit?: unknown
  /** The value that stands for 1: `100` where stress is sent as 0–100. */
  scale?: unknown
  quality?: unknown
  censored?: unknown
  person?: unknown
  /** What else the source said; kept beside the value. */
  facts?: Readonly<Record<string, unknown>>
}

/** What the hub knows about the way a sample came. */
export interface IntakeContext {
  deviceId: string
  /** Kept with the value: `obs`, `gatt`, `ingest`, `telemetry`, … */
  source: string
  /** The hub's clock. */
  nowMs: number
  /** Stamps a sample that says no time; null where a time is required. */
  arrivedMs: number | null
  /** The device's time zone, for wall-clock times. */
  deviceZone: string
  /** Zone of a `ts` without offset; null refuses such times. */
  naiveZone: string | null
  /** Whose sample it is; `named` is the person that the sample itself named. Null: nobody that this device may write for. */
  personAt(atMs: number, named: string | null): string | null
  /** What a bare `hrv` of this source is known to be. */
  hrvKind?: 'hrv_rmssd' | 'hrv_sdnn'
}

export type { Rejection } from './intake-value.ts'
export type Intake = { observation: Observation } | { rejected: Rejection }

/** A clock that is this far ahead is merely inexact. */
export const FUTURE_TOLERANCE_MS = 10 * 60_000

/**
 * Turns one sample into observations: names resolved, units converted, time and person settled, plausibility checked. Most
 * samples give one; a list of beat intervals gives one per beat, each judged by itself. Pure: the same input gives the same.
 */
export function takeIn(sample: SampleInput, context: IntakeContext): Intake[] {
  const named = nameOf(sample, context)
  if ('code' in named) return [{ rejected: named }]
  const time = timeOf(sample, context)
  if ('code' in time) return [{ rejected: time }]
  const about = aboutOf(sample, context, time.atMs, named.extra)
  if ('code' in about) return [{ rejected: about }]
  const meant = { metric: named.metric, atMs: time.atMs }
  if (Array.isArray(sample.value)) return takeBeats(sample.value, meant, sample, context, about)
  const value = valueIn(sample, meant.metric)
  if ('code' in value) return [{ rejected: value }]
  about.extra = withExtra(about.extra, value.extra)
  return [placed(meant, value.value, sample, context, about)]
}

interface About {
  quality: number | null
  named: string | null
  extra: ObservationExtra
}

interface Meant {
  metric: Metric
  atMs: number
}

/** Which metric is meant. A bare `hrv` and a word for `activity` depend on more than the name. */
function nameOf(
  sample: SampleInput,
  context: IntakeContext,
): { metric: Metric; extra: ObservationExtra } | Rejection {
  if (sample.metric === 'hrv') {
    const metric = metricNamed(context.hrvKind ?? 'hrv_rmssd')
    if (metric) return { metric, extra: context.hrvKind ? NO_EXTRA : { kind_assumed: true } }
  }
  const spoken = sample.metric === 'activity' && typeof sample.value === 'string'
  const metric = spoken ? metricNamed('activity_state') : resolveMetric(sample.metric)
  if (metric) return { metric, extra: NO_EXTRA }
  return rejection(
    'UNKNOWN_METRIC',
    'metric',
    `there is no metric ${JSON.stringify(sample.metric.slice(0, 64))}`,
  )
}

function timeOf(sample: SampleInput, context: IntakeContext): { atMs: number } | Rejection {
  const said = saidTime(sample, context)
  if ('code' in said) return said
  const atMs = said.atMs - Math.round(sample.agoMs ?? 0)
  if (atMs > context.nowMs + FUTURE_TOLERANCE_MS) {
    const ahead = Math.round((atMs - context.nowMs) / 60_000)
    return rejection(
      'FUTURE_TIMESTAMP',
      'ts',
      `the time lies ${ahead} min ahead of the hub's clock: set the device's clock`,
    )
  }
  const isSaid = sample.ts !== undefined || sample.localTime !== undefined
  if (isSaid && atMs < EARLIEST_MS)
    return rejection('OUT_OF_RANGE', 'ts', "the time lies before 2000-01-01: set the device's clock")
  return { atMs }
}

function saidTime(sample: SampleInput, context: IntakeContext): { atMs: number } | Rejection {
  if (sample.ts !== undefined) {
    const parsed = parseInstant(sample.ts, context.naiveZone)
    return 'wrong' in parsed ? rejection('VALIDATION_ERROR', 'ts', parsed.wrong) : parsed
  }
  if (sample.localTime !== undefined) {
    const atMs =
      typeof sample.localTime === 'string' ? wallTimeToMs(sample.localTime, context.deviceZone) : null
    return atMs === null
      ? rejection('VALIDATION_ERROR', 'local_time', 'the wall-clock time is none')
      : { atMs }
  }
  if (context.arrivedMs !== null) return { atMs: context.arrivedMs }
  return rejection('VALIDATION_ERROR', 'ts', 'ts is missing')
}

/** Quality, named person and what is kept beside the value. */
function aboutOf(
  sample: SampleInput,
  context: IntakeContext,
  atMs: number,
  assumed: ObservationExtra,
): About | Rejection {
  let extra = withExtra(sample.facts ?? NO_EXTRA, assumed)
  if (typeof sample.localTime === 'string') extra = { ...extra, local_time: sample.localTime }
  const { quality, censored, person, tEnd } = sample
  if (quality !== undefined && !isNumberWithin(quality, 0, 1))
    return rejection('VALIDATION_ERROR', 'quality', 'quality is a number from 0 to 1')
  if (person !== undefined && typeof person !== 'string')
    return rejection('VALIDATION_ERROR', 'person', 'person is an id')
  if (censored !== undefined) {
    if (censored !== 'low' && censored !== 'high')
      return rejection('VALIDATION_ERROR', 'censored', 'censored is low or high')
    extra = { ...extra, censored }
  }
  if (tEnd !== undefined) {
    const end = parseInstant(tEnd, context.naiveZone)
    if ('wrong' in end) return rejection('VALIDATION_ERROR', 'tEnd', end.wrong)
    if (end.atMs < atMs) return rejection('VALIDATION_ERROR', 'tEnd', 'tEnd lies before ts')
    extra = { ...extra, t_end: new Date(end.atMs).toISOString() }
  }
  const percent = sample.facts?.['quality_pct']
  const told = quality ?? (isNumberWithin(percent, 0, 100) ? percent / 100 : null)
  return { quality: told, named: person ?? null, extra }
}

function takeBeats(
  list: readonly unknown[],
  { metric, atMs }: Meant,
  sample: SampleInput,
  context: IntakeContext,
  about: About,
): Intake[] {
  const intervals = intervalsOf(list, metric, sample)
  if ('code' in intervals) return [{ rejected: intervals }]
  return stampBeats(intervals.ms, atMs).map((beat) => {
    const value = plausible(beat.intervalMs, metric)
    if ('code' in value) return { rejected: { ...value, path: `value[${beat.index}]` } }
    return placed({ metric, atMs: beat.atMs }, value.value, sample, context, about)
  })
}

/** Settles whose observation it is, which is decided by when it was measured. */
function placed(
  { metric, atMs }: Meant,
  value: number,
  sample: SampleInput,
  context: IntakeContext,
  about: About,
): Intake {
  const personId = context.personAt(atMs, about.named)
  if (personId === null) {
    const why =
      about.named === null
        ? `nobody wore the device at ${new Date(atMs).toISOString()}`
        : 'the device does not serve this person'
    return { rejected: rejection('NOT_FOUND', 'person', why) }
  }
  const isPlain = about.extra === NO_EXTRA || Object.keys(about.extra).length === 0
  // Pulse from an oximeter is kept apart from a strap's heart rate by its source.
  const source = sample.metric === 'pulse_rate' ? 'plx' : context.source
  return {
    observation: {
      personId,
      deviceId: context.deviceId,
      metric: metric.name,
      atMs,
      value,
      source,
      quality: about.quality,
      extra: isPlain ? null : about.extra,
    },
  }
}
