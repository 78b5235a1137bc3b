/** Codes that let somebody in: shown once as QR and eight digits, kept as keyed hashes, good for one use in 5 minutes. */
import { randomBytes, randomInt } from 'node:crypto'
import type { DataClass, Role } from '../../domain/access.ts'
import type { DeviceType } from '../../domain/device.ts'
import { PAIRING_TRIES, PAIRING_WINDOW_MS } from '../../domain/pairing.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { keyedHash } from '../../kernel/secrets.ts'
import type { Plan } from '../../store/plan.ts'
import type { SqlParams, Store, Write } from '../../store/store.ts'

/** What a code lets its bearer become. */
export interface Terms {
  role: Role
  deviceType: DeviceType
  personId: string | null
  classes: readonly DataClass[]
  /** The code also registers an account with a password, without a second yes. */
  invite: boolean
}

export interface Offer extends Terms {
  id: string
  expiresAtMs: number
}

export interface NewOffer {
  id: string
  /** Eight digits. */
  code: string
  /** 16 bytes, base64url. */
  token: string
  expiresAtMs: number
}

export interface Offers {
  /** `inviterId` null: from the box itself. Throws CONFLICT when too many are open. */
  make(terms: Terms, inviterId: string | null): Promise<NewOffer>
  /** The open offer behind a code or token; null for a wrong one. Throws PAIRING_EXPIRED for one used, old or burnt. */
  find(secret: string): Offer | null
  /** Marks the offer used when it is still open: the first of several wins, the others' unit fails with CONFLICT. */
  use(offer: Offer): Plan<null>
  /** Counts a wrong code against every open one; answers the ids of those it burnt. */
  countWrong(): Promise<string[]>
  prune(): Promise<void>
}

export interface OffersDeps {
  store: Store
  clock: Clock
  key: Uint8Array
}

/** With more codes open, eight digits would be guessed too easily. */
const OPEN_AT_ONCE = 20
/** Old codes are remembered this long, to answer "over" and not "wrong", and so that no new code equals one. */
const REMEMBERED_MS = 86_400_000
const CODES = 100_000_000

const INSERT = `INSERT INTO pairing_offer (id, code_hash, token_hash, role, device_type, person_key, classes, invite,
    inviter_id, created_at, expires_at)
  VALUES (:id, :codeHash, :tokenHash, :role, :deviceType,
    (SELECT key FROM person WHERE id = :personId AND deleted_at IS NULL), :classes, :invite, :inviterId, :nowMs,
    :expiresAtMs)`
const SELECT = `SELECT offer.id, role, device_type AS deviceType, person.id AS personId, classes, invite,
    expires_at AS expiresAtMs, offer.created_at AS createdAtMs, wrong_tries AS wrongTries, used_at AS usedAtMs
  FROM pairing_offer AS offer LEFT JOIN person ON person.key = offer.person_key
  WHERE code_hash = :hash OR token_hash = :hash`
const IS_OPEN = 'used_at IS NULL AND expires_at > :nowMs AND created_at <= :nowMs AND wrong_tries < :tries'

interface Row extends Omit<Offer, 'classes' | 'invite'> {
  classes: string
  invite: number
  createdAtMs: number
  wrongTries: number
  usedAtMs: number | null
}

export function createOffers({ store, clock, key }: OffersDeps): Offers {
  const hashOf = (secret: string) => keyedHash(key, secret)
  const row = (secret: string) => store.get<Row>(SELECT, { hash: hashOf(secret) })
  const open = (): SqlParams => ({ nowMs: clock.now(), tries: PAIRING_TRIES })

  function freshCode(): string {
    for (;;) {
      const code = String(randomInt(CODES)).padStart(8, '0')
      if (!row(code)) return code
    }
  }

  return {
    async make(terms, inviterId) {
      const count = `SELECT count(*) AS offers FROM pairing_offer WHERE ${IS_OPEN}`
      if ((store.get<{ offers: number }>(count, open())?.offers ?? 0) >= OPEN_AT_ONCE) {
        throw new HubError('CONFLICT', 'Too many pairing codes are open. Use one of them, or wait 5 minutes.')
      }
      const nowMs = clock.now()
      const offer = {
        id: newId(nowMs),
        code: freshCode(),
        token: randomBytes(16).toString('base64url'),
        expiresAtMs: nowMs + PAIRING_WINDOW_MS,
      }
      await store.write([insert(offer, terms, inviterId, nowMs, hashOf)])
      return offer
    },
    find(secret) {
      const found = row(secret)
      if (!found) return null
      const nowMs = clock.now()
      const inTime = found.createdAtMs <= nowMs && nowMs < found.expiresAtMs
      if (!inTime || found.usedAtMs !== null || found.wrongTries >= PAIRING_TRIES) throw over()
      return { ...found, classes: JSON.parse(found.classes), invite: found.invite === 1 }
    },
    use(offer) {
      const write: Write = {
        sql: `UPDATE pairing_offer SET used_at = :nowMs WHERE id = :id AND ${IS_OPEN}`,
        params: { id: offer.id, ...open() },
        expect: 1,
      }
      return { result: null, writes: [write], committed: () => {} }
    },
    async countWrong() {
      const [counted] = await store.write([
        {
          sql: `UPDATE pairing_offer SET wrong_tries = wrong_tries + 1 WHERE ${IS_OPEN} RETURNING id, wrong_tries AS tries`,
          params: open(),
        },
      ])
      return (counted?.rows ?? []).filter(({ tries }) => tries === PAIRING_TRIES).map(({ id }) => String(id))
    },
    async prune() {
      const params = { overMs: clock.now() - REMEMBERED_MS }
      await store.write([
        {
          sql: `DELETE FROM pairing_request WHERE expires_at < :overMs AND offer_id IN
                  (SELECT id FROM pairing_offer WHERE expires_at < :overMs)`,
          params,
        },
        {
          sql: `DELETE FROM pairing_offer WHERE expires_at < :overMs AND NOT EXISTS
                  (SELECT 1 FROM pairing_request WHERE offer_id = pairing_offer.id)`,
          params,
        },
      ])
    },
  }
}

export function over(): HubError {
  return new HubError(
    'PAIRING_EXPIRED',
    'This pairing code is used or over. Open Devices > Add and use the new one.',
  )
}

function insert(
  offer: NewOffer,
  terms: Terms,
  inviterId: string | null,
  nowMs: number,
  hashOf: (secret: string) => Buffer,
): Write {
  const { id, code, token, expiresAtMs } = offer
  return {
    sql: INSERT,
    params: {
      id,
      codeHash: hashOf(code),
      tokenHash: hashOf(token),
      role: terms.role,
      deviceType: terms.deviceType,
      personId: terms.personId,
      classes: JSON.stringify(terms.classes),
      invite: terms.invite ? 1 : 0,
      inviterId,
      nowMs,
      expiresAtMs,
    },
    expect: 1,
  }
}
