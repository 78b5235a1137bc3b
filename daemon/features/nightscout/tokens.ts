/** In which forms an uploader's secret arrives, and the short-lived token that clients of Nightscout's API v3 ask for. */
import type { Actor } from '../../domain/access.ts'
import { HubError } from '../../kernel/errors.ts'
import { deriveKey, keyedHash, sameSecret } from '../../kernel/secrets.ts'

export interface Tokens {
  /** Null for a text that has none of the forms. Throws UNAUTHENTICATED. */
  whoIs(secret: string): Actor | null
  /** A token of an hour for a device whose key was right. */
  issue(deviceId: string): { token: string; issuedS: number; expiresS: number }
}

export interface TokensDeps {
  secret: Uint8Array
  now: () => number
  keys: {
    fromApiKey(key: string): Actor
    fromApiSecret(sha1Hex: string): Actor
    actorOf(deviceId: string): Actor | null
  }
}

const LIFETIME_S = 3600
const SHA1 = /^[0-9a-f]{40}$/i
const KEY = /^hfk_/
/** Its name tells our tokens from those of people. */
const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT","kid":"uploader"}').toString('base64url')

export function createTokens({ secret, now, keys }: TokensDeps): Tokens {
  const key = deriveKey(secret, 'tokens of uploaders')
  const sign = (text: string) => keyedHash(key, text)

  function fromToken(token: string): Actor {
    const [header = '', payload = '', signature = ''] = token.split('.')
    if (!sameSecret(sign(`${header}.${payload}`), Buffer.from(signature, 'base64url'))) throw unknown()
    // Signed by this hub, so it is what `issue` wrote.
    const { sub, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
      sub: string
      exp: number
    }
    if (exp * 1000 <= now()) throw new HubError('TOKEN_EXPIRED', 'The token ran out. Ask for another one.')
    return keys.actorOf(sub) ?? unknown()
  }

  return {
    whoIs(text) {
      if (SHA1.test(text)) return keys.fromApiSecret(text)
      if (KEY.test(text)) return keys.fromApiKey(text)
      return text.startsWith(`${HEADER}.`) ? fromToken(text) : null
    },
    issue(deviceId) {
      const issuedS = Math.floor(now() / 1000)
      const expiresS = issuedS + LIFETIME_S
      const payload = Buffer.from(JSON.stringify({ sub: deviceId, iat: issuedS, exp: expiresS }))
      const signed = `${HEADER}.${payload.toString('base64url')}`
      return { token: `${signed}.${sign(signed).toString('base64url')}`, issuedS, expiresS }
    },
  }
}

function unknown(): never {
  throw new HubError('UNAUTHENTICATED', 'This key or token is unknown or revoked. Add the uploader again.')
}
