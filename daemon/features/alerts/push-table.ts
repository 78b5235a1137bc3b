/** What the hub keeps for Web Push: one switch with its key, and the browsers that asked, sealed. */
import type { Sealing } from '../../kernel/sealing.ts'
import { tokenHash } from '../../kernel/secrets.ts'
import type { Store } from '../../store/store.ts'

/** As a browser gives it out: where to send, and the keys that only this browser can read by. */
export interface PushAddress {
  endpoint: string
  p256dh: string
  auth: string
}

export interface PushSwitch {
  enabled: boolean
  hasWords: boolean
  publicKey: string
  privateKey: string
}

export interface PushRow {
  id: string
  name: string
  service: string
  endpointHash: Uint8Array
  createdAtMs: number
  acceptedAtMs: number | null
  failure: string | null
}

export interface PushTable {
  /** Null: never switched on, or its key was sealed by another hub. */
  read(): PushSwitch | null
  /** Keeps the key of before where there is one; `fresh` takes its place where there is none, and nobody is subscribed then. */
  put(enabled: boolean, hasWords: boolean, fresh: { publicKey: string; privateKey: string }): Promise<void>
  /** Of users who may sign in, on sign-ins that were not ended. */
  idsOf(userId: string): string[]
  addressOf(id: string): PushAddress | null
  rowsOf(userId: string): PushRow[]
  /** The same browser again replaces what it said before, whoever uses it now. CONFLICT: the user has too many already. */
  add(id: string, who: { userId: string; signInId: string }, name: string, at: PushAddress): Promise<void>
  /** False: this user has no such subscription. */
  remove(id: string, userId: string | null): Promise<boolean>
  told(id: string, failure: string | null): Promise<void>
}

const OWNER_OF_KEY = 'vapid'
export const SUBSCRIPTIONS_MAX = 10
const READ = 'SELECT enabled, has_words AS hasWords, public_key AS publicKey, sealed FROM push_setting'
const PUT = `INSERT INTO push_setting (one, enabled, has_words, public_key, sealed, updated_at)
  VALUES (1, :enabled, :hasWords, :publicKey, :sealed, :nowMs)
  ON CONFLICT (one) DO UPDATE SET enabled = :enabled, has_words = :hasWords, public_key = :publicKey, sealed = :sealed,
    updated_at = :nowMs`
const SWITCH = 'UPDATE push_setting SET enabled = :enabled, has_words = :hasWords, updated_at = :nowMs'
const LIVE = `FROM push_subscription p JOIN user u ON u.key = p.user_key AND u.disabled_at IS NULL
    JOIN sign_in s ON s.id = p.sign_in_id AND s.revoked_at IS NULL`
const IDS = `SELECT p.id ${LIVE} WHERE u.id = :userId ORDER BY p.created_at, p.id`
const ADDRESS = `SELECT p.sealed, p.endpoint_hash AS endpointHash ${LIVE} WHERE p.id = :id`
const ROWS = `SELECT p.id, p.name, p.service, p.endpoint_hash AS endpointHash, p.created_at AS createdAtMs, p.accepted_at AS acceptedAtMs, p.failure
  ${LIVE} WHERE u.id = :userId ORDER BY p.created_at, p.id`
const DROP_ENDED = `DELETE FROM push_subscription
  WHERE sign_in_id IN (SELECT id FROM sign_in WHERE revoked_at IS NOT NULL)`
const ADD = `INSERT INTO push_subscription (id, user_key, sign_in_id, endpoint_hash, sealed, service, name, created_at)
  SELECT :id, u.key, s.id, :endpointHash, :sealed, :service, :name, :nowMs
  FROM user u JOIN sign_in s ON s.user_key = u.key AND s.id = :signInId AND s.revoked_at IS NULL
  WHERE u.id = :userId AND ${SUBSCRIPTIONS_MAX} >
    (SELECT count(*) FROM push_subscription p WHERE p.user_key = u.key AND p.endpoint_hash <> :endpointHash)
  ON CONFLICT (endpoint_hash) DO UPDATE SET user_key = excluded.user_key, sign_in_id = excluded.sign_in_id,
    sealed = excluded.sealed, name = excluded.name`
const REMOVE = `DELETE FROM push_subscription WHERE id = :id
  AND (:userId IS NULL OR user_key = (SELECT key FROM user WHERE id = :userId))`
const TOLD = `UPDATE push_subscription SET failure = :failure, accepted_at = iif(:failure IS NULL, :nowMs, accepted_at)
  WHERE id = :id`

interface PushTableDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  sealing: Sealing
  now: () => number
}

export function createPushTable({ store, sealing, now }: PushTableDeps): PushTable {
  function read(): PushSwitch | null {
    type Row = { enabled: number; hasWords: number; publicKey: string; sealed: Uint8Array }
    const row = store.get<Row>(READ)
    const privateKey = row ? sealing.open(OWNER_OF_KEY, row.sealed) : null
    if (!row || typeof privateKey !== 'string') return null
    return { enabled: row.enabled === 1, hasWords: row.hasWords === 1, publicKey: row.publicKey, privateKey }
  }

  return {
    read,
    async put(enabled, hasWords, fresh) {
      const params = { enabled: enabled ? 1 : 0, hasWords: hasWords ? 1 : 0, nowMs: now() }
      if (read() !== null) {
        await store.write([{ sql: SWITCH, params }])
        return
      }
      const sealed = sealing.close(OWNER_OF_KEY, fresh.privateKey)
      await store.write([
        { sql: PUT, params: { ...params, publicKey: fresh.publicKey, sealed } },
        { sql: 'DELETE FROM push_subscription' },
      ])
    },
    idsOf: (userId) => store.all<{ id: string }>(IDS, { userId }).map(({ id }) => id),
    addressOf(id) {
      const row = store.get<{ sealed: Uint8Array; endpointHash: Uint8Array }>(ADDRESS, { id })
      // Sealed by `add`, from a checked address.
      return row ? (sealing.open(ownerOf(row.endpointHash), row.sealed) as PushAddress | null) : null
    },
    rowsOf: (userId) => store.all<PushRow>(ROWS, { userId }),
    async add(id, { userId, signInId }, name, at) {
      const endpointHash = tokenHash(at.endpoint)
      const service = new URL(at.endpoint).hostname
      const sealed = sealing.close(ownerOf(endpointHash), at)
      const about = { id, userId, signInId, endpointHash, sealed, service, name }
      await store.write([{ sql: DROP_ENDED }, { sql: ADD, params: { ...about, nowMs: now() }, expect: 1 }])
    },
    async remove(id, userId) {
      const [removed] = await store.write([{ sql: REMOVE, params: { id, userId } }])
      return removed?.changes === 1
    },
    async told(id, failure) {
      await store.write([
        { sql: TOLD, params: { id, failure: failure?.slice(0, 200) ?? null, nowMs: now() } },
      ])
    },
  }
}

function ownerOf(endpointHash: Uint8Array): string {
  return Buffer.from(endpointHash).toString('hex')
}
