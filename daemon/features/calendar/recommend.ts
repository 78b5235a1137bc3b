/** Free times that suit one more training: what is planned, published guidelines and the load of late decide, and each reason is told. */
import { loadDays, risingFast } from '../../../models/series/load.ts'
import { YOUTH_LIMITS } from '../../../models/series/youth.ts'
import type { CalendarEvent, EventType } from '../../domain/calendar.ts'
import { weekdayOf } from '../../domain/recurrence.ts'
import { localDay, wallClockMs, wallTimeToMs } from '../../domain/zone.ts'
import { blank } from './draft.ts'
import type { Occurrence } from './expand.ts'
import type { Planner } from './parts.ts'
import type { LoadTold, Reason, Recommendation, Suggestion } from './recommended.ts'
import { isHard, isSport, recoveryTime, rounded, trainingLoad, type Verdict } from './verdicts.ts'

export interface Asked {
  playerId: string
  eventType: EventType
  minutes: number
  intensity: 'low' | 'high' | null
  fromMs: number
  toMs: number
  /** Minutes of the player's day between which it takes place; null: the usual ones. */
  earliest: number | null
  latest: number | null
  count: number
}

/** A session that a player has rated: RPE times minutes. */
export interface RatedSession {
  sessionId: string
  atMs: number
  rpe: number
  load: number
}

