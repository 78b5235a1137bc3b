/**
 * Says why an episode is there, in two or three sentences made of what was recorded: no language model, nothing that is not a fact
 * with a source. Pure, so that the same facts give the same words.
 */
import { type Static, Type } from 'typebox'
import { type GlucoseUnit, glucoseText } from '../../domain/glucose-unit.ts'
import { metricNamed } from '../../domain/metric.ts'
import { wallClockMs } from '../../domain/zone.ts'

/** A number of the text, with what it is and where it was read. */
export const Fact = Type.Object(
  {
    what: Type.String(),
    value: Type.Number(),
    unit: Type.String(),
    source: Type.Enum(['evidence', 'observations', 'episodes', 'model']),
    metric: Type.Union([Type.String(), Type.Null()]),
    from: Type.Union([Type.String(), Type.Null()]),
    to: Type.Union([Type.String(), Type.Null()]),
  },
  { additionalProperties: false },
)
export type Fact = Static<typeof Fact>

/** One channel that spoke for the episode. */
export interface Seen {
  metric: string
  value: number
  expected: number | null
  atMs: number
}

/** Minutes of one metric before it began. */
export interface Before {
  metric: string
  low: number
  high: number
  fromMs: number
  toMs: number
}

export interface Known {
  name: string
  zone: string
  glucoseUnit: GlucoseUnit
  origin: 'rule' | 'detector' | 'person'
  kind: string
  message: string
  startedAtMs: number
  resolvedAtMs: number | null
  /** The strongest first; empty where nothing was measured. */
  seen: readonly Seen[]
  before: Before | null
  /** Steps counted in the half hour before; null: none were recorded. */
  steps: { count: number; fromMs: number; toMs: number } | null
  /** Episodes of the same kind before this one, in the last `HISTORY_DAYS` days. */
  earlier: { count: number; lastMs: number; lastedMinutes: number | null } | null
  /** Such a minute comes once in so many ordinary hours. */
  oneInHours: number | null
}

export interface Told {
  text: string
  recommendation: string
  facts: Fact[]
}

export const HISTORY_DAYS = 30
/** Below so many steps in half an hour nobody has moved about. */
const STILL_STEPS = 100
const SPOKEN: Readonly<Record<string, string>> = {
  ...{ heart_rate: 'Heart rate', hrv_rmssd: 'Heart rate variability', spo2: 'Oxygen saturation' },
  ...{ respiratory_rate: 'Breathing rate', skin_temp: 'Skin temperature', body_temp: 'Body temperature' },
  ...{ glucose: 'Glucose', battery: 'Battery' },
}

export function narrate(known: Known): Told {
  const facts: Fact[] = []
  const sentences = [whatWasSeen(known, facts), whatWasBefore(known, facts), whatWasEarlier(known, facts)]
  return {
    text: sentences.filter((sentence) => sentence !== null).join(' '),
    recommendation: recommended(known),
    facts,
  }
}

function whatWasSeen(known: Known, facts: Fact[]): string {
  const { origin, oneInHours, seen, name, zone, startedAtMs, message } = known
  const [first, ...others] = seen
  if (!first) {
    const at = clockOf(startedAtMs, zone)
    const said = ended(message === '' ? 'Nothing was measured that speaks for it' : message)
    return origin === 'person'
      ? `Somebody called for ${name} at ${at}: ${said}`
      : `${said} It began at ${at}.`
  }
  const inWords = (one: Seen) => {
    const { value, expected, metric, atMs } = one
    facts.push(fact(known, 'seen', one.value, metric, 'evidence', atMs, atMs))
    if (expected === null) return `${spoken(metric)} was ${measured(known, metric, value)}`
    facts.push(
      fact(known, 'expected', expected, metric, origin === 'detector' ? 'model' : 'evidence', atMs, atMs),
    )
    const than = measured(known, metric, expected)
    const was = `${spoken(metric)} was ${measured(known, metric, value)}`
    if (origin === 'detector') return `${was} where ${than} was expected`
    return `${was}, ${value > expected ? 'above' : 'below'} the limit of ${than}`
  }
  const also = others.map((one) => lowered(inWords(one)))
  const all = [inWords(first), ...also].join('; ')
  const rare = oneInHours === null ? '' : `, as happens for about one minute in ${oneInHours} ordinary hours`
  if (oneInHours !== null)
    facts.push({
      ...{ what: 'ordinary hours for one such minute', value: oneInHours, unit: 'h', source: 'model' },
      ...{ metric: null, from: null, to: null },
    })
  return `At ${clockOf(first.atMs, zone)} ${name}’s ${lowered(all)}${rare}.`
}

