import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { iso, Timestamp } from '../kernel/envelope.ts'
import { rejection } from './intake-value.ts'
import { Day, OPEN_OBJECT_BYTES, OpenObject } from './person.ts'
import { Instant, instantIn, known, maybe, orNull, outOfLimits, type RecordKind, shaped } from './record.ts'
import { localDay } from './zone.ts'

const sent = {
  /** 1 (worst) to 10. */
  rating: Type.Number(),
  /** Absent: now. */
  timestamp: Type.Optional(Instant),
  notes: maybe(Type.String({ maxLength: 4000 })),
  context: maybe(OpenObject),
}
const validator = Compile(Type.Object(sent, { additionalProperties: false }))

/** How somebody feels, in their own words and on a scale of ten. */
export const mood: RecordKind = {
  name: 'mood',
  path: '/mood',
  class: 'wellness',
  sent,
  shown: {
    timestamp: Timestamp,
    date: Day,
    rating: Type.Number(),
    notes: orNull(Type.String()),
    context: orNull(OpenObject),
  },
  read(body, context) {
    const shape = shaped(validator, body)
    if ('code' in shape) return shape
    const { fields } = shape
    const at = instantIn('timestamp', fields.timestamp ?? context.nowMs, context)
    if ('code' in at) return at
    const wrong = outOfLimits(fields, { rating: [1, 10] })
    if (wrong) return wrong
    if (Buffer.byteLength(JSON.stringify(fields.context ?? null)) > OPEN_OBJECT_BYTES)
      return rejection('TOO_LARGE', 'context', 'is larger than 16 KB')
    const { atMs } = at
    return {
      startMs: atMs,
      endMs: atMs,
      dayMs: atMs,
      fields: known({ ...fields, timestamp: iso(atMs) }),
      values: [{ metric: 'mood', atMs, value: fields.rating }],
    }
  },
  show(fields, zone) {
    const day = localDay(Date.parse(String(fields['timestamp'])), zone)
    return { notes: null, context: null, ...fields, date: day }
  },
}
