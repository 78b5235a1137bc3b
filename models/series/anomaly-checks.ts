/**
 * Two plain checks beside the net, for patterns that a net knows only when it was taught them: a watch that repeats itself, and oxygen
 * below the person's own range. Each has odds of its own, so that its false-alarm rate is a stated one.
 */
import type { Expectation } from './anomaly-expected.ts'
import { seenValue, type VitalMinute } from './anomaly-minute.ts'
import { type OwnHours, type Population, rarity } from './anomaly-odds.ts'

export const CHECKS = ['repeats', 'low_oxygen'] as const
export type CheckName = (typeof CHECKS)[number]

/** One such hour in sixty days for somebody who is well, for each of the two; the stated rate. */
export const CHECK_P = 1 / 1440

/** Highest scores of ordinary hours of made-up people, for each check. */
export type CheckPopulations = Readonly<Record<CheckName, Population>>

/** What a person's own minutes taught the checks; plain JSON. */
export interface CheckProfile {
  /** Share of heart rates that are the same as the one before, HRV included where there is one. */
  repeating: number
  hours: Record<CheckName, OwnHours>
}

/** What the checks go on from; plain JSON. */
export interface CheckState {
  last: { hr: number; hrv: number | null } | null
  /** Minutes since the last heart rate, values in a row that repeated it, and minutes since the first of them. */
  silent: number
  repeats: number
  lasting: number
  /** The newest oxygen values, the last first: distance from what was expected, in spreads, and minutes since. */
  oxygen: { distance: number; age: number }[]
}

export interface CheckStep {
  name: CheckName
  /** How many ordinary hours of 1 hold such a minute. */
  p: number
}

export type CheckScores = Record<CheckName, number | null>

/** A shorter run is nothing yet, however seldom values repeat. */
const LEAST_REPEATED_MINUTES = 10
const SILENT_MINUTES = 15
/** The third lowest of so many values: one or two that a loose watch got wrong move nothing. */
const OXYGEN_VALUES = 5
const OXYGEN_LOW = 3
const OXYGEN_OLD_MINUTES = 15

export function freshChecks(): CheckState {
  return { last: null, silent: SILENT_MINUTES, repeats: 0, lasting: 0, oxygen: [] }
}

/**
 * Scores of the next minute. A run of k repetitions scores k·(−ln q), q being how often this person's values repeat by chance: the
 * logarithm of how unlikely the run is if repetitions came independently. They do not quite, so the odds are taken from hours.
 * Oxygen scores by how many spreads the third lowest of the last five values lies below what is expected at this time of day.
 */
export function checkScores(
  state: CheckState,
  minute: VitalMinute,
  oxygen: { expected: number; expectation: Expectation } | null,
  repeating: number,
): CheckScores {
  followRepeats(state, minute)
  const isLasting = state.lasting >= LEAST_REPEATED_MINUTES
  return {
    repeats: state.last === null ? null : isLasting ? state.repeats * -Math.log(repeating) : 0,
    low_oxygen: oxygen === null ? null : followOxygen(state, minute, oxygen.expected, oxygen.expectation),
  }
}

/** Steps of the checks that have something to say. */
export function judgedChecks(
  scores: CheckScores,
  populations: CheckPopulations,
  { hours }: CheckProfile,
): CheckStep[] {
  return CHECKS.flatMap((name) => {
    const score = scores[name]
    return score === null ? [] : [{ name, p: rarity(score, populations[name], hours[name]) }]
  })
}

/** Share of repetitions among successive heart rates; half a one is added, so that it is never nothing. */
export function repeatingOf(minutes: readonly VitalMinute[], ordinary: (t: number) => boolean): number {
  const state = freshChecks()
  let same = 0.5
  let pairs = 1
  for (const [t, minute] of minutes.entries()) {
    const before = state.last
    followRepeats(state, minute)
    if (before === null || minute.hr === null || !ordinary(t)) continue
    pairs += 1
    if (state.repeats > 0) same += 1
  }
  return Math.min(same / pairs, 0.99)
}

function followRepeats(state: CheckState, { hr, hrv }: VitalMinute): void {
  state.silent = Math.min(state.silent + 1, SILENT_MINUTES)
  if (state.repeats > 0) state.lasting += 1
  if (hr === null || !Number.isFinite(hr)) {
    if (state.silent < SILENT_MINUTES) return
    Object.assign(state, { last: null, repeats: 0, lasting: 0 })
    return
  }
  const { last } = state
  const isSame = last?.hr === hr && (last.hrv === null || hrv === null || last.hrv === hrv)
  if (!isSame) Object.assign(state, { repeats: 0, lasting: 0 })
  else {
    if (state.repeats === 0) state.lasting = state.silent
    state.repeats += 1
  }
  state.last = { hr, hrv: hrv ?? (isSame ? (last?.hrv ?? null) : null) }
  state.silent = 0
}

function followOxygen(
  state: CheckState,
  minute: VitalMinute,
  expected: number,
  { spread }: Expectation,
): number | null {
  for (const one of state.oxygen) one.age += 1
  const value = seenValue(minute, 'spo2')
  if (value !== null) state.oxygen.unshift({ distance: (value - expected) / spread, age: 0 })
  state.oxygen = state.oxygen.filter(({ age }, at) => at < OXYGEN_VALUES && age <= OXYGEN_OLD_MINUTES)
  const third = state.oxygen.map(({ distance }) => distance).toSorted((a, b) => a - b)[OXYGEN_LOW - 1]
  return third === undefined ? null : -third
}
