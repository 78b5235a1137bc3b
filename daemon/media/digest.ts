/** Answers to HTTP and RTSP challenges: Digest (RFC 7616, and RFC 2069 as old cameras speak it) and Basic (RFC 7617). */
import { createHash } from 'node:crypto'

export interface Credentials {
  username: string
  password: string
}

/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  scheme: 'digest' | 'basic'
  realm: string
  nonce: string
  opaque: string | null
  algorithm: string | null
  qop: readonly string[]
  stale: boolean
}

/** The state of one client towards one server: which challenge is being answered, and how often. */
export interface Authorization {
  /**
   * Takes the `WWW-Authenticate` values of a 401 that answered a request carrying `sent` (what `header` returned for it).
   * True when trying again can help: nothing was sent yet, or the nonce had aged. False: the credentials are wrong.
   */
  challenged(values: readonly string[], sent: string | null): boolean
  /** Told that a request carrying `sent` was let in, so that a later 401 is read as an aged nonce. */
  accepted(sent: string | null): void
  /** The `Authorization` value of the next request; null before the first challenge. */
  header(method: string, uri: string): string | null
}

const HASHES: Record<string, 'md5' | 'sha256'> = { md5: 'md5', 'sha-256': 'sha256' }
const CONTROL = /\p{Cc}/u
const MAX_CHALLENGE_CHARS = 8192

/** Null when the credentials hold control characters, which no header can carry. `newCnonce` gives fresh random hex. */
export function createAuthorization(
  { username, password }: Credentials,
  newCnonce: () => string,
): Authorization | null {
  if (CONTROL.test(username) || CONTROL.test(password)) return null
  let challenge: Challenge | null = null
  let count = 0
  let acceptedOnce = false
  return {
    challenged(values, sent) {
      const best = preferred(values.flatMap(parseChallenges))
      if (best === null) return false
      const again = sent === null || best.stale || (acceptedOnce && best.nonce !== challenge?.nonce)
      challenge = best
      count = 0
      acceptedOnce = false
      return again
    },
    accepted(sent) {
      if (sent !== null) acceptedOnce = true
    },
    header(method, uri) {
      if (challenge === null) return null
      if (challenge.scheme === 'basic') {
        return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
      }
      count++
      return digestHeader(challenge, { username, password, method, uri, cnonce: newCnonce(), count })
    },
  }
}

/** SHA-256 before MD5 before Basic; challenges that we cannot answer (auth-int only, other hashes) are left aside. */
function preferred(challenges: readonly Challenge[]): Challenge | null {
  const rank = (challenge: Challenge): number => {
    if (challenge.scheme === 'basic') return 1
    if (challenge.qop.length > 0 && !challenge.qop.includes('auth')) return 0
    const hash = HASHES[baseAlgorithm(challenge.algorithm)]
    return hash === undefined ? 0 : hash === 'sha256' ? 3 : 2
  }
  const best = [...challenges].sort((a, b) => rank(b) - rank(a))[0]
  return best === undefined || rank(best) === 0 ? null : best
}

const baseAlgorithm = (algorithm: string | null): string =>
  (algorithm ?? 'MD5').toLowerCase().replace(/-sess$/, '')

export interface DigestRequest extends Credentials {
  method: string
  uri: string
  cnonce: string
  count: number
}

/** The `response` value of RFC 7616 section 3.4.1; without `qop` that of RFC 2069. */
export function digestResponse(challenge: Challenge, request: DigestRequest): string {
  const name = HASHES[baseAlgorithm(challenge.algorithm)] ?? 'md5'
  const hash = (text: string) => createHash(name).update(text, 'utf8').digest('hex')
  const secret = hash(`${request.username}:${challenge.realm}:${request.password}`)
  const session = (challenge.algorithm ?? '').toLowerCase().endsWith('-sess')
  const a1 = session ? hash(`${secret}:${challenge.nonce}:${request.cnonce}`) : secret
  const a2 = hash(`${request.method}:${request.uri}`)
  if (!challenge.qop.includes('auth')) return hash(`${a1}:${challenge.nonce}:${a2}`)
  return hash(`${a1}:${challenge.nonce}:${nonceCount(request.count)}:${request.cnonce}:auth:${a2}`)
}

const nonceCount = (count: number): string => count.toString(16).padStart(8, '0')

function digestHeader(challenge: Challenge, request: DigestRequest): string {
  const fields = [
    `username=${quoted(request.username)}`,
    `realm=${quoted(challenge.realm)}`,
    `nonce=${quoted(challenge.nonce)}`,
    `uri=${quoted(request.uri)}`,
    `response="${digestResponse(challenge, request)}"`,
  ]
  if (challenge.algorithm !== null) fields.push(`algorithm=${challenge.algorithm}`)
  if (challenge.opaque !== null) fields.push(`opaque=${quoted(challenge.opaque)}`)
  const session = (challenge.algorithm ?? '').toLowerCase().endsWith('-sess')
  if (challenge.qop.includes('auth')) {
    fields.push('qop=auth', `nc=${nonceCount(request.count)}`, `cnonce="${request.cnonce}"`)
  } else if (session) fields.push(`cnonce="${request.cnonce}"`)
  return `Digest ${fields.join(', ')}`
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

/** Every Digest and Basic challenge of one header value; several may stand in one, separated by commas. */
export function parseChallenges(value: string): Challenge[] {
  if (value.length > MAX_CHALLENGE_CHARS || CONTROL.test(value)) return []
  const found: { scheme: string; fields: Map<string, string> }[] = []
  const piece = /([A-Za-z0-9._-]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?\s*,?/g
  for (const [, name = '', inQuotes, bare] of value.matchAll(piece)) {
    const field = inQuotes === undefined ? bare : inQuotes.replace(/\\(.)/g, '$1')
    if (field === undefined) found.push({ scheme: name.toLowerCase(), fields: new Map() })
    else found.at(-1)?.fields.set(name.toLowerCase(), field)
  }
  return found.flatMap(({ scheme, fields }) => challengeOf(scheme, fields))
}

function challengeOf(scheme: string, fields: ReadonlyMap<string, string>): Challenge[] {
  if (scheme !== 'digest' && scheme !== 'basic') return []
  const nonce = fields.get('nonce')
  if (scheme === 'digest' && nonce === undefined) return []
  const algorithm = fields.get('algorithm') ?? null
  if (algorithm !== null && !/^[A-Za-z0-9-]+$/.test(algorithm)) return []
  const qop = (fields.get('qop') ?? '').toLowerCase().split(/[\s,]+/)
  return [
    {
      scheme,
      realm: fields.get('realm') ?? '',
      nonce: nonce ?? '',
      opaque: fields.get('opaque') ?? null,
      algorithm,
      qop: qop.filter((each) => each !== ''),
      stale: (fields.get('stale') ?? '').toLowerCase() === 'true',
    },
  ]
}
