/** One person's local day in one row: what it shows, and why a number is missing. */
import { type Static, Type } from 'typebox'
import type { DataClass } from '../../domain/access.ts'
import { Day } from '../../domain/person.ts'
import { Timestamp } from '../../kernel/envelope.ts'

const orNull = Type.Union([Type.Number(), Type.Null()])

/** Why a number is null. */
export const REASONS = [
  'no_readings',
  'needs_two_readings',
  'no_night',
  'no_quality',
  'no_activities',
  'no_duration',
  'no_meals',
  'not_told',
  'no_mood',
  'not_measured',
  'not_permitted',
] as const
export type Reason = (typeof REASONS)[number]

const Numbers = Type.Object({
  /** mg/dL; ranges 70 to 180 in percent of the readings. */
  avg_glucose: orNull,
  min_glucose: orNull,
  max_glucose: orNull,
  std_glucose: orNull,
  time_in_range_percent: orNull,
  time_above_range_percent: orNull,
  time_below_range_percent: orNull,
  total_carbs_grams: orNull,
  /** kcal eaten. */
  total_calories: orNull,
  /** Night and naps that ended on this day. */
  total_sleep_minutes: orNull,
  /** 0 to 10. */
  sleep_quality_score: orNull,
  total_exercise_minutes: orNull,
  /** Mean rating, 1 to 10. */
  mood: orNull,
  recovery: orNull,
  strain: orNull,
  hrv_rmssd: orNull,
  hrv_sdnn: orNull,
  resting_heart_rate: orNull,
  steps: orNull,
  /** kcal burned by moving. */
  active_energy: orNull,
  /** m. */
  distance: orNull,
})
export type DayNumbers = Static<typeof Numbers>
export type DayField = keyof DayNumbers

export const DailyRow = Type.Object({
  date: Day,
  ...Numbers.properties,
  /** How many readings the glucose numbers rest on. */
  glucose_readings: Type.Union([Type.Integer(), Type.Null()]),
  /** Who counted how much of `steps`, `active_energy`, `distance`; empty where only the sum was kept. */
  counted_by: Type.Record(
    Type.String(),
    Type.Array(Type.Object({ source: Type.String(), device: Type.String(), value: Type.Number() })),
  ),
  /** Why a number is null, by its name. */
  reasons: Type.Record(Type.String(), Type.Enum([...REASONS])),
  computed_at: Timestamp,
})
export type DailyRow = Static<typeof DailyRow>

const GLUCOSE: ReadonlySet<string> = new Set([
  'avg_glucose',
  'min_glucose',
  'max_glucose',
  'std_glucose',
  'time_in_range_percent',
  'time_above_range_percent',
  'time_below_range_percent',
  'total_carbs_grams',
  'total_calories',
])

/** The row as somebody may see it who reads some classes only. */
export function visibleRow(row: DailyRow, mayRead: (dataClass: DataClass) => boolean): DailyRow {
  const hidden = (Object.keys(Numbers.properties) as DayField[]).filter(
    (field) => !mayRead(GLUCOSE.has(field) ? 'glucose' : 'wellness'),
  )
  if (hidden.length === 0) return row
  const blank = Object.fromEntries(hidden.map((field) => [field, null]))
  const why = Object.fromEntries(hidden.map((field) => [field, 'not_permitted' as const]))
  return {
    ...row,
    ...blank,
    glucose_readings: mayRead('glucose') ? row.glucose_readings : null,
    counted_by: mayRead('wellness') ? row.counted_by : {},
    reasons: { ...row.reasons, ...why },
  }
}
