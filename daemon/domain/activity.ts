import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { iso, Timestamp } from '../kernel/envelope.ts'
import { Day } from './person.ts'
import { Instant, instantIn, known, maybe, orNull, outOfLimits, type RecordKind, shaped } from './record.ts'
import { localDay } from './zone.ts'

const INTENSITIES = ['light', 'moderate', 'vigorous'] as const
const DAY_MIN = 1440

const sent = {
  timestamp: Instant,
  /** walking, running, cycling, strength, … */
  activity_type: Type.String({ minLength: 1, maxLength: 50 }),
  duration_minutes: maybe(Type.Number()),
  intensity: maybe(Type.Enum([...INTENSITIES])),
  calories_burned: maybe(Type.Number()),
  heart_rate_avg: maybe(Type.Number()),
  heart_rate_max: maybe(Type.Number()),
  distance_m: maybe(Type.Number()),
  notes: maybe(Type.String({ maxLength: 4000 })),
}
const validator = Compile(Type.Object(sent, { additionalProperties: false }))

const LIMITS = {
  duration_minutes: [0, DAY_MIN],
  calories_burned: [0, 20_000],
  heart_rate_avg: [20, 250],
  heart_rate_max: [20, 250],
  distance_m: [0, 500_000],
} as const

/** Something done with the body: its beginning, how long, how hard. */
export const activity: RecordKind = {
  name: 'activity',
  path: '/activities',
  class: 'wellness',
  sent,
  shown: {
    timestamp: Timestamp,
    date: Day,
    activity_type: Type.String(),
    duration_minutes: orNull(Type.Number()),
    intensity: orNull(Type.Enum([...INTENSITIES])),
    calories_burned: orNull(Type.Number()),
    heart_rate_avg: orNull(Type.Number()),
    heart_rate_max: orNull(Type.Number()),
    distance_m: orNull(Type.Number()),
    notes: orNull(Type.String()),
  },
  read(body, context) {
    const shape = shaped(validator, body)
    if ('code' in shape) return shape
    const { fields } = shape
    const at = instantIn('timestamp', fields.timestamp, context)
    if ('code' in at) return at
    const wrong = outOfLimits(fields, LIMITS)
    if (wrong) return wrong
    const startMs = at.atMs
    const endMs = startMs + Math.round((fields.duration_minutes ?? 0) * 60_000)
    const kept = known({ ...fields, timestamp: iso(startMs) })
    return { startMs, endMs, dayMs: startMs, fields: kept, values: [] }
  },
  show(fields, zone) {
    const blank = Object.fromEntries(Object.keys(LIMITS).map((name) => [name, null]))
    const day = localDay(Date.parse(String(fields['timestamp'])), zone)
    return { ...blank, intensity: null, notes: null, ...fields, date: day }
  },
}
