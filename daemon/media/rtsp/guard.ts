/** The other side of `digest.ts`: the simulated camera asks for credentials and checks them, as cameras do. */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { type Credentials, digestResponse } from '../digest.ts'

export interface Guard {
  /** `WWW-Authenticate` for a request that was not let in. */
  challenge(stale: boolean): string
  check(method: string, authorization: string | null): 'allowed' | 'stale' | 'refused'
  /** From now on earlier nonces are stale. */
  renew(): void
}

export interface GuardDeps {
  credentials: Credentials
  algorithm?: 'MD5' | 'SHA-256'
  /** Cameras differ: old ones know no qop. */
  qop?: boolean
}

const REALM = 'Homefield simulated camera'

export function createGuard({ credentials, algorithm = 'MD5', qop = true }: GuardDeps): Guard {
  let nonce = randomBytes(16).toString('hex')
  const earlier: string[] = []
  return {
    challenge(stale) {
      const extras = `${qop ? ', qop="auth"' : ''}${stale ? ', stale=true' : ''}`
      return `Digest realm="${REALM}", nonce="${nonce}", algorithm=${algorithm}${extras}`
    },
    check(method, authorization) {
      const fields = digestFields(authorization ?? '')
      const given = fields.get('nonce') ?? ''
      if (fields.get('username') !== credentials.username) return 'refused'
      const expected = digestResponse(
        {
          scheme: 'digest',
          realm: REALM,
          nonce: given,
          opaque: null,
          algorithm,
          qop: qop ? ['auth'] : [],
          stale: false,
        },
        {
          ...credentials,
          method,
          uri: fields.get('uri') ?? '',
          cnonce: fields.get('cnonce') ?? '',
          count: Number.parseInt(fields.get('nc') ?? '0', 16),
        },
      )
      if (!same(expected, fields.get('response') ?? '')) return 'refused'
      if (given === nonce) return 'allowed'
      return earlier.includes(given) ? 'stale' : 'refused'
    },
    renew() {
      earlier.unshift(nonce)
      earlier.length = Math.min(earlier.length, 8)
      nonce = randomBytes(16).toString('hex')
    },
  }
}

function digestFields(header: string): Map<string, string> {
  const fields = new Map<string, string>()
  if (!/^digest /i.test(header)) return fields
  for (const [, name = '', quoted, bare] of header.slice(7).matchAll(/(\w+)=(?:"([^"]*)"|([^\s,"]+))/g)) {
    fields.set(name.toLowerCase(), quoted ?? bare ?? '')
  }
  return fields
}

function same(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
