/** What is filled in for a rule, and the rule that it means. */
import { type GlucoseUnit, MG_PER_DL_PER_MMOL_PER_L } from '../../../domain/glucose-unit.ts'
import type { Condition, RuleDraft } from '../../../domain/rule.ts'

export const FORM_TYPES = ['above', 'below', 'rises', 'falls', 'no_data', 'stale', 'battery'] as const
export type FormType = (typeof FORM_TYPES)[number]

/** The hub looks after silence once a minute, and remembers a day of changes. */
const SHORTEST_SILENCE_S = 60
const LONGEST_CHANGE_S = 86_400

/** Types that ask for a limit, and those for which it is a change. */
export const hasLimit = (type: FormType): boolean => type !== 'no_data' && type !== 'stale'
export const isChange = (type: FormType): boolean => type === 'rises' || type === 'falls'

/** Metrics for which a limit of the household makes sense. */
export const FORM_METRICS = [
  'heart_rate',
  'spo2',
  'respiratory_rate',
  'skin_temp',
  'body_temp',
  'glucose',
] as const

export interface Filled {
  name: string
  type: FormType
  metric: string
  /** As typed: in the metric's unit, or percent of a battery. */
  limit: string
  minutes: string
  severity: 'warning' | 'urgent'
}

/** Null while something that it needs is missing or no number. */
export function draftOf(filled: Filled, glucoseUnit: GlucoseUnit): RuleDraft | null {
  const condition = conditionOf(filled, glucoseUnit)
  const name = filled.name.trim()
  return condition === null || name === ''
    ? null
    : { name, condition, severity: filled.severity, enabled: true }
}

/** A limit of glucose is typed in the unit that its reader chose, and kept in mg/dL. */
export function conditionOf(
  { type, metric, limit, minutes }: Filled,
  glucoseUnit: GlucoseUnit,
): Condition | null {
  const value = numberIn(limit)
  const seconds = Math.round((numberIn(minutes) ?? Number.NaN) * 60)
  if (type === 'battery') return value === null ? null : { type, below_percent: value }
  if (!Number.isFinite(seconds) || seconds < 0) return null
  if (type === 'no_data' || type === 'stale')
    return seconds < SHORTEST_SILENCE_S ? null : { type, metric, after_seconds: seconds }
  if (value === null) return null
  const inMmol = metric === 'glucose' && glucoseUnit === 'mmol/L'
  const threshold = inMmol ? Math.round(value * MG_PER_DL_PER_MMOL_PER_L * 10) / 10 : value
  if (type === 'above' || type === 'below') return { type, metric, threshold, for_seconds: seconds }
  const isPossible = threshold > 0 && seconds > 0 && seconds <= LONGEST_CHANGE_S
  return isPossible ? { type, metric, change: threshold, within_seconds: seconds } : null
}

/** A comma is a point on many keyboards. */
function numberIn(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() === '' || !Number.isFinite(value) ? null : value
}
