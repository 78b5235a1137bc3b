import { type Static, Type } from 'typebox'
import { Timestamp } from '../kernel/envelope.ts'
import { ROLES } from './access.ts'
import { Id } from './id.ts'

/** How long a code may be used, and how long the one who used it waits for a yes. */
export const PAIRING_WINDOW_MS = 5 * 60_000
/** Wrong codes after which every code that was open meanwhile is burnt. */
export const PAIRING_TRIES = 5

export const PairingWords = Type.Array(Type.String(), { minItems: 3, maxItems: 3 })

/** Somebody who showed a right code and waits for an owner's answer. */
export const PairingRequest = Type.Object(
  {
    id: Id,
    device_name: Type.String(),
    device_type: Type.String(),
    role: Type.Enum([...ROLES]),
    person_id: Type.Union([Id, Type.Null()]),
    /** The same words that the asking screen shows. */
    words: PairingWords,
    status: Type.Enum(['waiting', 'approved', 'denied', 'expired']),
    created_at: Timestamp,
    expires_at: Timestamp,
  },
  { additionalProperties: false },
)
export type PairingRequest = Static<typeof PairingRequest>
export type PairingStatus = PairingRequest['status']
