/** What is asked when a live session is to start, over HTTP or over the live channel. */
import { type Static, Type } from 'typebox'
import { Timestamp } from '../kernel/envelope.ts'
import { Id } from './id.ts'

const closed = { additionalProperties: false }

/** What a live session is to watch. */
export const LiveWish = Type.Object(
  {
    session_id: Type.Optional(Id),
    title: Type.Optional(Type.String({ maxLength: 200 })),
    camera_ids: Type.Array(Id, {
      ...{ maxItems: 8, uniqueItems: true },
      description: 'None: players’ phones are to be the cameras',
    }),
    player_id: Type.Optional(Id),
    player_ids: Type.Optional(Type.Array(Id, { maxItems: 64, uniqueItems: true })),
    group_id: Type.Optional(Id),
    record: Type.Optional(
      Type.Boolean({ default: false, description: 'Keep the video of its cameras with the session' }),
    ),
    record_minors: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'An owner gives leave to record players under 18; such video is kept for 14 days',
      }),
    ),
  },
  closed,
)
export type LiveWish = Static<typeof LiveWish>

export const LiveStarted = Type.Object(
  { session_id: Id, started_at: Timestamp, topic: Type.String() },
  closed,
)
export type LiveStarted = Static<typeof LiveStarted>
