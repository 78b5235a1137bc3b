/** What the hub and its WebRTC process tell each other. What the process says is checked: it decodes what strangers send. */
import { type Static, Type } from 'typebox'

/** From the hub. `picture` carries I420 as its body; the next one of a camera waits for its `taken`. */
export type Order =
  | { type: 'view'; id: string; camera: string; sdp: string }
  | { type: 'receive'; id: string; sdp: string }
  | { type: 'close'; id: string }
  | { type: 'forget'; camera: string }
  | { type: 'picture'; camera: string; width: number; height: number }
  /** A picture of this reception was taken: the next may come. */
  | { type: 'taken'; id: string }

const Id = Type.String({ maxLength: 64 })
const Side = Type.Integer({ minimum: 2, maximum: 3840 })

/** Pictures of a reception larger than this end it. */
export const MAX_PIXELS = 3840 * 2160

/** From the process. `picture` carries I420 as its body, upright. */
export const Report = Type.Union([
  Type.Object({ type: Type.Literal('ready') }),
  Type.Object({ type: Type.Literal('alive'), rssBytes: Type.Integer({ minimum: 0 }) }),
  Type.Object({ type: Type.Literal('answer'), id: Id, sdp: Type.String({ maxLength: 65_536 }) }),
  Type.Object({ type: Type.Literal('refused'), id: Id, message: Type.String({ maxLength: 2_000 }) }),
  Type.Object({ type: Type.Literal('connection'), id: Id, state: Type.String({ maxLength: 32 }) }),
  Type.Object({ type: Type.Literal('taken'), camera: Id }),
  Type.Object({ type: Type.Literal('oversized'), id: Id }),
  Type.Object({
    type: Type.Literal('picture'),
    id: Id,
    width: Side,
    height: Side,
    waitedMs: Type.Number({ minimum: 0, maximum: 60_000 }),
  }),
])
export type Report = Static<typeof Report>
