/** PulseNet: how unusual a minute of a person's vitals is for that person, and which channel makes it so. */
import {
  createEvidenceReader,
  EVIDENCE_SIZE,
  type EvidenceState,
  freshEvidence,
  type Sight,
} from './anomaly-evidence.ts'
import {
  atOnce,
  contextInPieces,
  type Expectations,
  type InPieces,
  learningExpectations,
} from './anomaly-expected.ts'
import { CHANNELS, type Channel, spokenValue, type VitalMinute } from './anomaly-minute.ts'
import { hourlyHighest, type OwnHours, type Population, rarity } from './anomaly-odds.ts'
import type { DenseNet } from './dense-net.ts'

/** Everything the model knows about one person; plain JSON. */
export interface AnomalyProfile {
  expectations: Expectations
  hours: OwnHours
}

export interface ChannelSight {
  channel: Channel
  /** In the unit of the channel. */
  expected: number
  /** Null when this minute has no value. */
  seen: number | null
  /** Distance of the last one to ten minutes from what was expected, in the person's usual spreads; above 0 is more than expected. */
  distance: number
  /** The part of all channels' distances that is this one's, 0 to 1. */
  share: number
}

export interface AnomalyStep {
  /** The net's evidence that something is wrong, as a logarithm of odds; null while no channel says anything. */
  score: number | null
  /** How many ordinary hours of 1 hold such a minute; 1 while there is no score. */
  p: number
  /** The oddest first. */
  channels: ChannelSight[]
  /** Heart rates in a row that were the same: a watch that is stuck repeats itself. */
  repeats: number
}

export interface Anomaly {
  /** Takes the minute after the last one; about ten microseconds. */
  step(minute: VitalMinute): AnomalyStep
  /** What to go on from; plain JSON. */
  state(): EvidenceState
}

export interface AnomalyDeps {
  net: DenseNet
  population: Population
  profile: AnomalyProfile
  state?: EvidenceState
}

/**
 * An alarm is a minute rarer than this: one such hour in ten days for somebody who is well. The stated rate; what it came to on people
 * whom the model had not seen stands in the model's card.
 */
export const ALARM_P = 1 / 240
/** Fading means of the first minutes are still empty: hours before this are no evidence of what is ordinary. */
const WARM_UP_MINUTES = 180
const FOLDS = 3
const PIECE_MINUTES = 500

/** In spreads; smaller differences are nobody's reason. */
const LEAST_DISTANCE = 0.25

export function createAnomaly({ net, population, profile, state = freshEvidence() }: AnomalyDeps): Anomaly {
  const reader = createEvidenceReader(profile.expectations)
  const evidence = new Float64Array(EVIDENCE_SIZE)
  return {
    step(minute) {
      const sights = reader.read(state, minute, evidence)
      const repeats = state.channels.hr.same
      if (!isJudged(sights)) return { score: null, p: 1, channels: [], repeats }
      const score = net.run(evidence)[0] ?? 0
      const p = rarity(score, population, profile.hours)
      return { score, p, channels: channelSights(sights), repeats }
    },
    state: () => structuredClone(state),
  }
}

function channelSights(sights: Readonly<Record<Channel, Sight | null>>): ChannelSight[] {
  const known = CHANNELS.flatMap((channel) => {
    const sight = sights[channel]
    if (sight === null || sight.distance === null) return []
    const { expected, seen, distance } = sight
    return [
      {
        channel,
        expected: spokenValue(expected, channel),
        seen: seen === null ? null : spokenValue(seen, channel),
        distance,
      },
    ]
  })
  const total = known.reduce((sum, { distance }) => sum + weightOf(distance), 0)
  return known
    .map((sight) => ({ ...sight, share: total === 0 ? 0 : weightOf(sight.distance) / total }))
    .toSorted((a, b) => Math.abs(b.distance) - Math.abs(a.distance))
}

function weightOf(distance: number): number {
  return Math.abs(distance) < LEAST_DISTANCE ? 0 : distance ** 2
}

/**
 * Learns a person from successive minutes, the oldest first: what their channels are expected to show, and how high the net scores
 * in their ordinary hours. Each third of the minutes is scored by what was learnt from the other two. Call it anew when there is more.
 * Minutes that are not `ordinary` are passed over.
 */
export function calibrateAnomaly(
  net: DenseNet,
  minutes: readonly VitalMinute[],
  ordinary?: (t: number) => boolean,
): AnomalyProfile {
  return atOnce(calibrating(net, minutes, ordinary))
}

/** The same in pieces of a few milliseconds, for a caller that has other things to do between them. */
export function* calibrating(
  net: DenseNet,
  minutes: readonly VitalMinute[],
  ordinary: (t: number) => boolean = () => true,
): InPieces<AnomalyProfile> {
  const rows = yield* contextInPieces(minutes)
  const fold = Math.ceil(minutes.length / FOLDS)
  const scores = new Float64Array(minutes.length).fill(Number.NaN)
  for (let part = 0; part < FOLDS; part += 1) {
    const [from, to] = [part * fold, Math.min((part + 1) * fold, minutes.length)]
    const isOther = (t: number) => (t < from || t >= to) && ordinary(t)
    const others = yield* learningExpectations(minutes, rows, isOther)
    const scorer = createScorer(net, others)
    // Fading means fill up before the first minute that counts.
    for (let t = Math.max(0, from - WARM_UP_MINUTES); t < to; t += 1) {
      if (t % PIECE_MINUTES === 0) yield
      const minute = minutes[t]
      const score = minute ? scorer(minute) : Number.NaN
      if (t >= Math.max(from, WARM_UP_MINUTES) && ordinary(t)) scores[t] = score
    }
  }
  const expectations = yield* learningExpectations(minutes, rows, ordinary)
  return { expectations, hours: hourlyHighest(scores) }
}

/** The net's score of each minute; NaN where nothing was judged. */
export function scoreMinutes(
  net: DenseNet,
  expectations: Expectations,
  minutes: readonly VitalMinute[],
): Float64Array {
  return Float64Array.from(minutes, createScorer(net, expectations))
}

function createScorer(net: DenseNet, expectations: Expectations): (minute: VitalMinute) => number {
  const reader = createEvidenceReader(expectations)
  const state = freshEvidence()
  const evidence = new Float64Array(EVIDENCE_SIZE)
  return (minute) =>
    isJudged(reader.read(state, minute, evidence)) ? (net.run(evidence)[0] ?? 0) : Number.NaN
}

function isJudged(sights: Readonly<Record<Channel, Sight | null>>): boolean {
  return CHANNELS.some((channel) => sights[channel]?.distance != null)
}
