/** What a recommendation says: times, and for each what it was concluded from. */
import { type Static, Type } from 'typebox'
import { Id } from '../../domain/id.ts'
import { Timestamp } from '../../kernel/envelope.ts'

const orNull = <Schema extends Parameters<typeof Type.Optional>[0]>(schema: Schema) =>
  Type.Union([schema, Type.Null()])

/** Where a figure comes from: an event of the calendar or a rated session, by its id. */
const From = Type.Object(
  {
    kind: Type.Enum(['event', 'session']),
    id: Type.String(),
    title: orNull(Type.String()),
    at: orNull(Timestamp),
  },
  { additionalProperties: false },
)

export const Reason = Type.Object(
  {
    code: Type.Enum([
      'free',
      'rest_to_nearest',
      'only_sport_that_day',
      'school_event_that_day',
      'after_school_assumed',
      'load_rising',
    ]),
    figure: orNull(Type.Number()),
    unit: orNull(Type.String()),
    from: Type.Array(From),
  },
  { additionalProperties: false },
)
export type Reason = Static<typeof Reason>

export const Suggestion = Type.Object(
  { start_time: Timestamp, end_time: Timestamp, score: Type.Number(), reasons: Type.Array(Reason) },
  { additionalProperties: false },
)
export type Suggestion = Static<typeof Suggestion>

export const LoadTold = Type.Object(
  {
    /** Days from the first rated session of the last six weeks to today. */
    days_known: Type.Integer(),
    week_load: orNull(Type.Number()),
    /** Acute over chronic (EWMA); null before 28 days. */
    ratio: orNull(Type.Number()),
    rising_fast: orNull(Type.Boolean()),
    session_ids: Type.Array(Id),
  },
  { additionalProperties: false },
)
export type LoadTold = Static<typeof LoadTold>

export const Recommendation = Type.Object(
  {
    player_id: Id,
    suggestions: Type.Array(Suggestion),
    /** How many times fell away because something is planned (`planned`) or by which guideline. */
    left_out: Type.Array(
      Type.Object({ reason: Type.String(), times: Type.Integer() }, { additionalProperties: false }),
    ),
    load: LoadTold,
  },
  { additionalProperties: false },
)
export type Recommendation = Static<typeof Recommendation>
