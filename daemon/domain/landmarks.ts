/** Bodies that a phone found by itself: what it sends instead of pictures, and what becomes of it. */
import { type Static, Type } from 'typebox'
import { Id } from './id.ts'

/** BlazePose's. */
export const LANDMARKS = 33
/** Pictures that one message may speak of. */
export const FRAMES_MOST = 15
const PEOPLE_MOST = 4
const SIDE_MOST = 4096
const closed = { additionalProperties: false }
/** Landmarks may lie outside of the picture, though not far. */
const Place = Type.Number({ minimum: -2 * SIDE_MOST, maximum: 3 * SIDE_MOST })
const Moment = Type.Number({ minimum: 0, maximum: 1e14 })
const ModelNamed = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 64 }), version: Type.String({ maxLength: 64 }) },
  closed,
)

/** x, y, z in pixels of the picture (z from the middle of the hips, smaller is nearer), and how surely it is seen. */
const Landmark = Type.Tuple([Place, Place, Place, Type.Number({ minimum: 0, maximum: 1 })])

const LandmarkFrame = Type.Object(
  {
    /** When the picture was taken, by the phone's own clock in ms. */
    at: Moment,
    people: Type.Array(Type.Array(Landmark, { minItems: LANDMARKS, maxItems: LANDMARKS }), {
      maxItems: PEOPLE_MOST,
    }),
  },
  closed,
)

/** What a phone saw since its last message. */
export const LandmarkBatch = Type.Object(
  {
    camera_id: Id,
    session_id: Type.Optional(Id),
    /** The phone's clock when it sent this: only differences of it mean something. */
    sent_at: Moment,
    width: Type.Integer({ minimum: 16, maximum: SIDE_MOST }),
    height: Type.Integer({ minimum: 16, maximum: SIDE_MOST }),
    models: Type.Object({ detector: ModelNamed, pose: ModelNamed }, closed),
    frames: Type.Array(LandmarkFrame, { minItems: 1, maxItems: FRAMES_MOST }),
  },
  closed,
)
export type LandmarkBatch = Static<typeof LandmarkBatch>

/** How many pictures were taken in, and why the others were not. */
export interface LandmarkVerdict {
  taken: number
  /** Not later than one that was taken in. */
  outOfOrder: number
  /** Too long on their way. */
  tooOld: number
  /** More than skeletons go out. */
  tooFast: number
}
