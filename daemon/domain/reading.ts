import { metricNamed } from './metric.ts'
import type { Observation } from './observation.ts'

/** A value as people and programs read it: a number in the metric's unit, a state's word, or a place. */
export type Reading = number | string | { lat: number; lon: number | null; accuracy_m: number | null }

/** What the API shows of an observation's value. */
export function readingOf({ metric, value, extra }: Observation): Reading {
  const entry = metricNamed(metric)
  switch (entry?.kind) {
    case 'state':
      return entry.states[value] ?? `state ${value}`
    case 'position':
      return { lat: value, lon: extra?.lon ?? null, accuracy_m: extra?.accuracy_m ?? null }
    default:
      return value
  }
}
