/** The ranges that glucose is judged by; the hub keeps mg/dL, and each reader sees their own unit. */
import type { Person } from '../../net/answers.ts'

export { type GlucoseUnit, glucoseText } from '../../../domain/glucose-unit.ts'
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
