/** Shapes of glucose on the wire, with the seed's field names. */
import { type Static, Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import { SOURCE_PATTERN } from '../../domain/source.ts'
import { Timestamp } from '../../kernel/envelope.ts'

export const READINGS_MAX = 10_000

const Instant = Type.Union([Type.String({ maxLength: 64 }), Type.Number()], {
  description: "RFC 3339 (without offset: the person's zone), or epoch seconds or milliseconds",
})
const Value = Type.Union([Type.Number(), Type.String({ maxLength: 16 })], {
  description: 'Number in `unit`, or the word Low, High, LO or HI of a sensor at the end of its scale',
})
const Unit = Type.String({ maxLength: 32, description: 'mg/dL (default) or mmol/L' })

const Fields = {
  timestamp: Instant,
  value: Value,
  unit: Type.Optional(Unit),
  source: Type.Optional(
    Type.String({ pattern: SOURCE_PATTERN, description: 'dexcom_g7, manual, apple_health, …' }),
  ),
  device_id: Type.Optional(
    Type.String({ minLength: 1, maxLength: 100, description: 'A paired device, or any name of the sensor' }),
  ),
  censored: Type.Optional(Type.Enum(['low', 'high'])),
}

/** One reading as it comes. */
export const ReadingIn = Type.Object(Fields, { additionalProperties: false })
export type ReadingIn = Static<typeof ReadingIn>

export const SingleIn = Type.Object(
  { person_id: Type.Optional(Id), ...Fields },
  { additionalProperties: false },
)

export const BulkIn = Type.Object(
  {
    person_id: Type.Optional(Id),
    readings: Type.Array(Type.Unknown(), { minItems: 1, maxItems: READINGS_MAX }),
  },
  { additionalProperties: false },
)

/** Absent fields stay; a new value takes the old mark of the scale's end away. */
export const ChangeIn = Type.Object(
  {
    value: Type.Optional(Value),
    unit: Type.Optional(Unit),
    censored: Type.Optional(
      Type.Union([Type.Enum(['low', 'high']), Type.Null()], {
        description: 'The sensor was at that end of its scale; null: it was not',
      }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
)
export type ChangeIn = Static<typeof ChangeIn>

/** One reading as it is shown; values in mg/dL. */
export const ReadingOut = Type.Object({
  id: Id,
  person_id: Id,
  timestamp: Timestamp,
  value: Type.Number(),
  unit: Type.Literal('mg/dL'),
  source: Type.String(),
  /** As sent. */
  device_id: Type.Union([Type.String(), Type.Null()]),
  /** What the hub knows the source by. */
  device: Id,
  /** The sensor was at the end of its scale: the true value lies beyond. */
  censored: Type.Optional(Type.Enum(['low', 'high'])),
  revision: Type.Integer(),
})
export type ReadingOut = Static<typeof ReadingOut>

/** One reading with everything it ever was, oldest first. */
export const ReadingWithHistory = Type.Object({
  ...ReadingOut.properties,
  deleted: Type.Boolean(),
  history: Type.Array(Type.Object({ revision: Type.Integer(), value: Type.Number(), source: Type.String() })),
})

export const BulkOut = Type.Object({
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  rejected: Type.Array(
    Type.Object({ index: Type.Integer(), code: Type.String(), message: Type.String(), path: Type.String() }),
  ),
})
export type BulkOut = Static<typeof BulkOut>
