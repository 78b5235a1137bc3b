/** Who is asking: hubs by their signature, people in the cloud by a household's token. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import {
  CODE_LETTERS,
  HUB_HEADER,
  isSignedBy,
  keyFingerprint,
  MAX_SKEW_MS,
  NONCE_HEADER,
  newSigningKey,
  plainLetters,
  requestText,
  SIGNATURE_HEADER,
  type SigningKey,
  signingKeyOf,
  TIME_HEADER,
} from '../signing.ts'
import type { Hub } from './apply.ts'
import type { Queries } from './database.ts'

/** What a request shows of itself; header names are lower case. */
export interface Shown {
  method: string
  path: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: Uint8Array
}

export interface Refused {
  status: 401 | 403
  reason: string
  message: string
  challenge?: string
}

export interface Signed {
  hub: string
  nonce: string
  timeMs: number
  signature: string
  text: string
}

export interface ServiceKey extends SigningKey {
  /** Secret that challenges are made with. */
  challengeSecret: Uint8Array
}

export interface KnownHub extends Hub {
  publicKey: string
  previousKey: string | null
  epoch: number
  name: string
  /** Which generation of the household's feed it reads. */
  generation: number
}

export const TOKEN_ROLES = ['viewer', 'editor', 'owner'] as const
export type TokenRole = (typeof TOKEN_ROLES)[number]
export interface Account {
  tokenId: string
  household: string
  role: TokenRole
}

export interface Identity {
  /**
   * The hub behind a signed request, or why it is none. `rotatedTo`: the key that the request asks for; when it is the hub's already,
   * the one before it may sign, because the answer to the rotation was lost.
   */
  hubOf(shown: Shown, nowMs: number, rotatedTo?: string): Promise<KnownHub | Refused>
  /** Checks everything but who it is: signed with the key that stands in the request itself. */
  newcomer(shown: Shown, publicKey: string, nowMs: number): Refused | null
  /** The account behind a household's token; null for unknown and revoked ones. */
  accountOf(authorization: string | undefined): Promise<Account | null>
  /** The generation of the feed that a hub may read; null when it may read none. Asked again while a stream is open. */
  generationOf(hub: string): Promise<number | null>
}

const REVOKED: Refused = {
  status: 403,
  reason: 'revoked',
  message: 'This hub was taken out of the household.',
}
const CHALLENGE_MS = 5 * 60_000

export function createIdentity(owner: Queries, key: ServiceKey): Identity {
  const checked = (signed: Signed | Refused, publicKey: string, nowMs: number): Refused | null => {
    if ('status' in signed) return signed
    if (!isSignedBy(publicKey, signed.text, signed.signature))
      return {
        status: 401,
        reason: 'signature',
        message: 'The signature does not fit the request and the key.',
      }
    const isTimely =
      Math.abs(signed.timeMs - nowMs) <= MAX_SKEW_MS || isChallenge(key, signed.hub, signed.nonce, nowMs)
    if (isTimely) return null
    return {
      status: 401,
      reason: 'clock',
      message: 'The time of the request is off; repeat it with the challenge as nonce.',
      challenge: challenge(key, signed.hub, nowMs),
    }
  }
  return {
    async hubOf(shown, nowMs, rotatedTo) {
      const signed = signedParts(shown)
      if ('status' in signed) return signed
      const hub = await findHub(owner, signed.hub)
      if (!hub) return { status: 401, reason: 'unknown_hub', message: 'This hub is not registered here.' }
      const isRotated = rotatedTo === hub.publicKey && hub.previousKey !== null
      const refused =
        checked(signed, isRotated && hub.previousKey !== null ? hub.previousKey : hub.publicKey, nowMs) ??
        (hub.revokedAt === null ? null : REVOKED)
      return refused ?? hub
    },
    newcomer: (shown, publicKey, nowMs) => checked(signedParts(shown), publicKey, nowMs),
    async accountOf(authorization) {
      const token = /^Bearer ([A-Za-z0-9_-]{20,100})$/.exec(authorization ?? '')?.[1]
      if (token === undefined) return null
      const { rows } = await owner.query<{ id: string; household_id: string; role: TokenRole }>(
        'SELECT id, household_id, role FROM cloud_token WHERE hash = $1 AND revoked_at IS NULL',
        [hashOf(token)],
      )
      const [row] = rows
      return row ? { tokenId: row.id, household: row.household_id, role: row.role } : null
    },
    async generationOf(hub) {
      const found = await findHub(owner, hub)
      return found && found.revokedAt === null ? found.generation : null
    },
  }
}

