/** The stages of a night: stretches of one state each, in the order in which they were slept. */
import { type Static, Type } from 'typebox'
import { iso } from '../kernel/envelope.ts'
import { type Rejection, rejection } from './intake-value.ts'
import { metricNamed } from './metric.ts'
import { Instant, instantIn, type RecordContext } from './record.ts'

export const SLEEP_STAGES = ['awake', 'light', 'deep', 'rem', 'asleep', 'in_bed'] as const
type StageName = (typeof SLEEP_STAGES)[number]

const MINUTE_MS = 60_000
/** A night in stretches of half a minute. */
export const STAGES_MAX = 2000

export const StagesIn = Type.Array(
  Type.Object(
    { stage: Type.Enum([...SLEEP_STAGES]), start: Instant, end: Instant },
    { additionalProperties: false },
  ),
  { maxItems: STAGES_MAX },
)

/** One stretch as it is stored and shown. */
export interface SleepStage {
  stage: StageName
  start: string
  end: string
}

/** Ascending stretches without an overlap that lie within the night, or what is wrong with them. */
export function stagesIn(
  sent: Static<typeof StagesIn>,
  night: { startMs: number; endMs: number },
  context: RecordContext,
): { stages: SleepStage[] } | Rejection {
  const stretches: { stage: StageName; startMs: number; endMs: number }[] = []
  for (const [index, one] of sent.entries()) {
    const path = `stages.${index}`
    const start = instantIn(`${path}.start`, one.start, context)
    if ('code' in start) return start
    const end = instantIn(`${path}.end`, one.end, context)
    if ('code' in end) return end
    if (end.atMs <= start.atMs)
      return rejection('OUT_OF_RANGE', `${path}.end`, 'does not lie after its start')
    if (start.atMs < night.startMs || end.atMs > night.endMs)
      return rejection('OUT_OF_RANGE', path, 'lies outside of the night')
    stretches.push({ stage: one.stage, startMs: start.atMs, endMs: end.atMs })
  }
  stretches.sort((a, b) => a.startMs - b.startMs)
  for (const [index, { startMs }] of stretches.entries()) {
    const before = stretches[index - 1]
    if (before && before.endMs > startMs)
      return rejection('OUT_OF_RANGE', 'stages', `overlap at ${iso(startMs)}`)
  }
  return {
    stages: stretches.map(({ stage, startMs, endMs }) => ({ stage, start: iso(startMs), end: iso(endMs) })),
  }
}

/** Stages of a stored night; none where they were not told. */
export function storedStages(fields: Readonly<Partial<Record<string, unknown>>>): SleepStage[] {
  // Written by `stagesIn`.
  return Array.isArray(fields['stages']) ? (fields['stages'] as SleepStage[]) : []
}

/** Minutes in each state, by the names of the record's own fields; only of states that occur. */
export function stageMinutes(stages: readonly SleepStage[]): Record<string, number> {
  const minutes: Record<string, number> = {}
  for (const { stage, start, end } of stages) {
    const name = FIELD_OF[stage]
    if (name === undefined) continue
    minutes[name] = (minutes[name] ?? 0) + (Date.parse(end) - Date.parse(start)) / MINUTE_MS
  }
  return minutes
}

const FIELD_OF: Readonly<Partial<Record<StageName, string>>> = {
  awake: 'awake_minutes',
  light: 'light_sleep_minutes',
  deep: 'deep_sleep_minutes',
  rem: 'rem_sleep_minutes',
  asleep: 'asleep_minutes',
}

/** The stages as values of `sleep_state`, so that a day's timeline and levels know them too. */
export function stageValues(stages: readonly SleepStage[]) {
  const states = metricNamed('sleep_state')?.states ?? []
  return stages.map(({ stage, start, end }) => ({
    metric: 'sleep_state',
    atMs: Date.parse(start),
    value: states.indexOf(stage),
    extra: { t_end: end },
  }))
}
