/** Summaries of periods, kept as long as nothing under them changes. */
import { metricNamed } from '../../domain/metric.ts'
import type { Sources } from '../../store/sources.ts'
import type { Store } from '../../store/store.ts'
import { type Period, profileOf, type Summary, summaryOf } from './summary.ts'
import type { Traces } from './traces.ts'

export interface Periods {
  summary(period: Period, withProfile: boolean): Promise<Summary>
  stop(): void
}

export interface PeriodsDeps {
  store: Pick<Store, 'onCommitted' | 'onRetracted'>
  sources: Pick<Sources, 'rankVersion'>
  traces: Traces
}

/** Each is 1 KB, with a profile 10 KB; the one asked for longest ago leaves. */
const KEPT = 200

export function createPeriods({ store, sources, traces }: PeriodsDeps): Periods {
  const kept = new Map<string, Promise<Summary>>()
  /** Changes of each person's glucose; a summary is of one state of it. */
  const changes = new Map<string, number>()
  const glucose = metricNamed('glucose')?.name
  const note = (rows: readonly { personId: string; metric: string }[]) => {
    const touched = new Set(rows.filter(({ metric }) => metric === glucose).map(({ personId }) => personId))
    for (const personId of touched) changes.set(personId, (changes.get(personId) ?? 0) + 1)
  }
  const stops = [store.onCommitted(note), store.onRetracted(note)]

  async function made(period: Period, withProfile: boolean): Promise<Summary> {
    const readings = await traces.read(period.personId, period.fromMs, period.toMs)
    const summary = summaryOf(readings, period)
    return withProfile ? { ...summary, profile: profileOf(readings, period.zone) } : summary
  }

  return {
    summary(period, withProfile) {
      const version = changes.get(period.personId) ?? 0
      const name = JSON.stringify([period, withProfile, version, sources.rankVersion()])
      const known = kept.get(name)
      kept.delete(name)
      const summary = known ?? made(period, withProfile)
      kept.set(name, summary)
      // What failed is tried again by whoever asks next.
      summary.catch(() => kept.delete(name))
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT) break
        kept.delete(oldest)
      }
      return summary
    },
    stop() {
      for (const stop of stops) stop()
    },
  }
}