interface HubRow {
  id: string
  household_id: string
  public_key: string
  previous_key: string | null
  epoch: number
  name: string
  revoked_at: number | null
  generation: number
}

async function findHub(
  owner: Queries,
  id: string,
): Promise<(KnownHub & { revokedAt: number | null }) | null> {
  const { rows } = await owner.query<HubRow>(
    `SELECT b.id, b.household_id, b.public_key, b.previous_key, b.epoch, b.name, b.revoked_at, h.feed_generation AS generation
     FROM hub b JOIN household h ON h.id = b.household_id WHERE b.id = $1`,
    [id],
  )
  const [row] = rows
  return row
    ? {
        id: row.id,
        household: row.household_id,
        publicKey: row.public_key,
        previousKey: row.previous_key,
        epoch: row.epoch,
        name: row.name,
        generation: row.generation,
        revokedAt: row.revoked_at,
      }
    : null
}

/** The headers that every signed request has; a refusal when one is missing or malformed. */
export function signedParts({ method, path, headers, body }: Shown): Signed | Refused {
  const header = (name: string) => {
    const value = headers[name]
    return typeof value === 'string' ? value : ''
  }
  const [hub, nonce, signature] = [header(HUB_HEADER), header(NONCE_HEADER), header(SIGNATURE_HEADER)]
  const timeMs = Number(header(TIME_HEADER) || Number.NaN)
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(hub) || !/^[\w.-]{8,200}$/.test(nonce) || !Number.isSafeInteger(timeMs))
    return { status: 401, reason: 'signature', message: 'The request is not signed by a hub.' }
  return { hub, nonce, timeMs, signature, text: requestText({ method, path, body, timeMs, nonce, hub }) }
}

/** Good for one hub and five minutes, on every instance, without keeping anything. */
function challenge(key: ServiceKey, hub: string, nowMs: number): string {
  const until = String(nowMs + CHALLENGE_MS)
  return `${until}.${mac(key, hub, until)}`
}

function isChallenge(key: ServiceKey, hub: string, nonce: string, nowMs: number): boolean {
  const [until = '', code = ''] = nonce.split('.')
  const expected = Buffer.from(mac(key, hub, until))
  const shown = Buffer.from(code)
  return Number(until) >= nowMs && shown.length === expected.length && timingSafeEqual(shown, expected)
}

function mac({ challengeSecret }: ServiceKey, hub: string, until: string): string {
  return createHmac('sha256', challengeSecret).update(`${hub}\n${until}`).digest('base64url')
}

export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** The service's key, made at the first start; every instance on one database has the same. */
export async function serviceKey(owner: Queries): Promise<ServiceKey> {
  await owner.query(
    `INSERT INTO vault.service_key (one, pem, challenge_secret) VALUES (1, $1, $2) ON CONFLICT (one) DO NOTHING`,
    [newSigningKey().pem, randomBytes(32)],
  )
  const { rows } = await owner.query<{ pem: string; challenge_secret: Buffer }>(
    'SELECT pem, challenge_secret FROM vault.service_key',
  )
  const [row] = rows
  if (!row) throw new Error('The service has no key')
  return { ...signingKeyOf(row.pem), challengeSecret: row.challenge_secret }
}

/** Twelve letters in three groups, and behind the dot which key the service must show. */
export function newEnrolmentCode(key: SigningKey): { shown: string; code: string } {
  const letters = [...randomBytes(12)].map((byte) => CODE_LETTERS[byte % CODE_LETTERS.length]).join('')
  const code = letters.replace(/(.{4})(.{4})(.{4})/, '$1-$2-$3')
  return { shown: `${code}.${keyFingerprint(key.publicKey)}`, code }
}

/** As it is compared: case, spaces and the part behind the dot do not matter. */
export function plainCode(code: string): string {
  return plainLetters(code.split('.')[0] ?? '')
}
