import { type Static, Type } from 'typebox'
import { Timestamp } from '../kernel/envelope.ts'
import { Id } from './id.ts'

/** What a device can be. */
export const DEVICE_TYPES = ['watch', 'phone', 'camera', 'gateway', 'wall', 'integration'] as const
export type DeviceType = (typeof DEVICE_TYPES)[number]

/** Other words for the same types, as seed projects say them. */
const TYPE_ALIASES = { mobile: 'phone', edge: 'gateway' } as const satisfies Record<string, DeviceType>
type TypeWord = DeviceType | keyof typeof TYPE_ALIASES

export const DeviceTypeWord = Type.Enum([...DEVICE_TYPES, 'mobile', 'edge'] satisfies TypeWord[])

export function deviceType(word: TypeWord): DeviceType {
  return word === 'mobile' || word === 'edge' ? TYPE_ALIASES[word] : word
}

/** A device as the API shows it; its key is never part of it. */
export const Device = Type.Object(
  {
    id: Id,
    name: Type.String(),
    type: Type.String(),
    /** Who wears it now. */
    person_id: Type.Union([Id, Type.Null()]),
    online: Type.Boolean(),
    /** Percent. */
    battery: Type.Union([Type.Number(), Type.Null()]),
    last_seen: Type.Union([Timestamp, Type.Null()]),
    paired_at: Type.Union([Timestamp, Type.Null()]),
    revoked: Type.Boolean(),
    /** Lower is preferred when two devices tell the same story. */
    rank: Type.Integer(),
    timezone: Type.Union([Type.String(), Type.Null()]),
    prefixes: Type.Array(Type.String()),
    /** Further persons it may name in a sample. */
    serves: Type.Array(Id),
    /** Payloads it sent that could not be taken. */
    quarantined: Type.Integer(),
  },
  { additionalProperties: false },
)
export type Device = Static<typeof Device>
