import { type GlucoseUnit, glucoseText, MG_PER_DL_PER_MMOL_PER_L } from './glucose-unit.ts'
import type { Metric } from './metric.ts'

/** How values of a metric are told in words. */
export interface Told {
  unit: string
  number: (value: number) => string
}

/** In the metric's own unit, glucose in the one that is asked for. */
export function toldIn(metric: Metric, glucoseUnit: GlucoseUnit): Told {
  if (metric.name === 'glucose' && glucoseUnit === 'mmol/L')
    return { unit: glucoseUnit, number: (value) => glucoseText(value, glucoseUnit) }
  return { unit: metric.unit, number: (value) => String(Math.round(value * 100) / 100) }
}

type Convert = (value: number) => number

const times =
  (factor: number): Convert =>
  (value) =>
    value * factor
const same: Convert = (value) => value

/** For each unit of the registry, the other words accepted for it and how their values convert. Keys are lower case without spaces. */
const ACCEPTED: Readonly<Record<string, Readonly<Record<string, Convert>>>> = {
  bpm: { '1/min': same, '/min': same, 'beats/min': same, 'count/min': same },
  ms: { s: times(1000) },
  '%': { '1': times(100), fraction: times(100), percent: same },
  '1/min': {
    '/min': same,
    bpm: same,
    rpm: same,
    spm: same,
    'breaths/min': same,
    'steps/min': same,
    'count/min': same,
  },
  degc: { c: same, '°c': same, celsius: same, f: fahrenheit, '°f': fahrenheit, degf: fahrenheit, fahrenheit },
  '1': { '': same },
  count: { steps: same, '1': same, '': same },
  kcal: { kj: times(1 / 4.184) },
  m: {
    km: times(1000),
    cm: times(0.01),
    mm: times(0.001),
    mi: times(1609.344),
    ft: times(0.3048),
    in: times(0.0254),
  },
  'm/s': { 'km/h': times(1 / 3.6), kmh: times(1 / 3.6), mph: times(0.44704) },
  s: { min: times(60), h: times(3600), hours: times(3600), ms: times(0.001) },
  'mmol/l': {},
  mmhg: { kpa: times(7.500617) },
  kg: { g: times(0.001), lb: times(0.45359237), lbs: times(0.45359237), st: times(6.35029318) },
  'kg/m2': { 'kg/m²': same, 'kg/m^2': same },
  'mg/dl': { 'mmol/l': times(MG_PER_DL_PER_MMOL_PER_L) },
}

function fahrenheit(value: number): number {
  return (value - 32) / 1.8
}

/** Whether a metric runs from 0 to 1 and is often sent as 0–100. */
export function isShare(metric: Metric): boolean {
  return metric.unit === '1' && metric.min === 0 && metric.max === 1
}

/** The value in the metric's own unit, null when `unit` is not one that the metric can be sent in. */
export function inOwnUnit(value: number, unit: string, metric: Metric): number | null {
  const word = unit.replace(/\s/g, '').toLowerCase()
  const own = metric.unit.toLowerCase()
  if (word === own) return value
  if (isShare(metric) && (word === '%' || word === 'percent')) return tidy(value / 100)
  const accepted = ACCEPTED[own]
  const convert = accepted && Object.hasOwn(accepted, word) ? accepted[word] : undefined
  return convert ? tidy(convert(value)) : null
}

/** The words that `inOwnUnit` takes for a metric, its own first. */
export function unitsOf(metric: Metric): string[] {
  return [
    metric.unit,
    ...Object.keys(ACCEPTED[metric.unit.toLowerCase()] ?? {}).filter((word) => word !== ''),
  ]
}

/** Drops what binary arithmetic adds behind the sixth decimal, so that a replay converts to the same value. */
export function tidy(value: number): number {
  return Number(value.toFixed(6))
}
