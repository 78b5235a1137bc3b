/** What a person was doing lately, from steps and the time of day: the ground on which their vitals are expected. */
import type { VitalMinute } from './anomaly-minute.ts'

/** Time constants of the fading means of steps: a heart follows a run up within minutes and comes down more slowly. */
const STEP_MINUTES = [1.5, 4, 9, 22] as const
/** The same for the share of minutes with any step, which tells waking from sleeping. */
const ACTIVE_MINUTES = [10, 45] as const
const HARMONICS = 4
const STEPS_UNIT = 100
const MOST_STEPS = 250
const DAY_MINUTES = 1440

/** Numbers in a row of context: a constant, steps, activity, harmonics of the day. */
export const CONTEXT_SIZE = 1 + STEP_MINUTES.length + ACTIVE_MINUTES.length + 2 * HARMONICS
/** Places in that row that the model looks at as well. */
export const CONTEXT = { stepsNow: 2, stepsLately: 4, active: 6, sine: 7, cosine: 8 } as const

/** Fading means of steps, then of activity. */
export type ContextState = number[]

export function freshContext(): ContextState {
  return Array.from({ length: STEP_MINUTES.length + ACTIVE_MINUTES.length }, () => 0)
}

/** Takes the next minute in and writes its row. A minute without a step count leaves the means where they were. */
export function followContext(state: ContextState, minute: VitalMinute, row: Float64Array): void {
  const { steps } = minute
  if (steps !== null && Number.isFinite(steps)) {
    const walked = Math.min(Math.max(steps, 0), MOST_STEPS) / STEPS_UNIT
    STEP_MINUTES.forEach((tau, at) => {
      state[at] = fade(state[at], walked, tau)
    })
    ACTIVE_MINUTES.forEach((tau, at) => {
      state[STEP_MINUTES.length + at] = fade(state[STEP_MINUTES.length + at], walked > 0 ? 1 : 0, tau)
    })
  }
  row[0] = 1
  row.set(state, 1)
  const angle = (2 * Math.PI * minute.minuteOfDay) / DAY_MINUTES
  for (let k = 1; k <= HARMONICS; k += 1) {
    row[state.length + 2 * k - 1] = Math.sin(k * angle)
    row[state.length + 2 * k] = Math.cos(k * angle)
  }
}

function fade(before: number | undefined, value: number, tau: number): number {
  return (before ?? 0) + (1 - Math.exp(-1 / tau)) * (value - (before ?? 0))
}
