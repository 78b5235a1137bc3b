/** What the hub expects of everybody's hours and vitals, and who is told when they leave their pattern. */
import { loadForecaster } from '../../models/forecaster.ts'
import { loadPulseNet } from '../../models/pulsenet.ts'
import { ageOn } from '../domain/person.ts'
import { sleptMinutes } from '../domain/sleep.ts'
import { createAnomalyWatch } from '../features/anomaly/anomaly.ts'
import type { AnomalyEpisodes } from '../features/anomaly/ports.ts'
import { createForecasts } from '../features/forecast/forecast.ts'
import type { People } from '../features/people/people.ts'
import type { Records } from '../features/records/records.ts'
import type { House } from '../house.ts'

export interface VitalsDeps {
  episodes: AnomalyEpisodes
  people: People
  records: Records
  zoneOf: (personId: string) => string
}

export type Vitals = ReturnType<typeof watchVitals>

export function watchVitals(
  { store, clock, log }: Pick<House, 'store' | 'clock' | 'log'>,
  { episodes, people, records, zoneOf }: VitalsDeps,
) {
  const personIds = () => people.all().map(({ id }) => id)
  const anomaly = createAnomalyWatch({
    ...{ store, clock, log: log.child({ part: 'vitals' }), model: loadPulseNet() },
    ...{ episodes, personIds, zoneOf },
  })
  const forecasts = createForecasts({
    ...{ observations: store.observations, now: clock.now, model: loadForecaster() },
    person(personId) {
      const person = people.get(personId)
      if (!person) return null
      const { birthDate, timezone, schoolEvents } = person
      const ageYears = birthDate === null ? person.age : ageOn(birthDate, clock.now(), timezone)
      return { timezone, ageYears, schoolEvents }
    },
    nights: (personId, fromMs, toMs) =>
      records.all({ kind: 'sleep', personId, fromMs, toMs }).map(({ startMs, endMs, fields }) => ({
        ...{ startMs, endMs },
        sleptMinutes: sleptMinutes(fields, endMs - startMs).minutes,
      })),
  })
  return {
    features: [anomaly.feature, forecasts.feature],
    rarityOf: anomaly.rarityOf,
    forecast: forecasts.forecast,
    /** Learns anew what is usual for everybody; the work of a night. */
    async calibrate(progress: (fraction: number) => void, signal: AbortSignal) {
      const vitals = await anomaly.calibrate((fraction) => progress(fraction * 0.8), signal)
      return { vitals, forecasts: await forecasts.calibrate(personIds(), signal) }
    },
  }
}
