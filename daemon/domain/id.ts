import { type Static, Type } from 'typebox'

/** UUIDv7 when the hub makes it; a client may bring its own of this shape. */
export const Id = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  description: 'Identifier, up to 64 of A-Z a-z 0-9 _ -',
})
export type Id = Static<typeof Id>

/** Topic words that can never be a device's id: `hf/in/…` and `hf/out/…` belong to the hub. */
export const RESERVED_IDS: ReadonlySet<string> = new Set(['in', 'out'])

export function isId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text)
}
