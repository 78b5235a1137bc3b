import type { ImportedSleep, SleepStage, StageStretch } from './record.ts'

/** One stretch of sleep analysis as a phone's health store keeps it: a stage, or merely lying in bed. */
export interface SleepStretch {
  stage: SleepStage | 'in_bed'
  startMs: number
  endMs: number
  sourceName: string
  /** Local day on which the stretch ended. */
  endDay: string
}

/** Waking up for longer than this ends a night. */
const LARGEST_GAP_MS = 60 * 60_000
const DETAILED: ReadonlySet<string> = new Set(['light', 'deep', 'rem'])
const MINUTE = 60_000

/**
 * Puts stretches together to nights. Where several sources saw the same night, the one with stages tells it, then the one
 * that saw more of it; time in bed may come from another. `dropped` counts the stretches of the others.
 */
export function groupNights(stretches: readonly SleepStretch[]): {
  nights: ImportedSleep[]
  dropped: number
} {
  const sorted = [...stretches].sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)
  const nights: ImportedSleep[] = []
  let dropped = 0
  let group: SleepStretch[] = []
  let reachMs = Number.NEGATIVE_INFINITY
  const close = () => {
    if (group.length === 0) return
    const told = nightOf(group)
    nights.push(told.night)
    dropped += told.dropped
    group = []
  }
  for (const stretch of sorted) {
    if (stretch.startMs - reachMs > LARGEST_GAP_MS) close()
    group.push(stretch)
    reachMs = Math.max(group.length === 1 ? Number.NEGATIVE_INFINITY : reachMs, stretch.endMs)
  }
  close()
  return { nights, dropped }
}

function nightOf(group: readonly SleepStretch[]): { night: ImportedSleep; dropped: number } {
  const beds = group.filter(({ stage }) => stage === 'in_bed')
  const asleep = group.filter(({ stage }) => stage !== 'in_bed')
  const source = bestSource(asleep)
  const own = asleep.filter(({ sourceName }) => sourceName === source)
  const stages = withoutOverlap(own)
  const inBed = beds.length > 0 ? spanOf(beds) : null
  const span = stages.length > 0 ? spanOf(stages) : spanOf(beds)
  const last = (own.length > 0 ? own : beds).reduce((a, b) => (b.endMs > a.endMs ? b : a))
  const night: ImportedSleep = {
    kind: 'sleep',
    startMs: span.startMs,
    endMs: span.endMs,
    nightOf: last.endDay,
    minutes: { ...minutesOf(stages), ...(inBed ? { in_bed: (inBed.endMs - inBed.startMs) / MINUTE } : {}) },
    stages,
    sourceName: last.sourceName,
    ...(inBed ? { inBed } : {}),
  }
  return { night, dropped: asleep.length - own.length }
}

function bestSource(stretches: readonly SleepStretch[]): string | null {
  const sources = new Map<string, { detailed: number; ms: number }>()
  for (const { sourceName, stage, startMs, endMs } of stretches) {
    const seen = sources.get(sourceName) ?? { detailed: 0, ms: 0 }
    const detailed = DETAILED.has(stage) ? 1 : 0
    sources.set(sourceName, { detailed: Math.max(seen.detailed, detailed), ms: seen.ms + endMs - startMs })
  }
  const [best] = [...sources].sort(([, a], [, b]) => b.detailed - a.detailed || b.ms - a.ms)
  return best?.[0] ?? null
}

/** A stage lasts until the next one begins. */
function withoutOverlap(stretches: readonly SleepStretch[]): StageStretch[] {
  const stages: StageStretch[] = []
  for (const { stage, startMs, endMs } of stretches) {
    if (stage === 'in_bed') continue
    const before = stages.at(-1)
    const fromMs = Math.max(startMs, before?.endMs ?? startMs)
    if (endMs > fromMs) stages.push({ stage, startMs: fromMs, endMs })
  }
  return stages
}

/** Minutes per stage, with everything that is not lying awake as `asleep`. */
export function minutesOf(stages: readonly StageStretch[]): Partial<Record<SleepStage, number>> {
  if (stages.length === 0) return {}
  const sum = (...wanted: SleepStage[]) =>
    stages.reduce((ms, { stage, startMs, endMs }) => ms + (wanted.includes(stage) ? endMs - startMs : 0), 0) /
    MINUTE
  const asleep = sum('asleep', 'light', 'deep', 'rem')
  const detailed = stages.some(({ stage }) => DETAILED.has(stage))
  return detailed
    ? { asleep, light: sum('light'), deep: sum('deep'), rem: sum('rem'), awake: sum('awake') }
    : { asleep, awake: sum('awake') }
}

function spanOf(stretches: readonly { startMs: number; endMs: number }[]): {
  startMs: number
  endMs: number
} {
  return stretches.reduce(
    (span, { startMs, endMs }) => ({
      startMs: Math.min(span.startMs, startMs),
      endMs: Math.max(span.endMs, endMs),
    }),
    { startMs: Number.POSITIVE_INFINITY, endMs: Number.NEGATIVE_INFINITY },
  )
}
