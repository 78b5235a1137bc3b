/** What the model looks at in a minute: how far each channel is from what is expected, now and over the last hours. */
import { CONTEXT, CONTEXT_SIZE, type ContextState, followContext, freshContext } from './anomaly-context.ts'
import type { Expectation, Expectations } from './anomaly-expected.ts'
import { CHANNELS, type Channel, seenValue, type VitalMinute } from './anomaly-minute.ts'
import { dot } from './ridge.ts'

/** Time constants, in minutes, of the fading means of each channel's distance from what is expected. */
const LOOKS: Readonly<Record<Channel, readonly number[]>> = {
  hr: [1.5, 4, 10, 30, 120],
  hrv: [1.5, 4, 10, 30],
  spo2: [1.5, 5, 20],
  temp: [5, 30, 120],
}
/** And of the size of changes from one value to the next, where beats can be unsteady. */
const CHANGE_LOOKS: Readonly<Record<Channel, readonly number[]>> = {
  hr: [6, 20],
  hrv: [6],
  spo2: [],
  temp: [],
}
const TURN_MINUTES = 6
const SEEN_MINUTES = 15
/** Further away than this is no odder. */
const MOST_DISTANCE = 10
/** As many of the fading means, the quickest ones, say why a minute is odd. */
const EXPLAINED_LOOKS = 3
/** A channel that was silent for longer says nothing about now. */
const SILENT_MINUTES = 15

export interface ChannelState {
  /** In spreads, the last first. */
  looks: number[]
  changes: number[]
  /** Whether changes go back and forth: the fading mean of the product of two successive ones. */
  turn: number
  lastChange: number
  last: number | null
  /** Values in a row that were the same. */
  same: number
  /** Minutes since the last value, and the fading share of minutes with one. */
  silent: number
  seen: number
}

export interface EvidenceState {
  context: ContextState
  channels: Record<Channel, ChannelState>
}

/** A channel's part of a minute, in the terms of `seenValue`. */
export interface Sight {
  expected: number
  seen: number | null
  /** (Seen − expected) / spread, the strongest of its means over one to ten minutes; null when the channel is not judged now. */
  distance: number | null
}

export const EVIDENCE_SIZE =
  CHANNELS.reduce((sum, channel) => sum + LOOKS[channel].length + CHANGE_LOOKS[channel].length, 0) +
  CHANNELS.length +
  9

export function freshEvidence(): EvidenceState {
  const fresh = (channel: Channel): ChannelState => ({
    looks: LOOKS[channel].map(() => 0),
    changes: CHANGE_LOOKS[channel].map(() => 1),
    ...{ turn: 0, lastChange: 0, last: null, same: 0, silent: SILENT_MINUTES, seen: 0 },
  })
  return {
    context: freshContext(),
    channels: { hr: fresh('hr'), hrv: fresh('hrv'), spo2: fresh('spo2'), temp: fresh('temp') },
  }
}

export interface EvidenceReader {
  /** Takes the next minute in, writes EVIDENCE_SIZE numbers, and answers what was expected and seen. */
  read(state: EvidenceState, minute: VitalMinute, into: Float64Array): Record<Channel, Sight | null>
}

export function createEvidenceReader(expectations: Expectations): EvidenceReader {
  const row = new Float64Array(CONTEXT_SIZE)

  function sightOf(
    state: ChannelState,
    expectation: Expectation,
    value: number | null,
    minute: Channel,
  ): Sight {
    const expected = dot(expectation.weights, row)
    follow(state, expectation, expected, value, minute)
    const distance = state.silent >= SILENT_MINUTES ? null : strongest(state.looks.slice(0, EXPLAINED_LOOKS))
    return { expected, seen: value, distance }
  }

  return {
    read(state, minute, into) {
      followContext(state.context, minute, row)
      const sight = (channel: Channel): Sight | null => {
        const expectation = expectations[channel]
        if (expectation === null) return null
        return sightOf(state.channels[channel], expectation, seenValue(minute, channel), channel)
      }
      const sights = { hr: sight('hr'), hrv: sight('hrv'), spo2: sight('spo2'), temp: sight('temp') }
      write(state, sights.hr, expectations.hr, row, into)
      return sights
    },
  }
}

function follow(
  state: ChannelState,
  { spread, change }: Expectation,
  expected: number,
  value: number | null,
  channel: Channel,
): void {
  state.seen += (1 - Math.exp(-1 / SEEN_MINUTES)) * ((value === null ? 0 : 1) - state.seen)
  state.silent = Math.min(state.silent + 1, SILENT_MINUTES)
  if (value === null) {
    if (state.silent >= SILENT_MINUTES) rest(state)
    return
  }
  const passed = state.silent
  state.silent = 0
  const distance = clip((value - expected) / spread)
  LOOKS[channel].forEach((tau, at) => {
    state.looks[at] = fade(state.looks[at] ?? 0, distance, tau, passed)
  })
  if (state.last !== null) {
    const moved = clip((value - state.last) / change)
    CHANGE_LOOKS[channel].forEach((tau, at) => {
      state.changes[at] = fade(state.changes[at] ?? 0, Math.abs(moved), tau, passed)
    })
    state.turn = fade(state.turn, clip(-moved * state.lastChange), TURN_MINUTES, passed)
    state.same = value === state.last ? state.same + 1 : 0
    state.lastChange = moved
  }
  state.last = value
}

function strongest(looks: readonly number[]): number {
  return looks.reduce((most, look) => (Math.abs(look) > Math.abs(most) ? look : most), 0)
}

/** After a long silence a channel begins anew, but for what lasts hours. */
function rest(state: ChannelState): void {
  state.looks = state.looks.map((look, at) => (at > 2 ? look * 0.98 : 0))
  state.changes = state.changes.map(() => 1)
  state.turn = 0
  state.lastChange = 0
  state.last = null
  state.same = 0
}

function write(
  { channels }: EvidenceState,
  hr: Sight | null,
  expectation: Expectation | null,
  row: Float64Array,
  into: Float64Array,
): void {
  let at = 0
  const put = (value: number) => {
    into[at] = value
    at += 1
  }
  for (const channel of CHANNELS) {
    const { looks, changes, seen } = channels[channel]
    looks.forEach(put)
    changes.forEach(put)
    put(seen)
  }
  put(channels.hr.turn)
  put(Math.log1p(channels.hr.same))
  put(Math.log1p(Math.min(channels.hr.same, channels.hrv.seen > 0.05 ? channels.hrv.same : channels.hr.same)))
  put(row[CONTEXT.stepsNow] ?? 0)
  put(row[CONTEXT.stepsLately] ?? 0)
  put(row[CONTEXT.active] ?? 0)
  put(row[CONTEXT.sine] ?? 0)
  put(row[CONTEXT.cosine] ?? 0)
  put(hr === null || expectation === null ? 0 : (hr.expected - expectation.mean) / 20)
}

function fade(before: number, value: number, tau: number, passed: number): number {
  return before + (1 - Math.exp(-Math.max(1, passed) / tau)) * (value - before)
}

function clip(value: number): number {
  return Math.max(-MOST_DISTANCE, Math.min(MOST_DISTANCE, value))
}
