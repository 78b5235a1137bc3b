/** Glucose of CGMs, meters and what people type in: taken in, listed, corrected, summed up. */
import { USUAL_TARGET } from '../../domain/person.ts'
import type { Feature } from '../../domain/route.ts'
import type { Store } from '../../store/store.ts'
import { type Arrivals, type ArrivalsDeps, createArrivals } from './arrivals.ts'
import { createPeriods } from './periods.ts'
import { correctionRoutes } from './routes-correct.ts'
import { ingestRoutes } from './routes-ingest.ts'
import { readRoutes } from './routes-read.ts'
import { createReadingIds } from './shown.ts'
import type { Target } from './summary.ts'
import { createTraces, type Traces } from './traces.ts'

export interface GlucoseDeps extends ArrivalsDeps {
  store: Pick<Store, 'all' | 'get' | 'observations' | 'onCommitted' | 'onRetracted'>
  /** The range that a person aims at; absent: the consensus one for everybody. */
  targetOf?: (personId: string) => Target
}

export interface Glucose {
  feature: Feature
  /** One trace out of all that report somebody's glucose. */
  traces: Traces
  /** Takes readings that came by another way than the glucose routes, judged alike. */
  take: Arrivals['take']
}

export function createGlucose(deps: GlucoseDeps): Glucose {
  const { store, now } = deps
  const traces = createTraces(deps)
  const periods = createPeriods({ ...deps, traces })
  const arrivals = createArrivals(deps)
  const ids = createReadingIds(store)
  const targetOf = deps.targetOf ?? (() => USUAL_TARGET)
  return {
    traces,
    take: arrivals.take,
    feature: {
      name: 'glucose',
      routes(http) {
        ingestRoutes(http, { arrivals, ids, store, now })
        const { zoneOf } = deps
        readRoutes(http, { traces, periods, ids, now, zoneOf, targetOf, lastReadingMs: traces.lastMs })
        correctionRoutes(http, { arrivals, ids, store, now })
      },
      stop: periods.stop,
    },
  }
}