export interface Known {
  planned: readonly Occurrence[]
  /** Of the last LOAD_DAYS days, in any order. */
  rated: readonly RatedSession[]
  nowMs: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
export const LOAD_DAYS = 42
/** Between two things on one day, for the way and for changing. */
const BETWEEN_MS = 30 * MINUTE_MS
const STEP_MIN = 30
const USUAL = { earliest: 8 * 60, latest: 20 * 60 + 30, afterSchool: 15 * 60 }
const SCHOOL_AGE = { from: 6, to: 18 }
/** From here on Foster's scale says "very hard". */
const HARD_RPE = 7
/** An event that long says what day it is, not when somebody is away. */
const WHOLE_DAY_MS = 20 * HOUR_MS
const DRAFT_ID = 'recommended'

interface Slot {
  startMs: number
  endMs: number
  day: string
  score: number
  reasons: Reason[]
}

/** At most `count` times on different days, the best first; every time that was left out is counted under its reason. */
export function recommend(player: Planner, asked: Asked, known: Known): Recommendation {
  const load = loadOf(player, known)
  const left = new Map<string, number>()
  const count = (why: string) => left.set(why, (left.get(why) ?? 0) + 1)
  const slots: Slot[] = []
  for (const { startMs, day } of startsOf(player, asked, known.nowMs)) {
    const slot = { startMs, endMs: startMs + asked.minutes * MINUTE_MS, day, score: 0, reasons: [] }
    if (known.planned.some((one) => !isWholeDay(one) && touches(one, slot))) {
      count('planned')
      continue
    }
    const against = outside(player, asked, slot, known)
    if (against.length > 0) for (const check of new Set(against)) count(check)
    else slots.push(judged(player, asked, slot, { ...known, load }))
  }
  return {
    player_id: player.id,
    suggestions: bestPerDay(slots, asked.count).map(shown),
    left_out: [...left].map(([reason, times]) => ({ reason, times })).sort((a, b) => b.times - a.times),
    load,
  }
}

/** Every half hour that the asked length fits into, from an hour ahead on. */
function* startsOf(
  player: Planner,
  asked: Asked,
  nowMs: number,
): Generator<{ startMs: number; day: string }> {
  const zone = player.timezone
  const fromMs = Math.max(asked.fromMs, nowMs + HOUR_MS)
  const last = localDay(asked.toMs - 1, zone)
  for (let day = localDay(fromMs, zone); day <= last; day = dayAfter(day)) {
    const { earliest, latest } = hoursOf(player, asked, day)
    for (let minute = earliest; minute + asked.minutes <= latest; minute += STEP_MIN) {
      const startMs = wallTimeToMs(`${day}T${clockText(minute)}:00`, zone)
      if (startMs !== null && startMs >= fromMs && startMs < asked.toMs) yield { startMs, day }
    }
  }
}

function hoursOf(player: Planner, { earliest, latest }: Asked, day: string) {
  const usual = isSchoolDay(player, day) ? USUAL.afterSchool : USUAL.earliest
  return { earliest: earliest ?? usual, latest: latest ?? USUAL.latest }
}

/** Monday to Friday at school age: lessons are in nobody's calendar, so mornings are taken for lessons. */
function isSchoolDay({ age }: Planner, day: string): boolean {
  const weekday = weekdayOf(Date.parse(`${day}T00:00:00Z`))
  return age !== null && age >= SCHOOL_AGE.from && age < SCHOOL_AGE.to && weekday < 5
}

/** The guidelines that the plan would lie outside of with this slot in it. */
function outside(
  player: Planner,
  asked: Asked,
  slot: Slot,
  { planned, rated, nowMs }: Known,
): Verdict['check'][] {
  const draft = draftOf(player, asked, slot, nowMs)
  const withIt = [...planned, { event: draft, startMs: slot.startMs, endMs: slot.endMs, readOnly: false }]
  const verdicts = isSport(asked.eventType)
    ? [...trainingLoad(player, withIt, slot.startMs), ...recoveryTime(player, withIt, DRAFT_ID)]
    : []
  const tooSoon =
    isHard({ event: draft }) &&
    rated.some(({ atMs, rpe }) => rpe >= HARD_RPE && slot.startMs - atMs < hardGapMs() && atMs < slot.startMs)
  return [...verdicts.map(({ check }) => check), ...(tooSoon ? ['under_48h_between_high'] : [])]
}

function hardGapMs(): number {
  return YOUTH_LIMITS.hoursBetweenHigh * HOUR_MS
}

function draftOf(player: Planner, asked: Asked, slot: Slot, nowMs: number): CalendarEvent {
  const of = { personId: player.id, groupId: null }
  return {
    ...blank(DRAFT_ID, of, { timezone: player.timezone, createdBy: null, nowMs }),
    eventType: asked.eventType,
    startMs: slot.startMs,
    endMs: slot.endMs,
    drills: asked.intensity === null ? [] : [{ intensity: asked.intensity }],
  }
}

/** What speaks for a slot, with the figure of each reason and what it was taken from. */
function judged(player: Planner, asked: Asked, slot: Slot, known: Known & { load: LoadTold }): Slot {
  const { planned, load } = known
  const zone = player.timezone
  const sport = planned.filter(({ event }) => isSport(event.eventType))
  const sameDay = planned.filter((one) => localDay(one.startMs, zone) === slot.day)
  const reasons: Reason[] = [
    freeAround(
      sameDay.filter((one) => !isWholeDay(one)),
      slot,
    ),
  ]
  let score = 0
  const rest = restOf(slot, sport, known.rated)
  score += rest === null ? 3 : (3 * Math.min(rest.figure ?? 0, 48)) / 48
  if (rest) reasons.push(rest)
  if (!sameDay.some(({ event }) => isSport(event.eventType))) {
    score += 2
    reasons.push({ code: 'only_sport_that_day', figure: null, unit: null, from: [] })
  }
  const school = sameDay.filter((one) => isWholeDay(one) && one.event.eventType === 'school')
  if (school.length > 0) {
    score -= 1
    reasons.push({ code: 'school_event_that_day', figure: null, unit: null, from: school.map(named) })
  }
  if (asked.earliest === null && isSchoolDay(player, slot.day))
    reasons.push({ code: 'after_school_assumed', figure: USUAL.afterSchool / 60, unit: 'h', from: [] })
  const daysAhead = (slot.startMs - known.nowMs) / DAY_MS
  if (load.rising_fast === true) {
    // Later and lighter is what a steep rise asks for; a coach may still choose otherwise.
    score += 0.3 * daysAhead
    const from = load.session_ids.map((id) => ({ kind: 'session' as const, id, title: null, at: null }))
    reasons.push({ code: 'load_rising', figure: load.ratio, unit: 'ratio', from })
  } else score -= 0.1 * daysAhead
  const minute = (wallClockMs(slot.startMs, zone) % DAY_MS) / MINUTE_MS
  score -= Math.abs(minute - 17 * 60) / 600
  return { ...slot, score, reasons }
}

/** Minutes that nothing else is planned around it on that day, between the neighbours. */
function freeAround(sameDay: readonly Occurrence[], { startMs, endMs }: Slot): Reason {
  const before = sameDay.filter((one) => one.endMs <= startMs).sort((a, b) => b.endMs - a.endMs)[0]
  const after = sameDay.filter((one) => one.startMs >= endMs).sort((a, b) => a.startMs - b.startMs)[0]
  const figure = before && after ? Math.round((after.startMs - before.endMs) / MINUTE_MS) : null
  const from = [before, after].flatMap((one) => (one ? [named(one)] : []))
  return { code: 'free', figure, unit: figure === null ? null : 'min', from }
}

/** Hours to the nearest sport before or after, planned or rated; null where there is none within four days. */
function restOf(
  { startMs, endMs }: Slot,
  sport: readonly Occurrence[],
  rated: readonly RatedSession[],
): Reason | null {
  const around = [
    ...sport.map((one) => ({
      hours: (one.startMs >= endMs ? one.startMs - endMs : startMs - one.endMs) / HOUR_MS,
      from: named(one),
    })),
    ...rated.map(({ sessionId, atMs }) => ({
      hours: (startMs - atMs) / HOUR_MS,
      from: { kind: 'session' as const, id: sessionId, title: null, at: new Date(atMs).toISOString() },
    })),
  ].filter(({ hours }) => hours >= 0 && hours <= 96)
  const [nearest] = around.sort((a, b) => a.hours - b.hours)
  if (!nearest) return null
  return { code: 'rest_to_nearest', figure: rounded(nearest.hours), unit: 'h', from: [nearest.from] }
}

/** Load of the last days as sessions were rated; nothing is claimed before four weeks are known. */
function loadOf({ timezone }: Planner, { rated, nowMs }: Known): LoadTold {
  const today = localDay(nowMs, timezone)
  const byDay = new Map<string, number>()
  for (const { atMs, load } of rated) {
    const day = localDay(atMs, timezone)
    byDay.set(day, (byDay.get(day) ?? 0) + load)
  }
  const first = [...byDay.keys()].sort()[0]
  const days: number[] = []
  if (first !== undefined)
    for (let day = first; day <= today && days.length <= LOAD_DAYS; day = dayAfter(day))
      days.push(byDay.get(day) ?? 0)
  const course = loadDays(days)
  const last = course.at(-1)
  const lately = rated.filter(({ atMs }) => atMs > nowMs - 7 * DAY_MS)
  return {
    days_known: days.length,
    week_load: last?.weekLoad == null ? null : Math.round(last.weekLoad),
    ratio: last?.ratioEwma == null ? null : Math.round(last.ratioEwma * 100) / 100,
    rising_fast: risingFast(course),
    session_ids: lately.map(({ sessionId }) => sessionId).slice(0, 50),
  }
}

function bestPerDay(slots: readonly Slot[], count: number): Slot[] {
  const days = new Set<string>()
  const found: Slot[] = []
  for (const slot of slots.toSorted((a, b) => b.score - a.score || a.startMs - b.startMs)) {
    if (found.length >= count) break
    if (days.has(slot.day)) continue
    days.add(slot.day)
    found.push(slot)
  }
  return found
}

function shown({ startMs, endMs, score, reasons }: Slot): Suggestion {
  const [start_time, end_time] = [new Date(startMs).toISOString(), new Date(endMs).toISOString()]
  return { start_time, end_time, score: Math.round(score * 100) / 100, reasons }
}

function named({ event, startMs }: Occurrence): Reason['from'][number] {
  return { kind: 'event', id: event.id, title: event.title, at: new Date(startMs).toISOString() }
}

function touches(one: Occurrence, slot: Slot): boolean {
  return one.startMs < slot.endMs + BETWEEN_MS && one.endMs > slot.startMs - BETWEEN_MS
}

function isWholeDay({ startMs, endMs }: Occurrence): boolean {
  return endMs - startMs >= WHOLE_DAY_MS
}

function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10)
}

function clockText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}
