/** Who uploads or follows: an integration that the owner bound to one person, and nobody else. */
import type { Actor } from '../../domain/access.ts'
import type { Policy } from '../../domain/route.ts'
import { HubError } from '../../kernel/errors.ts'

export interface Uploader {
  deviceId: string
  personId: string
}

/** A JSON document in Nightscout's words. */
export type Document = Readonly<Record<string, unknown>>

/** Which person it is, only the handler knows: a key reads and writes the glucose and treatments of its one person. */
export const UPLOADERS: Policy = { access: 'signed-in', roles: ['device'] }

/** Throws FORBIDDEN for any other device, and for an integration of several people. */
export function uploaderOf(actor: Actor): Uploader {
  if (actor.kind !== 'device' || actor.type !== 'integration')
    throw new HubError(
      'FORBIDDEN',
      'This is for integrations. Add a device of type integration and use its key.',
    )
  const [personId, ...others] = actor.serves
  if (personId === undefined || others.length > 0)
    throw new HubError(
      'FORBIDDEN',
      'An uploader speaks for one person. Bind this integration to exactly one, or add one for each.',
    )
  return { deviceId: actor.deviceId, personId }
}

export function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
