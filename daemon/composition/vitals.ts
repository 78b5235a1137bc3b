/** What the hub expects of everybody's vitals, and who is told when they leave their pattern. */
import { loadPulseNet } from '../../models/pulsenet.ts'
import { type AnomalyWatch, createAnomalyWatch } from '../features/anomaly/anomaly.ts'
import type { AnomalyEpisodes } from '../features/anomaly/ports.ts'
import type { House } from '../house.ts'

export interface VitalsDeps {
  episodes: AnomalyEpisodes
  personIds: () => readonly string[]
  zoneOf: (personId: string) => string
}

export function watchVitals(
  { store, clock, log }: Pick<House, 'store' | 'clock' | 'log'>,
  deps: VitalsDeps,
): AnomalyWatch {
  return createAnomalyWatch({
    ...{ store, clock, log: log.child({ part: 'vitals' }), model: loadPulseNet() },
    ...deps,
  })
}
