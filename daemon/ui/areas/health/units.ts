/** Glucose in the unit that this household reads it in; the hub itself keeps mg/dL. */
import { type Signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { MG_PER_DL_PER_MMOL_PER_L } from '../../../domain/unit.ts'
import { useApp } from '../../app.ts'
import type { Person } from '../../net/answers.ts'

export type GlucoseUnit = 'mg/dL' | 'mmol/L'
/** What the consensus counts as low and high, mg/dL. */
export const CUTS = { veryLow: 54, low: 70, high: 180, veryHigh: 250 } as const

/** The range that a person aims at, mg/dL; the usual one where it was kept before there were own ones. */
export function targetOf(person: Partial<Pick<Person, 'target_glucose_min' | 'target_glucose_max'>>): {
  low: number
  high: number
  isOwn: boolean
} {
  const { target_glucose_min: low = CUTS.low, target_glucose_max: high = CUTS.high } = person
  return { low, high, isOwn: low !== CUTS.low || high !== CUTS.high }
}

const PREFERENCE = 'glucose_unit'
const REMEMBERED = 'homefield.glucose-unit'

/** The value without its unit, with the decimals that the unit is read with. */
export function glucoseText(mgPerDl: number, unit: GlucoseUnit): string {
  return unit === 'mg/dL' ? mgPerDl.toFixed(0) : (mgPerDl / MG_PER_DL_PER_MMOL_PER_L).toFixed(1)
}

export interface Units {
  glucose: Signal<GlucoseUnit>
  choose(unit: GlucoseUnit): Promise<void>
}

/** The unit of the signed-in person's account; this device remembers it for the time without a hub. */
export function useUnits(): Units {
  const { api, session } = useApp()
  const who = session.state.value.kind
  const glucose = useSignal<GlucoseUnit>(unitOf(localStorage.getItem(REMEMBERED)))
  useEffect(() => {
    if (who !== 'signed-in') return
    api
      .get<{ preferences: Record<string, unknown> }>('/auth/me')
      .then(({ preferences }) => keep(unitOf(preferences[PREFERENCE])))
      // Then it stays as it was last time.
      .catch(() => undefined)
  }, [who])
  return {
    glucose,
    async choose(unit) {
      const before = glucose.peek()
      keep(unit)
      try {
        await api.patch('/auth/me', { preferences: { [PREFERENCE]: unit } })
      } catch (cause) {
        keep(before)
        throw cause
      }
    },
  }

  function keep(unit: GlucoseUnit): void {
    glucose.value = unit
    localStorage.setItem(REMEMBERED, unit)
  }
}

function unitOf(told: unknown): GlucoseUnit {
  return told === 'mmol/L' ? 'mmol/L' : 'mg/dL'
}
