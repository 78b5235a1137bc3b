/** API keys: `hfk_<device id>_<43 characters>`, so that the key alone says whose it is. Only its SHA-256 is kept. */
import { createHash, randomBytes } from 'node:crypto'
import { isId } from '../../domain/id.ts'
import { sameSecret, tokenHash } from '../../kernel/secrets.ts'

const PREFIX = 'hfk_'
const SECRET_BYTES = 32
const SECRET_CHARACTERS = 43
const LONGEST = PREFIX.length + 64 + 1 + SECRET_CHARACTERS
const NOBODY = randomBytes(SECRET_BYTES)

export function newKey(deviceId: string): string {
  return `${PREFIX}${deviceId}_${randomBytes(SECRET_BYTES).toString('base64url')}`
}

/** The id inside a key, null for text of another shape. Ids may hold `_` too, so the secret is cut off by its length. */
export function deviceOfKey(key: string): string | null {
  if (key.length > LONGEST || !key.startsWith(PREFIX)) return null
  const deviceId = key.slice(PREFIX.length, -SECRET_CHARACTERS - 1)
  return key.at(-SECRET_CHARACTERS - 1) === '_' && isId(deviceId) ? deviceId : null
}

/** Compares in constant time; no hash (nobody, or revoked) is compared with something that no key has. */
export function keyFits(key: string, hash: Uint8Array | null): boolean {
  return sameSecret(tokenHash(key), hash ?? NOBODY)
}

/** What Nightscout's uploaders make of a key before they send it. */
export function apiSecretOf(key: string): string {
  return createHash('sha1').update(key).digest('hex')
}
