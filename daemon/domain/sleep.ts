import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { iso, Timestamp } from '../kernel/envelope.ts'
import { type Rejection, rejection } from './intake-value.ts'
import { Day } from './person.ts'
import { Instant, instantIn, known, maybe, orNull, outOfLimits, type RecordKind, shaped } from './record.ts'
import { SLEEP_STAGES, StagesIn, stageMinutes, stagesIn, stageValues, storedStages } from './sleep-stages.ts'
import { isDay, localDay } from './zone.ts'

const MINUTE_MS = 60_000
const DAY_MIN = 1440
/** Stages are rounded to minutes one by one, so together they may pass the whole by some. */
const ROUNDING_MIN = 4
/** Stretches of sleep without a stage count as slept. */
const SLEPT = ['deep_sleep_minutes', 'rem_sleep_minutes', 'light_sleep_minutes', 'asleep_minutes'] as const
const STAGES = ['deep_sleep_minutes', 'rem_sleep_minutes', 'light_sleep_minutes'] as const

const sent = {
  /** Kept as sent; the waking day decides where the night counts. */
  date: maybe(Day),
  sleep_start: Instant,
  sleep_end: Instant,
  /** Slept, without the time awake. */
  duration_minutes: maybe(Type.Number()),
  deep_sleep_minutes: maybe(Type.Number()),
  rem_sleep_minutes: maybe(Type.Number()),
  light_sleep_minutes: maybe(Type.Number()),
  awake_minutes: maybe(Type.Number()),
  /** 0 to 10. */
  quality_score: maybe(Type.Number()),
  /** The hypnogram: stretches within the night that do not overlap. */
  stages: maybe(StagesIn),
  notes: maybe(Type.String({ maxLength: 4000 })),
}
const Sent = Type.Object(sent, { additionalProperties: false })
type Sent = Static<typeof Sent>
const validator = Compile(Sent)

const MINUTES = [0, DAY_MIN] as const
const LIMITS = {
  duration_minutes: MINUTES,
  deep_sleep_minutes: MINUTES,
  rem_sleep_minutes: MINUTES,
  light_sleep_minutes: MINUTES,
  awake_minutes: MINUTES,
  quality_score: [0, 10],
} as const

/** How the time slept is known: it was sent, it is the sum of the stages, or what is left of the time in bed. */
export type DurationFrom = 'sent' | 'stages' | 'span'

/** Minutes slept, and how that is known. */
export function sleptMinutes(
  fields: Readonly<Partial<Record<string, unknown>>>,
  spanMs: number,
): { minutes: number; from: DurationFrom } {
  const { duration_minutes: told, awake_minutes: awake } = fields
  if (typeof told === 'number') return { minutes: told, from: 'sent' }
  const staged = { ...stageMinutes(storedStages(fields)), ...fields }
  const stages = SLEPT.map((name) => staged[name]).filter((one) => typeof one === 'number')
  if (stages.length > 0) return { minutes: stages.reduce((sum, one) => sum + one, 0), from: 'stages' }
  const spanMin = spanMs / MINUTE_MS
  return { minutes: Math.max(0, spanMin - (typeof awake === 'number' ? awake : 0)), from: 'span' }
}

const StageOut = Type.Object({ stage: Type.Enum([...SLEEP_STAGES]), start: Timestamp, end: Timestamp })

/** A night or nap. */
export const sleep: RecordKind = {
  name: 'sleep',
  path: '/sleep',
  class: 'wellness',
  sent,
  detail: ['stages'],
  shown: {
    date: orNull(Day),
    wake_date: Day,
    sleep_start: Timestamp,
    sleep_end: Timestamp,
    duration_minutes: Type.Number(),
    duration_from: Type.Enum(['sent', 'stages', 'span']),
    deep_sleep_minutes: orNull(Type.Number()),
    rem_sleep_minutes: orNull(Type.Number()),
    light_sleep_minutes: orNull(Type.Number()),
    awake_minutes: orNull(Type.Number()),
    quality_score: orNull(Type.Number()),
    stages: Type.Array(StageOut),
    notes: orNull(Type.String()),
  },
  read(body, context) {
    const shape = shaped(validator, body)
    if ('code' in shape) return shape
    const { fields } = shape
    const start = instantIn('sleep_start', fields.sleep_start, context)
    if ('code' in start) return start
    const end = instantIn('sleep_end', fields.sleep_end, context)
    if ('code' in end) return end
    const wrong = outOfLimits(fields, LIMITS) ?? impossible(fields, start.atMs, end.atMs)
    if (wrong) return wrong
    const hypnogram = stagesIn(fields.stages ?? [], { startMs: start.atMs, endMs: end.atMs }, context)
    if ('code' in hypnogram) return hypnogram
    const { stages } = hypnogram
    const told = { ...fields, stages: stages.length > 0 ? stages : null }
    const kept = known({ ...told, sleep_start: iso(start.atMs), sleep_end: iso(end.atMs) })
    const { minutes } = sleptMinutes(kept, end.atMs - start.atMs)
    const quality = fields.quality_score ?? null
    const atMs = end.atMs
    return {
      startMs: start.atMs,
      endMs: atMs,
      dayMs: atMs,
      fields: kept,
      values: [
        { metric: 'sleep_duration', atMs, value: Math.round(minutes * 60) },
        ...(quality === null ? [] : [{ metric: 'sleep_quality', atMs, value: quality }]),
        ...stageValues(stages),
      ],
    }
  },
  show(fields, zone) {
    const startMs = Date.parse(String(fields['sleep_start']))
    const endMs = Date.parse(String(fields['sleep_end']))
    const { minutes, from } = sleptMinutes(fields, endMs - startMs)
    const blank = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, null]))
    const stages = storedStages(fields)
    const { asleep_minutes: _unstaged, ...staged } = stageMinutes(stages)
    const told = { ...blank, ...staged, date: null, notes: null, ...fields, stages }
    return { ...told, duration_minutes: minutes, duration_from: from, wake_date: localDay(endMs, zone) }
  },
}

function impossible(fields: Sent, startMs: number, endMs: number): Rejection | null {
  if (endMs <= startMs) return rejection('OUT_OF_RANGE', 'sleep_end', 'does not lie after sleep_start')
  const spanMin = (endMs - startMs) / MINUTE_MS
  if (spanMin > DAY_MIN)
    return rejection('OUT_OF_RANGE', 'sleep_end', 'lies more than a day after sleep_start')
  if ((fields.duration_minutes ?? 0) > spanMin + ROUNDING_MIN)
    return rejection('OUT_OF_RANGE', 'duration_minutes', 'is longer than the night')
  const parts = [...STAGES, 'awake_minutes' as const].reduce((sum, name) => sum + (fields[name] ?? 0), 0)
  if (parts > spanMin + ROUNDING_MIN)
    return rejection('OUT_OF_RANGE', 'awake_minutes', 'and the stages are together longer than the night')
  const { date } = fields
  if (typeof date === 'string' && !isDay(date))
    return rejection('VALIDATION_ERROR', 'date', 'is no calendar day')
  return null
}
