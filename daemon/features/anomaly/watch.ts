/** Follows one person minute by minute: opens an episode when a minute is rarer than the alarm line, ends it when all is usual again. */
import type { PulseNet } from '../../../models/pulsenet.ts'
import {
  ALARM_P,
  type AnomalyProfile,
  type AnomalyStep,
  createAnomaly,
} from '../../../models/series/anomaly.ts'
import type { VitalMinute } from '../../../models/series/anomaly-minute.ts'
import { type Choice, MINUTE_MS } from './minutes.ts'
import type { AnomalyEpisodes } from './ports.ts'
import { KIND, sightingOf } from './words.ts'

export interface VitalWatchDeps {
  personId: string
  model: PulseNet
  profile: AnomalyProfile
  choice: Choice
  /** The first minute that it will be given. */
  fromMs: number
  episodes: AnomalyEpisodes
}

export interface VitalWatch {
  readonly choice: Choice
  /** The minute that comes next. */
  nextMs(): number
  /** Takes minutes in, the next one first; what is older than TELL_MS at `nowMs` is only learnt from. */
  take(minutes: readonly VitalMinute[], nowMs: number): Promise<void>
  /** The last minute in which something was judged. */
  last(): { atMs: number; step: AnomalyStep } | null
  isUnusual(): boolean
}

/** Minutes that come later say nothing about now: they were kept somewhere on their way. */
export const TELL_MS = 10 * MINUTE_MS
/** Evidence of the same episode is added this often. */
const EVIDENCE_EVERY_MS = 5 * MINUTE_MS
/** Usual for so long means that it is over; usual is three times more frequent than the alarm line, because traces of hours fade slowly. */
const CALM_MINUTES = 20
const CALM_P = 3 * ALARM_P

export function createVitalWatch({ episodes, ...deps }: VitalWatchDeps): VitalWatch {
  const { personId, model, profile, choice } = deps
  const anomaly = createAnomaly({ net: model.net, population: model.population, profile })
  let nextMs = deps.fromMs
  let last: { atMs: number; step: AnomalyStep } | null = null
  let toldMs = Number.NEGATIVE_INFINITY
  let calm = 0
  // An episode that a stop of the hub left open is followed on.
  let isOpen = isKnownOpen()

  function isKnownOpen(): boolean {
    const known = episodes.newest(personId, KIND)
    return known !== undefined && known.state !== 'resolved'
  }

  async function judge(step: AnomalyStep, atMs: number): Promise<void> {
    if (step.p <= ALARM_P) {
      calm = 0
      if (isOpen && atMs - toldMs < EVIDENCE_EVERY_MS) return
      await episodes.open(sightingOf({ personId, atMs, step, choice, model }))
      toldMs = atMs
      isOpen = true
      return
    }
    calm = step.score !== null && step.p >= CALM_P ? calm + 1 : step.score === null ? calm : 0
    if (!isOpen || calm < CALM_MINUTES) return
    isOpen = false
    const text = 'Back to what is usual for this person.'
    await episodes.remark(personId, KIND, { kind: 'cleared', by: `detector:${model.name}`, text }, true)
  }

  return {
    choice,
    nextMs: () => nextMs,
    last: () => last,
    isUnusual: () => isOpen,
    async take(minutes, nowMs) {
      for (const minute of minutes) {
        const atMs = nextMs
        const step = anomaly.step(minute)
        nextMs += MINUTE_MS
        if (step.score !== null) last = { atMs, step }
        if (nowMs - atMs <= TELL_MS) await judge(step, atMs)
      }
    },
  }
}
