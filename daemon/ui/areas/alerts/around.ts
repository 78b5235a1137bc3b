/** Which values are shown around an episode, and over which time. */
import type { EpisodeDetail } from './answers.ts'

const HOUR_MS = 3_600_000
export const AROUND_MS = 2 * HOUR_MS
const CURVES_MOST = 3

export interface Around {
  fromMs: number
  toMs: number
  metrics: string[]
  /** When something was done or measured in it. */
  marksMs: number[]
}

/** Two hours on both sides of the start, in full hours; what speaks for the episode first, then the heart. */
export function aroundOf({ started_at: startedAt, timeline }: EpisodeDetail): Around {
  const startMs = Date.parse(startedAt)
  const fromMs = Math.round((startMs - AROUND_MS) / HOUR_MS) * HOUR_MS
  const named = timeline.flatMap(({ evidence }) => evidence.map(({ metric }) => metric))
  const metrics = [...new Set([...named, 'heart_rate'])].filter((metric) => metric !== undefined)
  return {
    ...{ fromMs, toMs: fromMs + 2 * AROUND_MS },
    metrics: metrics.filter((metric) => metric !== 'battery').slice(0, CURVES_MOST),
    marksMs: timeline.filter(({ kind }) => kind !== 'evidence').map(({ ts }) => Date.parse(ts)),
  }
}
