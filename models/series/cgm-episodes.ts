/** Episodes of low and high glucose after the consensus for clinical trials. */

import { type GlucoseGrid, stretches } from './cgm-grid.ts'
import { CUTS } from './cgm-ranges.ts'
import { mean } from './moments.ts'

/** An episode begins with 15 minutes beyond the threshold and ends with 15 minutes back. */
const BEGIN_MIN = 15
const END_MIN = 15
/** Extended hypoglycemia: more than two hours below 70 mg/dL. */
const EXTENDED_MIN = 120

export type EpisodeKind = 'hypo' | 'hyper'
export type EpisodeLevel = 'lv1' | 'lv2' | 'extended' | 'lv1_excl'

export interface GlucoseEpisode {
  kind: EpisodeKind
  /** Grid indices, half-open. */
  from: number
  to: number
  minutes: number
  meanMgPerDl: number
}

export interface EpisodeSummary {
  kind: EpisodeKind
  level: EpisodeLevel
  total: number
  /** Per 24 hours of known glucose; null without any. */
  perDay: number | null
  meanMinutes: number | null
  meanMgPerDl: number | null
}

/**
 * Episodes beyond `threshold` (below it for hypo, above it for hyper) that begin with `beginMin` minutes there (Battelino 2023,
 * doi 10.1016/s2213-8587(22)00319-9). A hole in the trace ends an episode where the knowledge ends.
 */
export function glucoseEpisodes(
  grid: GlucoseGrid,
  kind: EpisodeKind,
  threshold: number,
  beginMin = BEGIN_MIN,
): GlucoseEpisode[] {
  const isBeyond = (value: number) => (kind === 'hypo' ? value < threshold : value > threshold)
  const beginPoints = Math.ceil(beginMin / grid.stepMin)
  const endPoints = Math.ceil(END_MIN / grid.stepMin)
  return stretches(grid, 0).flatMap(({ from, to }) => {
    const found: GlucoseEpisode[] = []
    let begun: number | null = null
    const close = (end: number) => {
      if (begun !== null) found.push(episode(grid, kind, begun, end))
      begun = null
    }
    for (const run of runs(grid.mgPerDl, from, to, isBeyond)) {
      const points = run.to - run.from
      if (run.beyond && begun === null && points >= beginPoints) begun = run.from
      if (!run.beyond && points >= endPoints) close(run.from)
    }
    close(to)
    return found
  })
}

/** The rows of a report: level 2 is part of level 1 (the consensus leaves it open), `lv1_excl` is level 1 that never reached 2. */
export function episodeSummaries(grid: GlucoseGrid): EpisodeSummary[] {
  const low = glucoseEpisodes(grid, 'hypo', CUTS.low)
  const veryLow = glucoseEpisodes(grid, 'hypo', CUTS.veryLow)
  const extended = glucoseEpisodes(grid, 'hypo', CUTS.low, EXTENDED_MIN + grid.stepMin)
  const high = glucoseEpisodes(grid, 'hyper', CUTS.high)
  const veryHigh = glucoseEpisodes(grid, 'hyper', CUTS.veryHigh)
  const days = (grid.mgPerDl.filter(Number.isFinite).length * grid.stepMin) / 1440
  const row = (kind: EpisodeKind, level: EpisodeLevel, found: GlucoseEpisode[]): EpisodeSummary => ({
    kind,
    level,
    total: found.length,
    perDay: days === 0 ? null : found.length / days,
    meanMinutes: mean(found.map((one) => one.minutes)),
    meanMgPerDl: mean(found.map((one) => one.meanMgPerDl)),
  })
  return [
    row('hypo', 'lv1', low),
    row('hypo', 'lv2', veryLow),
    row('hypo', 'extended', extended),
    row('hyper', 'lv1', high),
    row('hyper', 'lv2', veryHigh),
    row('hypo', 'lv1_excl', without(low, veryLow)),
    row('hyper', 'lv1_excl', without(high, veryHigh)),
  ]
}

function without(found: GlucoseEpisode[], worse: readonly GlucoseEpisode[]): GlucoseEpisode[] {
  return found.filter((one) => !worse.some((other) => other.from < one.to && other.to > one.from))
}

function episode(grid: GlucoseGrid, kind: EpisodeKind, from: number, to: number): GlucoseEpisode {
  return {
    kind,
    from,
    to,
    minutes: (to - from) * grid.stepMin,
    meanMgPerDl: mean(grid.mgPerDl.subarray(from, to)) ?? Number.NaN,
  }
}

function runs(values: Float64Array, from: number, to: number, isBeyond: (value: number) => boolean) {
  const found: { from: number; to: number; beyond: boolean }[] = []
  values.subarray(from, to).forEach((value, offset) => {
    const beyond = isBeyond(value)
    const last = found.at(-1)
    if (last?.beyond === beyond) last.to = from + offset + 1
    else found.push({ from: from + offset, to: from + offset + 1, beyond })
  })
  return found
}
