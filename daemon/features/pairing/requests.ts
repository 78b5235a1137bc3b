/** Who showed a right code and waits: one row each, its state worked out from the row and the clock. */
import { createHash, randomBytes } from 'node:crypto'
import type { DataClass, Role } from '../../domain/access.ts'
import type { DeviceType } from '../../domain/device.ts'
import { PAIRING_WINDOW_MS, type PairingRequest, type PairingStatus } from '../../domain/pairing.ts'
import type { Clock } from '../../kernel/clock.ts'
import { iso } from '../../kernel/envelope.ts'
import { HubError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { sameSecret, tokenHash } from '../../kernel/secrets.ts'
import { fingerprintWords } from '../../kernel/words.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store, Write } from '../../store/store.ts'
import type { Offer } from './offers.ts'

export interface StoredRequest {
  id: string
  deviceName: string
  deviceType: DeviceType
  role: Role
  personId: string | null
  classes: readonly DataClass[]
  status: PairingStatus
  createdAtMs: number
  expiresAtMs: number
  collected: boolean
}

export interface Requests {
  plan(offer: Offer, deviceName: string): Plan<{ id: string; pollToken: string; expiresAtMs: number }>
  get(id: string): StoredRequest | undefined
  /** Waiting ones that are not over, oldest first. */
  waiting(): StoredRequest[]
  /** The request that a poll token opens; throws PAIRING_INVALID. */
  ofPoll(id: string, pollToken: string): StoredRequest
  /** Throws NOT_FOUND, PAIRING_EXPIRED, or CONFLICT when somebody already decided. */
  decide(id: string, status: 'approved' | 'denied', by: string): Promise<StoredRequest>
  /** Marks the secrets as handed out; a second time the unit fails with CONFLICT. */
  collect(id: string): Write
  view(request: StoredRequest): PairingRequest
  /** Three words that both screens show. */
  words(id: string): string[]
}

export interface RequestsDeps {
  store: Store
  clock: Clock
  /** Base64url SHA-256 of the household CA's key. */
  spkiSha256: () => string
}

interface Row extends Omit<StoredRequest, 'classes' | 'status' | 'collected'> {
  classes: string
  status: Exclude<PairingStatus, 'expired'>
  collectedAtMs: number | null
  pollHash: Uint8Array
}

const SELECT = `SELECT request.id, device_name AS deviceName, request.device_type AS deviceType, role,
    person.id AS personId, classes, status, request.created_at AS createdAtMs, request.expires_at AS expiresAtMs,
    collected_at AS collectedAtMs, poll_hash AS pollHash
  FROM pairing_request AS request JOIN pairing_offer AS offer ON offer.id = request.offer_id
    LEFT JOIN person ON person.key = offer.person_key`
const SELECT_ONE = `${SELECT} WHERE request.id = :id`
const SELECT_WAITING = `${SELECT} WHERE status = 'waiting' AND request.expires_at > :nowMs
  ORDER BY request.created_at, request.id`
const INSERT = `INSERT INTO pairing_request (id, offer_id, device_name, device_type, poll_hash, created_at, expires_at)
  VALUES (:id, :offerId, :deviceName, :deviceType, :pollHash, :nowMs, :expiresAtMs)`
const DECIDE = `UPDATE pairing_request SET status = :status, decided_at = :nowMs, decided_by = :by,
    expires_at = :expiresAtMs
  WHERE id = :id AND status = 'waiting' AND expires_at > :nowMs`
const COLLECT = `UPDATE pairing_request SET collected_at = :nowMs
  WHERE id = :id AND status = 'approved' AND collected_at IS NULL AND expires_at > :nowMs`

export function createRequests({ store, clock, spkiSha256 }: RequestsDeps): Requests {
  function words(id: string): string[] {
    const digest = createHash('sha256').update(`homefield pairing ${id} ${spkiSha256()}`).digest('hex')
    return fingerprintWords(digest, 3)
  }

  function get(id: string): StoredRequest | undefined {
    const row = store.get<Row>(SELECT_ONE, { id })
    return row && fromRow(row, clock.now())
  }

  return {
    get,
    words,
    waiting: () =>
      store.all<Row>(SELECT_WAITING, { nowMs: clock.now() }).map((row) => fromRow(row, clock.now())),
    plan(offer, deviceName) {
      const nowMs = clock.now()
      const pollToken = randomBytes(32).toString('base64url')
      const made = { id: newId(nowMs), expiresAtMs: nowMs + PAIRING_WINDOW_MS }
      const params = { ...made, offerId: offer.id, deviceName, deviceType: offer.deviceType, nowMs }
      return {
        result: { ...made, pollToken },
        writes: [{ sql: INSERT, params: { ...params, pollHash: tokenHash(pollToken) }, expect: 1 }],
        committed: () => {},
      }
    },
    ofPoll(id, pollToken) {
      const row = store.get<Row>(SELECT_ONE, { id })
      if (!row || !sameSecret(row.pollHash, tokenHash(pollToken))) {
        throw new HubError(
          'PAIRING_INVALID',
          'This poll token belongs to no pairing request. Scan the code again.',
        )
      }
      return fromRow(row, clock.now())
    },
    async decide(id, status, by) {
      const request = get(id)
      if (!request) throw new HubError('NOT_FOUND', 'There is no pairing request with this id.')
      if (request.status === 'expired') {
        throw new HubError(
          'PAIRING_EXPIRED',
          'This request waited longer than 5 minutes. Start pairing again.',
        )
      }
      const nowMs = clock.now()
      const [decided] = await store.write([
        { sql: DECIDE, params: { id, status, by, nowMs, expiresAtMs: nowMs + PAIRING_WINDOW_MS } },
      ])
      if (decided?.changes !== 1) {
        throw new HubError(
          'CONFLICT',
          'Somebody already answered this request. Start pairing again to change it.',
        )
      }
      return { ...request, status, expiresAtMs: nowMs + PAIRING_WINDOW_MS }
    },
    collect: (id) => ({ sql: COLLECT, params: { id, nowMs: clock.now() }, expect: 1 }),
    view: (request) => ({
      id: request.id,
      device_name: request.deviceName,
      device_type: request.deviceType,
      role: request.role,
      person_id: request.personId,
      words: words(request.id),
      status: request.status,
      created_at: iso(request.createdAtMs),
      expires_at: iso(request.expiresAtMs),
    }),
  }
}

function fromRow({ pollHash: _, collectedAtMs, ...row }: Row, nowMs: number): StoredRequest {
  const collected = collectedAtMs !== null
  const pending = row.status === 'waiting' || (row.status === 'approved' && !collected)
  const status = pending && nowMs >= row.expiresAtMs ? 'expired' : row.status
  return { ...row, classes: JSON.parse(row.classes), status, collected }
}
