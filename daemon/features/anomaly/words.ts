/** What the model saw, in the words and evidence of an episode. */
import type { PulseNet } from '../../../models/pulsenet.ts'
import { ALARM_P, type AnomalyStep, type ChannelSight, isFailed } from '../../../models/series/anomaly.ts'
import { CHECK_P, type CheckName } from '../../../models/series/anomaly-checks.ts'
import type { Channel } from '../../../models/series/anomaly-minute.ts'
import type { Evidence } from '../../domain/episode.ts'
import { metricNamed } from '../../domain/metric.ts'
import { iso } from '../../kernel/envelope.ts'
import type { Choice } from './minutes.ts'
import type { AnomalySighting } from './ports.ts'

export const KIND = 'unusual_vitals'
/** As many equal heart rates in a row come from a watch, not from a heart. */
const REPEATS = 12
/** So many, where no channel stands out, are the reason that is left. */
const FEW_REPEATS = 5
/** Channels that are nearer to what is usual are not named. */
export const NAMED_DISTANCE = 1.5
const CHANNELS_NAMED = 3
const PLACES = 10

const SPOKEN: Readonly<Record<Channel, string>> = {
  hr: 'Heart rate',
  hrv: 'Heart rate variability',
  spo2: 'Oxygen saturation',
  temp: 'Temperature',
}

export function metricOf(channel: Channel, { temp }: Pick<Choice, 'temp'>): string {
  if (channel === 'temp') return temp ?? 'body_temp'
  return ({ hr: 'heart_rate', hrv: 'hrv_rmssd', spo2: 'spo2' } as const)[channel]
}

export function unitOf(metric: string): string {
  return metricNamed(metric)?.unit ?? ''
}

/** One such minute in so many ordinary hours. */
export function oneInHours(p: number): number {
  return Math.round(1 / Math.max(p, 1e-6))
}

export interface SightingOf {
  personId: string
  atMs: number
  step: AnomalyStep
  choice: Choice
  model: Pick<PulseNet, 'name' | 'version'>
}

export function sightingOf({ personId, atMs, step, choice, model }: SightingOf): AnomalySighting {
  const { title, message } = said(step)
  const checks = failedChecks(step)
  // The rarest of what speaks for it, and the line that this one is beyond.
  const rarest = Math.min(step.p, ...step.checks.filter((check) => isFailed(check)).map(({ p }) => p))
  const line = step.p <= ALARM_P ? ALARM_P : CHECK_P
  return {
    ...{ personId, kind: KIND, class: 'wellness', severity: 'warning', title, message },
    ...{ origin: 'detector', originId: model.name, by: `detector:${model.name}`, atMs },
    evidence: evidenceOf(step, atMs, choice),
    metadata: {
      ...{ model: model.name, version: model.version, confidence: rounded(1 - rarest, 10_000) },
      ...{ one_in_hours: oneInHours(rarest), alarm_line_one_in_hours: oneInHours(line), checks },
    },
  }
}

/** The plain checks that say so. */
export function failedChecks({ checks }: Pick<AnomalyStep, 'checks'>): CheckName[] {
  return checks.filter((check) => isFailed(check)).map(({ name }) => name)
}

function isStuck({ channels, repeats, checks }: Omit<AnomalyStep, 'score' | 'p'>): boolean {
  if (repeats >= REPEATS || failedChecks({ checks }).includes('repeats')) return true
  return repeats >= FEW_REPEATS && !channels.some(isNamed)
}

function said(step: AnomalyStep): { title: string; message: string } {
  const { channels, repeats } = step
  if (isStuck(step))
    return {
      title: 'The watch repeats the same heart rate',
      message: `The same value ${repeats + 1} times in a row. Is the watch worn well?`,
    }
  const words = channels.filter(isNamed).slice(0, CHANNELS_NAMED).map(inWords).join('; ')
  if (failedChecks(step).includes('low_oxygen'))
    return {
      title: `${SPOKEN.spo2} below the usual`,
      message: words === '' ? 'Several values in a row. Is the watch worn well?' : words,
    }
  const [first] = channels
  if (first === undefined || Math.abs(first.distance) < NAMED_DISTANCE)
    return { title: 'Vitals unlike usual', message: 'Unsteady in a way that is not usual for this person.' }
  const word = first.distance > 0 ? 'above' : 'below'
  return { title: `${SPOKEN[first.channel]} ${word} the usual`, message: words }
}

function isNamed({ distance }: ChannelSight): boolean {
  return Math.abs(distance) >= NAMED_DISTANCE
}

function inWords({ channel, seen, expected }: ChannelSight): string {
  const now = seen === null ? 'no value' : String(rounded(seen, PLACES))
  return `${SPOKEN[channel]} ${now}, expected ${rounded(expected, PLACES)}`
}

/** Each channel that speaks for it, with what was expected; at least the oddest one, and the one that a check speaks of. */
export function evidenceOf(step: AnomalyStep, atMs: number, choice: Choice): Evidence[] {
  const { channels, repeats } = step
  const failed = failedChecks(step)
  const isChecked = ({ channel }: ChannelSight) =>
    (channel === 'hr' && failed.includes('repeats')) || (channel === 'spo2' && failed.includes('low_oxygen'))
  const ordered = [...channels.filter(isChecked), ...channels.filter((sight) => !isChecked(sight))]
  const named = ordered.filter((sight, at) => at === 0 || isNamed(sight)).slice(0, CHANNELS_NAMED)
  return named.map(({ channel, seen, expected, distance }) => {
    const metric = metricOf(channel, choice)
    const stuck = channel === 'hr' && isStuck(step) ? ` The same value ${repeats + 1} times in a row.` : ''
    const side = distance > 0 ? 'above' : 'below'
    return {
      ...{ metric, value: seen === null ? null : rounded(seen, PLACES), unit: unitOf(metric), ts: iso(atMs) },
      expected: rounded(expected, PLACES),
      note: `${rounded(Math.abs(distance), PLACES)} times the usual spread ${side} what was expected.${stuck}`,
    }
  })
}

export function rounded(value: number, places: number): number {
  return Math.round(value * places) / places
}
