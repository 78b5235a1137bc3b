/** What glucose is read in: one's own choice before the household's; this device remembers it for the time without a hub. */
import { batch, computed, type ReadonlySignal, signal } from '@preact/signals'
import { type GlucoseUnit, glucoseUnitOf } from '../../domain/glucose-unit.ts'
import type { Api } from '../net/api.ts'

export interface Units {
  glucose: ReadonlySignal<GlucoseUnit>
  household: ReadonlySignal<GlucoseUnit>
  /** Null: as the household. */
  own: ReadonlySignal<GlucoseUnit | null>
  load(): Promise<void>
  choose(unit: GlucoseUnit | null): Promise<void>
  /** For everybody who chose nothing else; owners only. */
  chooseForAll(unit: GlucoseUnit): Promise<void>
}

export interface UnitsDeps {
  api: Pick<Api, 'get' | 'patch'>
  memory: { read(): string | null; write(text: string): void }
}

interface Told {
  glucose_unit: GlucoseUnit
  own_glucose_unit: GlucoseUnit | null
}

const PATH = '/household/preferences'

export function createUnits({ api, memory }: UnitsDeps): Units {
  const household = signal<GlucoseUnit>(glucoseUnitOf(memory.read()) ?? 'mg/dL')
  const own = signal<GlucoseUnit | null>(null)
  const glucose = computed(() => own.value ?? household.value)
  const take = (told: Told) => {
    batch(() => {
      household.value = told.glucose_unit
      own.value = told.own_glucose_unit
    })
    memory.write(glucose.peek())
  }
  return {
    glucose,
    household,
    own,
    load: async () => take(await api.get<Told>(PATH)),
    async choose(unit) {
      await api.patch('/auth/me', { preferences: { glucose_unit: unit } })
      take({ glucose_unit: household.peek(), own_glucose_unit: unit })
    },
    chooseForAll: async (unit) => take(await api.patch<Told>(PATH, { glucose_unit: unit })),
  }
}
