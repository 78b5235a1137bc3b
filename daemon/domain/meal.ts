import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { iso, Timestamp } from '../kernel/envelope.ts'
import { Day } from './person.ts'
import { Instant, instantIn, known, maybe, orNull, outOfLimits, type RecordKind, shaped } from './record.ts'
import { localDay } from './zone.ts'

const TYPES = ['breakfast', 'lunch', 'dinner', 'snack'] as const

const sent = {
  timestamp: Instant,
  meal_type: maybe(Type.Enum([...TYPES])),
  carbs_grams: maybe(Type.Number()),
  protein_grams: maybe(Type.Number()),
  fat_grams: maybe(Type.Number()),
  /** kcal. */
  calories: maybe(Type.Number()),
  glycemic_load: maybe(Type.Number()),
  description: maybe(Type.String({ maxLength: 4000 })),
}
const validator = Compile(Type.Object(sent, { additionalProperties: false }))

const LIMITS = {
  carbs_grams: [0, 2000],
  protein_grams: [0, 2000],
  fat_grams: [0, 2000],
  calories: [0, 20_000],
  glycemic_load: [0, 999.9],
} as const

/** Something eaten; it belongs to the glucose class, because it explains glucose. */
export const meal: RecordKind = {
  name: 'meal',
  path: '/meals',
  class: 'glucose',
  sent,
  shown: {
    timestamp: Timestamp,
    date: Day,
    meal_type: orNull(Type.Enum([...TYPES])),
    carbs_grams: orNull(Type.Number()),
    protein_grams: orNull(Type.Number()),
    fat_grams: orNull(Type.Number()),
    calories: orNull(Type.Number()),
    glycemic_load: orNull(Type.Number()),
    description: orNull(Type.String()),
    has_photo: Type.Boolean(),
  },
  read(body, context) {
    const shape = shaped(validator, body)
    if ('code' in shape) return shape
    const { fields } = shape
    const at = instantIn('timestamp', fields.timestamp, context)
    if ('code' in at) return at
    const wrong = outOfLimits(fields, LIMITS)
    if (wrong) return wrong
    const { atMs } = at
    const kept = known({ ...fields, timestamp: iso(atMs) })
    return { startMs: atMs, endMs: atMs, dayMs: atMs, fields: kept, values: [] }
  },
  show(fields, zone, { hasPhoto }) {
    const blank = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, null]))
    const day = localDay(Date.parse(String(fields['timestamp'])), zone)
    return { ...blank, meal_type: null, description: null, ...fields, date: day, has_photo: hasPhoto }
  },
}
