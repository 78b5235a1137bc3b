/** Access tokens: JWTs that say who signed in where, good for 15 minutes on this hub alone. */
import { errors, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'

export interface Claims {
  userId: string
  signInId: string
}

export interface AccessTokens {
  issue(claims: Claims): Promise<string>
  /** Throws UNAUTHENTICATED, or TOKEN_EXPIRED for one of ours that is over. */
  read(token: string): Promise<Claims>
}

export interface AccessTokensDeps {
  clock: Clock
  hubId: string
  key: Uint8Array
}

export const ACCESS_TOKEN_S = 15 * 60
const ISSUER = 'homefield'
/** RFC 9068's type, so that no other token of ours could ever pass for one. */
const TYPE = 'at+jwt'
const ALGORITHM = 'HS256'
const LONGEST = 2048
/** A clock that was set back must not make tokens live longer than they should. */
const SKEW_MS = 60_000

export function createAccessTokens({ clock, hubId, key }: AccessTokensDeps): AccessTokens {
  return {
    issue({ userId, signInId }) {
      const nowS = Math.floor(clock.now() / 1000)
      return new SignJWT({ sid: signInId })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setIssuer(ISSUER)
        .setAudience(hubId)
        .setSubject(userId)
        .setIssuedAt(nowS)
        .setExpirationTime(nowS + ACCESS_TOKEN_S)
        .sign(key)
    },
    async read(token) {
      if (token.length > LONGEST) throw invalid()
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [ALGORITHM],
          typ: TYPE,
          issuer: ISSUER,
          audience: hubId,
          requiredClaims: ['sub', 'sid', 'exp', 'iat'],
          currentDate: new Date(clock.now()),
        })
        const { sub, sid, iat = 0 } = payload
        if (iat * 1000 > clock.now() + SKEW_MS) throw over()
        if (typeof sub !== 'string' || typeof sid !== 'string') throw invalid()
        return { userId: sub, signInId: sid }
      } catch (cause) {
        if (cause instanceof errors.JWTExpired) {
          throw over(cause)
        }
        throw cause instanceof HubError ? cause : invalid(cause)
      }
    },
  }
}

function over(cause?: unknown): HubError {
  return new HubError('TOKEN_EXPIRED', 'This access token is over. Refresh it.', { cause })
}

function invalid(cause?: unknown): HubError {
  return new HubError('UNAUTHENTICATED', 'This access token is not valid here. Sign in again.', { cause })
}
