/** Which published guidelines a plan lies outside of. A coach may step over each; the hub says so, it forbids nothing. */
import type { Static } from 'typebox'
import {
  YOUTH_LIMITS,
  YOUTH_SOURCES,
  type YouthSession,
  type YouthViolation,
  type YouthWeek,
  youthWeek,
} from '../../../models/series/youth.ts'
import type { Verdict as VerdictSchema } from '../../domain/calendar.ts'
import { weekdayOf } from '../../domain/recurrence.ts'
import { dayBounds, localDay, wallClockMs } from '../../domain/zone.ts'
import type { Occurrence } from './expand.ts'

export type Verdict = Static<typeof VerdictSchema>

export interface Player {
  id: string
  /** Null: nobody said, then only recovery is judged. */
  age: number | null
  timezone: string
}

interface Measure {
  unit: string
  figure: (week: YouthWeek) => number
  limit: (age: number) => number
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const GROWN_UP = 18
/** A calendar knows nothing of free play, so the ratio of organized to free sport is not judged by it. */
const OF_A_WEEK: Partial<Record<YouthViolation, Measure>> = {
  hours_over_age: { unit: 'h', figure: ({ hours }) => hours, limit: (age) => age },
  over_16h: { unit: 'h', figure: ({ hours }) => hours, limit: () => YOUTH_LIMITS.weekHours },
  no_rest_day: { unit: 'days off', figure: ({ restDays }) => restDays, limit: () => 1 },
  over_5_days: { unit: 'days', figure: ({ sportDays }) => sportDays, limit: () => YOUTH_LIMITS.sportDays },
}

/** Monday 00:00 of the player's week with that instant, to the next Monday. */
export function weekOf(atMs: number, zone: string): { fromMs: number; toMs: number; monday: string } {
  const back = weekdayOf(wallClockMs(atMs, zone))
  const dayMs = Date.parse(`${localDay(atMs, zone)}T00:00:00Z`)
  const monday = new Date(dayMs - back * DAY_MS).toISOString().slice(0, 10)
  const next = new Date(dayMs + (7 - back) * DAY_MS).toISOString().slice(0, 10)
  return { fromMs: dayBounds(monday, zone).fromMs, toMs: dayBounds(next, zone).fromMs, monday }
}

/** Judges a week of a player under 18 against what is published for their age. */
export function trainingLoad(player: Player, planned: readonly Occurrence[], atMs: number): Verdict[] {
  const { age } = player
  if (age === null || age >= GROWN_UP) return []
  const week = weekOf(atMs, player.timezone)
  const sport = planned.filter(
    ({ startMs, event }) => isSport(event.eventType) && startMs >= week.fromMs && startMs < week.toMs,
  )
  const judged = youthWeek(
    age,
    sport.map((one) => sessionOf(one, player.timezone)),
  )
  return judged.violations.flatMap((check) => {
    const measure = OF_A_WEEK[check]
    if (!measure) return []
    const [figure, limit] = [rounded(measure.figure(judged)), measure.limit(age)]
    return [
      verdict('validate_training_load', check, player, {
        date: week.monday,
        figure,
        limit,
        unit: measure.unit,
      }),
    ]
  })
}

/** Judges the time from each hard session or match to the next, where one of the two is an occurrence of `eventId`. */
export function recoveryTime(player: Player, planned: readonly Occurrence[], eventId: string): Verdict[] {
  const hard = planned.filter(isHard).sort((a, b) => a.startMs - b.startMs)
  return hard.slice(1).flatMap((later, index) => {
    const earlier = hard[index] ?? later
    if (earlier.event.id !== eventId && later.event.id !== eventId) return []
    const figure = rounded((later.startMs - earlier.startMs) / HOUR_MS)
    const limit = YOUTH_LIMITS.hoursBetweenHigh
    if (figure >= limit) return []
    const date = localDay(later.startMs, player.timezone)
    return [
      verdict('check_recovery_time', 'under_48h_between_high', player, { date, figure, limit, unit: 'h' }),
    ]
  })
}

function verdict(
  rule: Verdict['rule'],
  check: YouthViolation,
  player: Player,
  found: Pick<Verdict, 'date' | 'figure' | 'limit' | 'unit'>,
): Verdict {
  const source = YOUTH_SOURCES[check]
  const message = `Outside guideline: ${source}. Planned: ${found.figure} ${found.unit}.`
  return { rule, check, player_id: player.id, ...found, source, message }
}

function sessionOf(occurrence: Occurrence, zone: string): YouthSession {
  const wallMs = wallClockMs(occurrence.startMs, zone)
  return {
    day: weekdayOf(wallMs),
    startHour: (wallMs % DAY_MS) / HOUR_MS,
    minutes: (occurrence.endMs - occurrence.startMs) / 60_000,
    organized: true,
    intensity: isHard(occurrence) ? 'high' : null,
  }
}

export function isSport(eventType: string): boolean {
  return eventType === 'training' || eventType === 'match'
}

/** A match is hard; a training is when one of its drills says so (`intensity: high`). */
export function isHard({ event }: Pick<Occurrence, 'event'>): boolean {
  if (event.eventType === 'match') return true
  return (
    event.eventType === 'training' &&
    event.drills.some(
      (drill) => typeof drill === 'object' && drill !== null && Reflect.get(drill, 'intensity') === 'high',
    )
  )
}

export function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