function whatWasBefore(known: Known, facts: Fact[]): string | null {
  const { before, steps } = known
  const parts: string[] = []
  if (before) {
    const { metric, low, high, fromMs, toMs } = before
    facts.push(
      fact(known, 'lowest minute of the two hours before', low, metric, 'observations', fromMs, toMs),
    )
    facts.push(
      fact(known, 'highest minute of the two hours before', high, metric, 'observations', fromMs, toMs),
    )
    parts.push(
      `in the two hours before it was between ${bare(known, metric, low)} and ${measured(known, metric, high)}`,
    )
  }
  if (steps) {
    const { count, fromMs, toMs } = steps
    facts.push(fact(known, 'steps in the half hour before', count, 'steps', 'observations', fromMs, toMs))
    parts.push(
      count < STILL_STEPS
        ? `with ${count} steps in the half hour before, moving about does not explain it`
        : `${count} steps in the half hour before may be a part of it`,
    )
  }
  const [first, ...more] = parts
  if (first === undefined) return null
  return ended([first[0]?.toUpperCase() + first.slice(1), ...more].join('; '))
}

function whatWasEarlier({ earlier, zone, startedAtMs }: Known, facts: Fact[]): string {
  if (earlier === null) return `Nothing of this kind was noticed in the ${HISTORY_DAYS} days before.`
  const { count, lastMs, lastedMinutes } = earlier
  const period = { from: iso(startedAtMs - HISTORY_DAYS * 86_400_000), to: iso(startedAtMs) }
  facts.push({
    ...{ what: 'episodes of this kind in the days before', value: count, unit: '', source: 'episodes' },
    ...{ metric: null, ...period },
  })
  const times = count === 1 ? 'once' : `${count} times`
  const said = `It was noticed ${times} in the ${HISTORY_DAYS} days before, last on ${dayOf(lastMs, zone)}`
  if (lastedMinutes === null) return `${said}.`
  facts.push({
    ...{ what: 'how long the last one took', value: lastedMinutes, unit: 'min', source: 'episodes' },
    ...{ metric: null, from: iso(lastMs), to: null },
  })
  return `${said}, and over after ${lastedMinutes} min.`
}

/** Kind, and never medical: what somebody who cares can do now. */
function recommended({ resolvedAtMs, zone, name, kind, seen }: Known): string {
  if (resolvedAtMs !== null)
    return `It was over at ${clockOf(resolvedAtMs, zone)}; if you are still worried, trust that and look in on ${name}.`
  if (/no_data|stale|battery/.test(kind) || (seen.length > 0 && seen[0]?.metric === 'battery'))
    return `See that what ${name} wears sits well, is charged and near the hub.`
  return `Look in on ${name}, and see that what is worn sits well; if something seems wrong to you, call for help and do not wait for numbers.`
}

function spoken(metric: string): string {
  const word = SPOKEN[metric] ?? metric.replaceAll('_', ' ')
  return word[0]?.toUpperCase() + word.slice(1)
}

function lowered(text: string): string {
  return text[0]?.toLowerCase() + text.slice(1)
}

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

function measured(known: Known, metric: string, value: number): string {
  return `${bare(known, metric, value)} ${unitOf(known, metric)}`.trim()
}

function bare({ glucoseUnit }: Known, metric: string, value: number): string {
  return metric === 'glucose' ? glucoseText(value, glucoseUnit) : String(rounded(value))
}

function unitOf({ glucoseUnit }: Known, metric: string): string {
  const unit = metric === 'glucose' ? glucoseUnit : (metricNamed(metric)?.unit ?? '')
  return unit === '1' || unit === 'count' ? '' : unit
}

/** What the text shows, so that each of its numbers is found again among the facts. */
function fact(
  known: Known,
  what: string,
  value: number,
  metric: string,
  source: Fact['source'],
  fromMs: number,
  toMs: number,
): Fact {
  const shown = Number(bare(known, metric, value))
  return { what, value: shown, unit: unitOf(known, metric), source, metric, from: iso(fromMs), to: iso(toMs) }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

function clockOf(ms: number, zone: string): string {
  return iso(wallClockMs(ms, zone)).slice(11, 16)
}

function dayOf(ms: number, zone: string): string {
  return iso(wallClockMs(ms, zone)).slice(0, 10)
}
