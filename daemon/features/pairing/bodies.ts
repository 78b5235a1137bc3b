/** What the routes of pairing take and give. */
import { type Static, Type } from 'typebox'
import { DATA_CLASSES, ROLES } from '../../domain/access.ts'
import { DeviceTypeWord } from '../../domain/device.ts'
import { Id } from '../../domain/id.ts'
import { PairingRequest, PairingWords } from '../../domain/pairing.ts'
import { DisplayName, Tokens } from '../../domain/user.ts'
import { Timestamp } from '../../kernel/envelope.ts'

export const GenerateBody = Type.Object(
  {
    role: Type.Enum([...ROLES]),
    device_type: DeviceTypeWord,
    person_id: Type.Optional(Id),
    classes: Type.Optional(Type.Array(Type.Enum([...DATA_CLASSES]), { maxItems: 4, uniqueItems: true })),
    /** The code also registers an account with a password, without a second yes. */
    invite: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
export const Generated = Type.Object(
  {
    id: Id,
    code: Type.String({ pattern: '^\\d{8}$' }),
    token: Type.String(),
    url: Type.String(),
    expires_at: Timestamp,
    qr_svg: Type.String(),
  },
  { additionalProperties: false },
)
export const ConnectBody = Type.Object(
  {
    code: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
    token: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    device_name: DisplayName,
    device_type: DeviceTypeWord,
  },
  { additionalProperties: false },
)
export const Connected = Type.Object(
  { id: Id, poll_token: Type.String(), words: PairingWords, expires_at: Timestamp },
  { additionalProperties: false },
)
export const Polled = Type.Object(
  {
    id: Id,
    status: PairingRequest.properties.status,
    words: PairingWords,
    tokens: Type.Optional(Tokens),
    device: Type.Optional(Type.Object({ id: Id, api_key: Type.String() }, { additionalProperties: false })),
  },
  { additionalProperties: false },
)
export const Paired = Type.Object(
  {
    id: Id,
    name: Type.String(),
    type: Type.String(),
    role: Type.Enum([...ROLES]),
    user_id: Type.Union([Id, Type.Null()]),
    person_id: Type.Union([Id, Type.Null()]),
    paired_at: Type.Union([Timestamp, Type.Null()]),
    last_seen: Type.Union([Timestamp, Type.Null()]),
  },
  { additionalProperties: false },
)
export type Paired = Static<typeof Paired>
export const Params = Type.Object({ id: Id }, { additionalProperties: false })
export const Nothing = Type.Object({}, { additionalProperties: false })
