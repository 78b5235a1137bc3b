/** What is filled in for a rule, and the rule that it means. */
import type { Condition, RuleDraft } from '../../../domain/rule.ts'

export const FORM_TYPES = ['above', 'below', 'no_data', 'battery'] as const
export type FormType = (typeof FORM_TYPES)[number]

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
export function draftOf(filled: Filled): RuleDraft | null {
  const condition = conditionOf(filled)
  const name = filled.name.trim()
  return condition === null || name === ''
    ? null
    : { name, condition, severity: filled.severity, enabled: true }
}

export function conditionOf({ type, metric, limit, minutes }: Filled): Condition | null {
  const value = numberIn(limit)
  const seconds = Math.round((numberIn(minutes) ?? Number.NaN) * 60)
  if (type === 'battery') return value === null ? null : { type, below_percent: value }
  if (!Number.isFinite(seconds) || seconds < 0) return null
  if (type === 'no_data') return { type, metric, after_seconds: seconds }
  return value === null ? null : { type, metric, threshold: value, for_seconds: seconds }
}

/** A comma is a point on many keyboards. */
function numberIn(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() === '' || !Number.isFinite(value) ? null : value
}
