import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { Id } from '../../domain/id.ts'
import { TOPICS_MAX } from './session.ts'
import { SendLandmarks, StartSession, StopSession } from './training.ts'

const Topic = Type.String({ minLength: 1, maxLength: 128 })
const Samples = Type.Array(Type.Unknown(), { minItems: 1, maxItems: 1000 })

/** What a client may send. */
export const ClientMessage = Type.Union([
  Type.Object(
    {
      type: Type.Literal('auth'),
      token: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
      api_key: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      type: Type.Literal('subscribe'),
      topics: Type.Optional(Type.Array(Topic, { maxItems: TOPICS_MAX })),
      since: Type.Optional(Type.Record(Topic, Type.Integer({ minimum: 0 }), { maxProperties: TOPICS_MAX })),
    },
    { additionalProperties: false },
  ),
  Type.Object(
    { type: Type.Literal('unsubscribe'), topics: Type.Array(Topic, { maxItems: TOPICS_MAX }) },
    { additionalProperties: false },
  ),
  Type.Object(
    {
      type: Type.Literal('telemetry'),
      id: Type.Optional(Type.Union([Type.String({ maxLength: 128 }), Type.Number()])),
      person_id: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' })),
      samples: Samples,
    },
    { additionalProperties: false },
  ),
  Type.Object(
    { type: Type.Literal('seen'), alerts: Type.Array(Id, { minItems: 1, maxItems: 100 }) },
    { additionalProperties: false },
  ),
  StartSession,
  StopSession,
  SendLandmarks,
])
export type ClientMessage = Static<typeof ClientMessage>

export type ReadMessage = { message: ClientMessage } | { wrong: string }

/** Reads one text frame; the compiled schema is made once by whoever holds the reader. */
export function createReader(): (text: string) => ReadMessage {
  const schema = Compile(ClientMessage)
  return (text) => {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return { wrong: 'a message is one JSON object' }
    }
    if (schema.Check(value)) return { message: value }
    return {
      wrong:
        'a message is {"type":"auth"|"subscribe"|"unsubscribe"|"telemetry"|"seen"|"start_session"|"stop_session"|"landmarks", …} with its own fields',
    }
  }
}
