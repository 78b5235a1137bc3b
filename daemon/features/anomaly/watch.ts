/** Follows one person minute by minute: opens an episode when a minute is rarer than the alarm line, ends it when all is usual again. */
import type { PulseNet } from '../../../models/pulsenet.ts'
import {
  type AnomalyProfile,
  type AnomalyState,
  type AnomalyStep,
  createAnomaly,
  isAlarming,
  isCalm,
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
  /** The first minute that it will be given, or where it left off. */
  from: number | Standing
  episodes: AnomalyEpisodes
}

/** Where a watch left off; plain JSON. The minutes since then are in the store, so that it can be followed to any later one. */
export interface Standing {
  nextMs: number
  state: AnomalyState
  last: { atMs: number; step: AnomalyStep } | null
  calm: number
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
  standing(): Standing
}

/** Minutes that come later say nothing about now: they were kept somewhere on their way. */
export const TELL_MS = 10 * MINUTE_MS
/** Evidence of the same episode is added this often. */
const EVIDENCE_EVERY_MS = 5 * MINUTE_MS
/** Usual for so long means that it is over. */
const CALM_MINUTES = 20

export function createVitalWatch({ episodes, ...deps }: VitalWatchDeps): VitalWatch {
  const { personId, model, profile, choice } = deps
  const left = typeof deps.from === 'number' ? null : deps.from
  const { net, population, checks } = model
  const anomaly = createAnomaly({ net, population, checks, profile, ...(left && { state: left.state }) })
  let nextMs = left?.nextMs ?? Number(deps.from)
  let last = left?.last ?? null
  let calm = left?.calm ?? 0
  // An episode that a stop of the hub left open is followed on, and what it was told already is not told again.
  let isOpen = isKnownOpen()
  let toldMs = isOpen ? lastToldMs() : Number.NEGATIVE_INFINITY

  function isKnownOpen(): boolean {
    const known = episodes.newest(personId, KIND)
    return known !== undefined && known.state !== 'resolved'
  }

  function lastToldMs(): number {
    const had = episodes.since(personId, KIND, nextMs - EVIDENCE_EVERY_MS)
    return had.at(-1)?.lastEvidenceAtMs ?? Number.NEGATIVE_INFINITY
  }

  /** Minutes of calm are counted also while the hub catches up; what is said about them is said in time or not at all. */
  async function judge(step: AnomalyStep, atMs: number, isInTime: boolean): Promise<void> {
    if (isAlarming(step)) {
      calm = 0
      if (!isInTime || (isOpen && atMs - toldMs < EVIDENCE_EVERY_MS)) return
      await episodes.open(sightingOf({ personId, atMs, step, choice, model }))
      toldMs = atMs
      isOpen = true
      return
    }
    if (step.score !== null) calm = isCalm(step) ? calm + 1 : 0
    // Minutes that are gone through once more after a kill lie before the last evidence: it is not over by them.
    if (!isInTime || !isOpen || atMs <= toldMs || calm < CALM_MINUTES) return
    isOpen = false
    const text = 'Back to what is usual for this person.'
    await episodes.remark(personId, KIND, { kind: 'cleared', by: `detector:${model.name}`, text }, true)
  }

  return {
    choice,
    nextMs: () => nextMs,
    last: () => last,
    isUnusual: () => isOpen,
    standing: () => ({ nextMs, state: anomaly.state(), last, calm }),
    async take(minutes, nowMs) {
      for (const minute of minutes) {
        const atMs = nextMs
        const step = anomaly.step(minute)
        nextMs += MINUTE_MS
        if (step.score !== null) last = { atMs, step }
        await judge(step, atMs, nowMs - atMs <= TELL_MS)
      }
    },
  }
}
