/** What a client says about live sessions: begins and ends them, sends pictures, or what a phone found in its own. */
import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'
import type { Actor } from '../../domain/access.ts'
import { Id } from '../../domain/id.ts'
import { LandmarkBatch, type LandmarkVerdict } from '../../domain/landmarks.ts'
import { type LiveStarted, LiveWish } from '../../domain/live-wish.ts'
import { HubError, messageOf } from '../../kernel/errors.ts'
import type { Log } from '../../kernel/log.ts'
import { errorMessage, type ToldMessage } from './answers.ts'

/** What the hub does with it. Each throws HubError. */
export interface LiveTraining {
  start(actor: Actor, wish: LiveWish): Promise<LiveStarted>
  stop(actor: Actor, sessionId: string): Promise<void>
  picture(
    actor: Actor,
    sent: { jpeg: Buffer; camera_id?: string; session_id?: string; captured_at?: string },
  ): { frame_seq: number; accepted: boolean }
  /** `from` names the connection; later ones sort behind earlier ones. */
  landmarks(actor: Actor, batch: LandmarkBatch, from: string): LandmarkVerdict
}

const About = Type.Optional(Type.Union([Type.String({ maxLength: 128 }), Type.Number()]))

export const StartSession = Type.Object(
  { type: Type.Literal('start_session'), id: About, ...LiveWish.properties },
  { additionalProperties: false },
)
export const StopSession = Type.Object(
  { type: Type.Literal('stop_session'), id: About, session_id: Type.Optional(Id) },
  { additionalProperties: false },
)
export const SendLandmarks = Type.Object(
  { type: Type.Literal('landmarks'), id: About, ...LandmarkBatch.properties },
  { additionalProperties: false },
)
export type TrainingMessage =
  | Static<typeof StartSession>
  | Static<typeof StopSession>
  | Static<typeof SendLandmarks>

/** What stands before a JPEG in a binary message. */
const FrameHeader = Type.Object(
  {
    type: Type.Literal('frame_data'),
    id: About,
    session_id: Type.Optional(Id),
    camera_id: Type.Optional(Id),
    captured_at: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
)
const HEADER_BYTES = 2048
const LENGTH_BYTES = 4

export interface TrainingTalk {
  handle(actor: Actor, message: TrainingMessage): Promise<void>
  /** A JPEG alone belongs to the session that this connection started; others carry a header. */
  picture(actor: Actor, bytes: Buffer): void
}

interface TalkDeps {
  training: LiveTraining | undefined
  log: Log
  tell: (message: ToldMessage) => void
  /** Name of this connection. */
  connection: string
}

export function createTrainingTalk({ training, log, tell, connection }: TalkDeps): TrainingTalk {
  let started: string | null = null

  function refuse(cause: unknown, id: string | number | undefined): void {
    if (!(cause instanceof HubError)) log.error({ reason: messageOf(cause) }, 'a live message failed')
    const { code, message } =
      cause instanceof HubError ? cause : new HubError('INTERNAL', 'It did not work. Send it again.')
    tell({ ...errorMessage(code, message), ...about(id) })
  }

  function present(): LiveTraining {
    if (training) return training
    throw new HubError('NOT_FOUND', 'This hub runs no live sessions.')
  }

  async function answer(actor: Actor, message: TrainingMessage): Promise<ToldMessage> {
    if (message.type === 'start_session') {
      const { type: _, id: __, ...wish } = message
      const session = await present().start(actor, wish)
      started = session.session_id
      return { type: 'session_started', ...session }
    }
    if (message.type === 'stop_session') {
      const sessionId = message.session_id ?? started
      if (sessionId === null)
        throw new HubError('VALIDATION_ERROR', 'session_id: is missing, and nothing was started here.')
      await present().stop(actor, sessionId)
      if (started === sessionId) started = null
      return { type: 'session_stopped', session_id: sessionId }
    }
    const { type: _, id: __, ...batch } = message
    const { taken, outOfOrder, tooOld, tooFast } = present().landmarks(actor, batch, connection)
    return {
      type: 'landmarks_ack',
      ...{ taken, out_of_order: outOfOrder, too_old: tooOld, too_fast: tooFast },
    }
  }

  return {
    async handle(actor, message) {
      try {
        tell({ ...(await answer(actor, message)), ...about(message.id) })
      } catch (cause) {
        refuse(cause, message.id)
      }
    },
    picture(actor, bytes) {
      const read = readFrame(bytes)
      if ('wrong' in read) return tell(errorMessage('UNSUPPORTED_MEDIA', read.wrong))
      const { id, type: _, ...header } = read.header
      const sessionId = header.session_id ?? (header.camera_id === undefined ? started : null)
      if (sessionId === null && header.camera_id === undefined)
        return tell({
          ...errorMessage('NOT_FOUND', 'Start a session first, or say whose picture this is.'),
          ...about(id),
        })
      try {
        const session = sessionId === null ? {} : { session_id: sessionId }
        const taken = present().picture(actor, { ...header, ...session, jpeg: read.jpeg })
        if (id !== undefined) tell({ type: 'frame_ack', id, ...taken })
      } catch (cause) {
        refuse(cause, id)
      }
    },
  }
}

function about(id: string | number | undefined): { id?: string | number } {
  return id === undefined ? {} : { id }
}

type ReadFrame = { header: Partial<Static<typeof FrameHeader>>; jpeg: Buffer } | { wrong: string }

/** Either a JPEG alone, or the length of a header (u32, little-endian), the header as JSON, and the JPEG. */
function readFrame(bytes: Buffer): ReadFrame {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return { header: {}, jpeg: bytes }
  const wrong = 'a binary message is a JPEG, or u32 header length, {"type":"frame_data", …} and a JPEG'
  if (bytes.length < LENGTH_BYTES) return { wrong }
  const end = LENGTH_BYTES + bytes.readUInt32LE(0)
  if (end > LENGTH_BYTES + HEADER_BYTES || end > bytes.length) return { wrong }
  try {
    const header: unknown = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, end))
    if (Check(FrameHeader, header)) return { header, jpeg: bytes.subarray(end) }
  } catch {
    // Said below.
  }
  return { wrong }
}
