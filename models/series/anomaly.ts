/** PulseNet: how unusual a minute of a person's vitals is for that person, and which channel makes it so. */
import {
  CHECK_P,
  CHECKS,
  type CheckName,
  type CheckPopulations,
  type CheckProfile,
  type CheckScores,
  type CheckState,
  type CheckStep,
  checkScores,
  freshChecks,
  judgedChecks,
  repeatingOf,
} from './anomaly-checks.ts'
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
  checks: CheckProfile
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
  /** The plain checks that had something to judge. */
  checks: CheckStep[]
}

/** What to go on from; plain JSON. */
export interface AnomalyState {
  evidence: EvidenceState
  checks: CheckState
}

export interface Anomaly {
  /** Takes the minute after the last one; about ten microseconds. */
  step(minute: VitalMinute): AnomalyStep
  state(): AnomalyState
}

export interface AnomalyDeps {
  net: DenseNet
  population: Population
  checks: CheckPopulations
  profile: AnomalyProfile
  state?: AnomalyState
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

export function freshAnomaly(): AnomalyState {
  return { evidence: freshEvidence(), checks: freshChecks() }
}

export function createAnomaly({ net, population, profile, ...deps }: AnomalyDeps): Anomaly {
  const reader = createEvidenceReader(profile.expectations)
  const state = structuredClone(deps.state ?? freshAnomaly())
  const evidence = new Float64Array(EVIDENCE_SIZE)
  return {
    step(minute) {
      const sights = reader.read(state.evidence, minute, evidence)
      const scores = checksOf(state.checks, minute, sights, profile.expectations, profile.checks.repeating)
      const checks = judgedChecks(scores, deps.checks, profile.checks)
      const repeats = state.evidence.channels.hr.same
      if (!isJudged(sights)) return { score: null, p: 1, channels: [], repeats, checks }
      const score = net.run(evidence)[0] ?? 0
      const p = rarity(score, population, profile.hours)
      return { score, p, channels: channelSights(sights), repeats, checks }
    },
    state: () => structuredClone(state),
  }
}

type Sights = Readonly<Record<Channel, Sight | null>>

function checksOf(
  state: CheckState,
  minute: VitalMinute,
  { spo2 }: Sights,
  { spo2: expectation }: Expectations,
  repeating: number,
): CheckScores {
  const oxygen = spo2 === null || expectation === null ? null : { expected: spo2.expected, expectation }
  return checkScores(state, minute, oxygen, repeating)
}

/** Whether a minute is beyond the alarm line, the net's or that of a check. */
export function isAlarming({ p, checks }: Pick<AnomalyStep, 'p' | 'checks'>, alarmP = ALARM_P): boolean {
  return p <= alarmP || checks.some((check) => isFailed(check, alarmP))
}

/** Usual again: three times more frequent than the alarm line, because traces of hours fade slowly. */
const CALM = 3

export function isCalm({ p, checks }: Pick<AnomalyStep, 'p' | 'checks'>): boolean {
  return p >= CALM * ALARM_P && checks.every((check) => check.p >= CALM * CHECK_P)
}

/** Whether a plain check says so; its line moves with the net's. */
export function isFailed({ p }: CheckStep, alarmP = ALARM_P): boolean {
  return p <= CHECK_P * (alarmP / ALARM_P)
}

function channelSights(sights: Sights): ChannelSight[] {
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
  yield
  const repeating = repeatingOf(minutes, ordinary)
  const fold = Math.ceil(minutes.length / FOLDS)
  const nothing = () => new Float64Array(minutes.length).fill(Number.NaN)
  const scores = { net: nothing(), repeats: nothing(), low_oxygen: nothing() }
  for (let part = 0; part < FOLDS; part += 1) {
    const [from, to] = [part * fold, Math.min((part + 1) * fold, minutes.length)]
    const isOther = (t: number) => (t < from || t >= to) && ordinary(t)
    const others = yield* learningExpectations(minutes, rows, isOther)
    const scorer = createScorer(net, others, repeating)
    // Fading means fill up before the first minute that counts.
    for (let t = Math.max(0, from - WARM_UP_MINUTES); t < to; t += 1) {
      if (t % PIECE_MINUTES === 0) yield
      const minute = minutes[t]
      const found = minute ? scorer(minute) : null
      if (found === null || t < Math.max(from, WARM_UP_MINUTES) || !ordinary(t)) continue
      scores.net[t] = found.net
      for (const name of CHECKS) scores[name][t] = found.checks[name] ?? Number.NaN
    }
  }
  const expectations = yield* learningExpectations(minutes, rows, ordinary)
  const hours = {
    repeats: hourlyHighest(scores.repeats),
    low_oxygen: hourlyHighest(scores.low_oxygen),
  }
  return { expectations, hours: hourlyHighest(scores.net), checks: { repeating, hours } }
}

/** The net's score of each minute; NaN where nothing was judged. */
export function scoreMinutes(
  net: DenseNet,
  expectations: Expectations,
  minutes: readonly VitalMinute[],
): Float64Array {
  const scorer = createScorer(net, expectations, 1)
  return Float64Array.from(minutes, (minute) => scorer(minute).net)
}

/** A check's score of each minute; NaN where there was nothing to check. */
export function scoreChecks(
  expectations: Expectations,
  repeating: number,
  minutes: readonly VitalMinute[],
): Record<CheckName, Float64Array> {
  const reader = createEvidenceReader(expectations)
  const state = freshAnomaly()
  const evidence = new Float64Array(EVIDENCE_SIZE)
  const found = minutes.map((minute) =>
    checksOf(state.checks, minute, reader.read(state.evidence, minute, evidence), expectations, repeating),
  )
  return {
    repeats: Float64Array.from(found, ({ repeats }) => repeats ?? Number.NaN),
    low_oxygen: Float64Array.from(found, ({ low_oxygen }) => low_oxygen ?? Number.NaN),
  }
}

function createScorer(
  net: DenseNet,
  expectations: Expectations,
  repeating: number,
): (minute: VitalMinute) => { net: number; checks: CheckScores } {
  const reader = createEvidenceReader(expectations)
  const state = freshAnomaly()
  const evidence = new Float64Array(EVIDENCE_SIZE)
  return (minute) => {
    const sights = reader.read(state.evidence, minute, evidence)
    const checks = checksOf(state.checks, minute, sights, expectations, repeating)
    return { net: isJudged(sights) ? (net.run(evidence)[0] ?? 0) : Number.NaN, checks }
  }
}

function isJudged(sights: Sights): boolean {
  return CHANNELS.some((channel) => sights[channel]?.distance != null)
}
