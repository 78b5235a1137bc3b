import type { ErrorCode } from '../kernel/errors.ts'
import type { Metric } from './metric.ts'
import type { ObservationExtra } from './observation.ts'
import { inOwnUnit, isShare, tidy, unitsOf } from './unit.ts'

/** Why something that came in cannot be kept, in words for whoever sent it. */
export interface Rejection {
  code: ErrorCode
  message: string
  /** Field that was wrong, below the sample. */
  path: string
}

export function rejection(code: ErrorCode, path: string, message: string): Rejection {
  return { code, path, message }
}

/** The part of a sample that decides its value. */
export interface ValueInput {
  value: unknown
  unit?: unknown
  scale?: unknown
}

interface Value {
  value: number
  extra: ObservationExtra
}

/** What most values have beside them; shared, so that nothing is made for it. */
export const NO_EXTRA: ObservationExtra = Object.freeze({})

/** Both together, the second over the first. */
export function withExtra(one: ObservationExtra, other: ObservationExtra): ObservationExtra {
  if (other === NO_EXTRA) return one
  return one === NO_EXTRA ? other : { ...one, ...other }
}

const MAX_BEATS = 1000
const MAX_INTERVAL_MS = 1_000_000
const MAX_ACCURACY_M = 1_000_000

/** The value in the metric's unit with what belongs beside it, or why it is none. */
export function valueIn(sample: ValueInput, metric: Metric): Value | Rejection {
  switch (metric.kind) {
    case 'state':
      return stateOf(sample.value, metric)
    case 'position':
      return positionOf(sample.value)
    case 'number':
      return numberOf(sample.value, sample, metric)
  }
}

function stateOf(word: unknown, metric: Metric): Value | Rejection {
  const value = typeof word === 'string' ? metric.states.indexOf(word) : -1
  if (value >= 0) return { value, extra: NO_EXTRA }
  return rejection('VALIDATION_ERROR', 'value', `${metric.name} is one of ${metric.states.join(', ')}`)
}

function positionOf(place: unknown): Value | Rejection {
  if (typeof place !== 'object' || place === null)
    return rejection('VALIDATION_ERROR', 'value', 'a position is {lat, lon, accuracy}')
  const {
    lat,
    lon,
    accuracy,
    accuracy_m: accuracyM = accuracy,
    ...unknown
  } = place as Record<string, unknown>
  const [stranger] = Object.keys(unknown)
  if (stranger !== undefined)
    return rejection(
      'VALIDATION_ERROR',
      `value.${stranger.slice(0, 64)}`,
      'a position has lat, lon and accuracy only',
    )
  if (typeof lat !== 'number' || typeof lon !== 'number')
    return rejection('VALIDATION_ERROR', 'value', 'lat and lon are numbers of degrees')
  if (!isNumberWithin(lat, -90, 90) || !isNumberWithin(lon, -180, 180))
    return rejection('OUT_OF_RANGE', 'value', 'lat is -90 to 90, lon -180 to 180')
  if (accuracyM === undefined) return { value: lat, extra: { lon } }
  if (!isNumberWithin(accuracyM, 0, MAX_ACCURACY_M))
    return rejection('OUT_OF_RANGE', 'value.accuracy', 'accuracy is a radius in metres')
  return { value: lat, extra: { lon, accuracy_m: accuracyM } }
}

function numberOf(raw: unknown, sample: ValueInput, metric: Metric): Value | Rejection {
  if (typeof raw !== 'number' || !Number.isFinite(raw))
    return rejection('VALIDATION_ERROR', 'value', `${metric.name} is a number`)
  const { unit, scale } = sample
  let value = raw
  if (scale !== undefined) {
    if (!isShare(metric) || (scale !== 1 && scale !== 100)) {
      return rejection(
        'VALIDATION_ERROR',
        'scale',
        'scale is 100 for stress or activity sent as 0–100, else left out',
      )
    }
    value = tidy(raw / scale)
  } else {
    const converted = inUnit(raw, unit, metric)
    if (converted === null)
      return rejection('VALIDATION_ERROR', 'unit', `${metric.name} is sent in ${unitsOf(metric).join(', ')}`)
    value = converted
  }
  return plausible(value, metric)
}

/** A value inside the metric's plausible range; outside it says so. */
export function plausible(value: number, metric: Metric): Value | Rejection {
  if (value >= metric.min && value <= metric.max) return { value, extra: NO_EXTRA }
  return rejection(
    'OUT_OF_RANGE',
    'value',
    `${value} ${metric.unit} is no plausible ${metric.name} (${metric.min} to ${metric.max})`,
  )
}

/** The intervals of a packet in ms. One that is no number spoils the packet: the stamps of the earlier beats hang on it. */
export function intervalsOf(
  list: readonly unknown[],
  metric: Metric,
  sample: ValueInput,
): { ms: number[] } | Rejection {
  if (metric.name !== 'rr_interval')
    return rejection('VALIDATION_ERROR', 'value', `${metric.name} is one value, not a list`)
  if (list.length === 0) return rejection('VALIDATION_ERROR', 'value', 'the list of beat intervals is empty')
  if (list.length > MAX_BEATS)
    return rejection('TOO_LARGE', 'value', `${list.length} beats, ${MAX_BEATS} at most`)
  if (sample.scale !== undefined)
    return rejection('VALIDATION_ERROR', 'scale', 'beat intervals have no scale')
  const ms: number[] = []
  for (const [index, interval] of list.entries()) {
    const converted = isNumberWithin(interval, 0, MAX_INTERVAL_MS)
      ? inUnit(interval, sample.unit, metric)
      : null
    if (converted === null)
      return rejection('VALIDATION_ERROR', `value[${index}]`, 'a beat interval is a number of ms')
    ms.push(converted)
  }
  return { ms }
}

function inUnit(value: number, unit: unknown, metric: Metric): number | null {
  if (unit === undefined) return value
  return typeof unit === 'string' && unit.length <= 32 ? inOwnUnit(value, unit, metric) : null
}

export function isNumberWithin(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max
}
