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

/** As many minutes are worked through at one go: a few milliseconds. */
const PIECE_MINUTES = 1000

/** Work that lets its caller do other things in between. */
export type InPieces<Result> = Generator<undefined, Result, undefined>

/** Does such work at one go. */
export function atOnce<Result>(work: InPieces<Result>): Result {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

/** Rows of context of successive minutes, as one array. */
export function* contextInPieces(minutes: readonly VitalMinute[]): InPieces<Float64Array> {
  const rows = new Float64Array(minutes.length * CONTEXT_SIZE)
  const state = freshContext()
  for (const [t, minute] of minutes.entries()) {
    if (t % PIECE_MINUTES === 0) yield
    followContext(state, minute, rowAt(rows, t))
  }
  return rows
}

export function contextRows(minutes: readonly VitalMinute[]): Float64Array {
  return atOnce(contextInPieces(minutes))
}

/** Learns from minutes for which `isUsed` holds. */
export function* learningExpectations(
  minutes: readonly VitalMinute[],
  rows: Float64Array,
  isUsed: (t: number) => boolean = () => true,
): InPieces<Expectations> {
  const learnt: [Channel, Expectation | null][] = []
  for (const channel of CHANNELS) learnt.push([channel, yield* learnChannel(channel, minutes, rows, isUsed)])
  // The keys are all channels, from the list above.
  return Object.fromEntries(learnt) as Record<Channel, Expectation | null>
}

export function learnExpectations(
  minutes: readonly VitalMinute[],
  rows: Float64Array,
  isUsed?: (t: number) => boolean,
): Expectations {
  return atOnce(learningExpectations(minutes, rows, isUsed))
}

function* learnChannel(
  channel: Channel,
  minutes: readonly VitalMinute[],
  rows: Float64Array,
  isUsed: (t: number) => boolean,
): InPieces<Expectation | null> {
  yield
  const values = new Float64Array(minutes.length)
  const places = new Int32Array(minutes.length)
  let count = 0
  for (const [t, minute] of minutes.entries()) {
    const value = isUsed(t) ? seenValue(minute, channel) : null
    if (value === null) continue
    values[count] = value
    places[count] = t
    count += 1
  }
  if (count < LEAST_VALUES) return null
  const present = values.subarray(0, count)
  const mean = present.reduce((sum, value) => sum + value, 0) / count
  const sums = emptySums(CONTEXT_SIZE)
  for (let at = 0; at < count; at += 1) {
    if (at % PIECE_MINUTES === 0) yield
    addRow(sums, rowAt(rows, places[at] ?? 0), (present[at] ?? 0) - mean)
  }
  const weights = solveRidge(sums, PENALTY)
  weights[0] = (weights[0] ?? 0) + mean
  yield
  const distances = present.map((value, at) => Math.abs(value - dot(weights, rowAt(rows, places[at] ?? 0))))
  yield
  const least = LEAST_SPREAD[channel]
  return {
    weights: [...weights],
    mean,
    spread: Math.max(1.4826 * median(distances), least),
    change: Math.max(meanChange(present), least / 2),
  }
}

function meanChange(values: Float64Array): number {
  let sum = 0
  for (let at = 1; at < values.length; at += 1) sum += Math.abs((values[at] ?? 0) - (values[at - 1] ?? 0))
  return sum / Math.max(1, values.length - 1)
}

export function rowAt(rows: Float64Array, t: number): Float64Array {
  return rows.subarray(t * CONTEXT_SIZE, (t + 1) * CONTEXT_SIZE)
}

export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
