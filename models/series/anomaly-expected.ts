/** What each channel of a person is expected to show, from what they did lately and the time of day. */
import { CONTEXT_SIZE, followContext, freshContext } from './anomaly-context.ts'
import { CHANNELS, type Channel, seenValue, type VitalMinute } from './anomaly-minute.ts'
import { addRow, dot, emptySums, solveRidge } from './ridge.ts'

/** One channel of one person; null where there was too little to learn from. */
export interface Expectation {
  /** One coefficient for each number of the context. */
  weights: number[]
  /** How far values usually are from what is expected (1.4826 × median of the distances), in the terms of `seenValue`. */
  spread: number
  /** Mean of the channel, and the usual change from one value to the next. */
  mean: number
  change: number
}

export type Expectations = Readonly<Record<Channel, Expectation | null>>

/** A channel with fewer values than this in all of the calibration is not judged. */
const LEAST_VALUES = 120
const PENALTY = 8
/** No watch is more exact than this, and a spread of nothing would make everything odd. */
const LEAST_SPREAD: Readonly<Record<Channel, number>> = { hr: 1, hrv: 0.06, spo2: 0.6, temp: 0.08 }

/** Rows of context of successive minutes, as one array. */
export function contextRows(minutes: readonly VitalMinute[]): Float64Array {
  const rows = new Float64Array(minutes.length * CONTEXT_SIZE)
  const state = freshContext()
  minutes.forEach((minute, t) => {
    followContext(state, minute, rows.subarray(t * CONTEXT_SIZE, (t + 1) * CONTEXT_SIZE))
  })
  return rows
}

/** Learns from minutes for which `isUsed` holds. */
export function learnExpectations(
  minutes: readonly VitalMinute[],
  rows: Float64Array,
  isUsed: (t: number) => boolean = () => true,
): Expectations {
  const learnt = CHANNELS.map((channel) => [channel, learnChannel(channel, minutes, rows, isUsed)] as const)
  // The keys are all channels, from the list above.
  return Object.fromEntries(learnt) as Record<Channel, Expectation | null>
}

function learnChannel(
  channel: Channel,
  minutes: readonly VitalMinute[],
  rows: Float64Array,
  isUsed: (t: number) => boolean,
): Expectation | null {
  const values = minutes.map((minute, t) => (isUsed(t) ? seenValue(minute, channel) : null))
  const present = values.flatMap((value, t) => (value === null ? [] : [{ value, t }]))
  if (present.length < LEAST_VALUES) return null
  const mean = present.reduce((sum, { value }) => sum + value, 0) / present.length
  const sums = emptySums(CONTEXT_SIZE)
  for (const { value, t } of present) addRow(sums, rowAt(rows, t), value - mean)
  const weights = solveRidge(sums, PENALTY)
  weights[0] = (weights[0] ?? 0) + mean
  const distances = present.map(({ value, t }) => Math.abs(value - dot(weights, rowAt(rows, t))))
  const changes = present.slice(1).map(({ value }, at) => Math.abs(value - (present[at]?.value ?? value)))
  const least = LEAST_SPREAD[channel]
  return {
    weights: [...weights],
    mean,
    spread: Math.max(1.4826 * median(distances), least),
    change: Math.max(changes.reduce((sum, one) => sum + one, 0) / Math.max(1, changes.length), least / 2),
  }
}

export function rowAt(rows: Float64Array, t: number): Float64Array {
  return rows.subarray(t * CONTEXT_SIZE, (t + 1) * CONTEXT_SIZE)
}

export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
