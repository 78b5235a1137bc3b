/** Signed-in browsers and phones: each is a family of refresh tokens, of which only the newest one works. */
import { createHmac, randomBytes } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import { HubError } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { tokenHash } from '../../kernel/secrets.ts'
import type { Plan } from '../../store/plan.ts'
import type { Store, Write } from '../../store/store.ts'

export interface SignIn {
  id: string
  userId: string
  deviceName: string | null
  /** Null: by password. */
  pairedAtMs: number | null
  createdAtMs: number
  lastSeenAtMs: number
  endsAtMs: number
}

export interface NewSignIn {
  userId: string
  deviceName: string | null
  paired: boolean
}

export type RevokedFor = 'logout' | 'removed' | 'reuse' | 'limit' | 'password' | 'disabled'

export interface SignIns {
  /** The sign-in if it still counts; asked for on every request. */
  live(id: string): SignIn | undefined
  all(): SignIn[]
  plan(wanted: NewSignIn): Plan<{ signInId: string; refreshToken: string }>
  /**
   * Spends a refresh token for the next one. A spent token ends the whole family with TOKEN_REUSED, except within 10 s while
   * its successor is unused: then an answer was lost, and the same successor is given again.
   */
  refresh(token: string): Promise<{ signIn: SignIn; refreshToken: string }>
  /** The sign-in that a refresh token, spent or not, belongs to. */
  ofToken(token: string): SignIn | undefined
  /** Ends them at once; resolves when that is on disk. */
  revoke(ids: readonly string[], why: RevokedFor): Promise<void>
  onRevoked(listener: (signInId: string) => void): () => void
  /** Forgets rows that can no longer matter. */
  prune(): Promise<void>
  reload(): void
}

export interface SignInsDeps {
  store: Store
  clock: Clock
  /** Derives successors. */
  key: Uint8Array
}

const DAY_MS = 86_400_000
export const SLIDING_MS = 30 * DAY_MS
export const ABSOLUTE_MS = 180 * DAY_MS
export const GRACE_MS = 10_000
/** More at once than this ends the one used longest ago. */
const PER_USER = 50
const TOKEN = /^[A-Za-z0-9_-]{43}$/
/** Rows stay this long past their end, so that a clock that jumps by a day deletes nothing alive. */
const KEEP_MS = 2 * DAY_MS

interface TokenRow {
  signInId: string
  expiresAtMs: number
  spentAtMs: number | null
}

const SELECT_LIVE = `SELECT sign_in.id, user.id AS userId, device_name AS deviceName, paired_at AS pairedAtMs,
    sign_in.created_at AS createdAtMs, last_seen_at AS lastSeenAtMs, ends_at AS endsAtMs
  FROM sign_in JOIN user ON user.key = sign_in.user_key WHERE revoked_at IS NULL ORDER BY sign_in.created_at, sign_in.id`
const SELECT_TOKEN = `SELECT sign_in_id AS signInId, expires_at AS expiresAtMs, spent_at AS spentAtMs
  FROM refresh_token WHERE hash = :hash`
const INSERT_SIGN_IN = `INSERT INTO sign_in (id, user_key, device_name, paired_at, created_at, last_seen_at, ends_at)
  VALUES (:id, (SELECT key FROM user WHERE id = :userId), :deviceName, :pairedAtMs, :nowMs, :nowMs, :endsAtMs)`
const INSERT_TOKEN =
  'INSERT INTO refresh_token (hash, sign_in_id, expires_at) VALUES (:hash, :signInId, :expiresAtMs)'
const REVOKE = `UPDATE sign_in SET revoked_at = :nowMs, revoked_for = :why WHERE id = :id AND revoked_at IS NULL`

export function createSignIns({ store, clock, key }: SignInsDeps): SignIns {
  let kept = new Map<string, SignIn>()
  const listeners = new Set<(signInId: string) => void>()

  function reload(): void {
    kept = new Map(store.all<SignIn>(SELECT_LIVE).map((row) => [row.id, row]))
  }

  function live(id: string): SignIn | undefined {
    const signIn = kept.get(id)
    return signIn && clock.now() < signIn.endsAtMs ? signIn : undefined
  }

  async function revoke(ids: readonly string[], why: RevokedFor): Promise<void> {
    const nowMs = clock.now()
    if (ids.length === 0) return
    for (const id of ids) {
      kept.delete(id)
      for (const listener of listeners) listener(id)
    }
    await store.write(ids.map((id) => ({ sql: REVOKE, params: { id, why, nowMs } })))
  }

  const successorOf = (token: string) => createHmac('sha256', key).update(token).digest('base64url')
  const find = (token: string) => store.get<TokenRow>(SELECT_TOKEN, { hash: tokenHash(token) })

  function insertToken(token: string, signInId: string, endsAtMs: number): Write {
    const expiresAtMs = Math.min(clock.now() + SLIDING_MS, endsAtMs)
    return { sql: INSERT_TOKEN, params: { hash: tokenHash(token), signInId, expiresAtMs }, expect: 1 }
  }

  /** True when this call spent it, false when somebody else did meanwhile. */
  async function spend(token: string, signIn: SignIn): Promise<boolean> {
    const nowMs = clock.now()
    try {
      await store.write([
        {
          sql: 'UPDATE refresh_token SET spent_at = :nowMs WHERE hash = :hash AND spent_at IS NULL',
          params: { nowMs, hash: tokenHash(token) },
          expect: 1,
        },
        insertToken(successorOf(token), signIn.id, signIn.endsAtMs),
        { sql: 'UPDATE sign_in SET last_seen_at = :nowMs WHERE id = :id', params: { nowMs, id: signIn.id } },
      ])
    } catch (cause) {
      if (cause instanceof HubError && cause.code === 'CONFLICT') return false
      throw cause
    }
    signIn.lastSeenAtMs = nowMs
    return true
  }

  /** A lost answer asks again at once and has not used the successor; anything else is a copy in wrong hands. */
  async function again(token: string, signIn: SignIn): Promise<string> {
    const successor = successorOf(token)
    const spentAtMs = find(token)?.spentAtMs ?? 0
    const sinceMs = clock.now() - spentAtMs
    const next = find(successor)
    if (next && next.spentAtMs === null && sinceMs >= 0 && sinceMs <= GRACE_MS) return successor
    await revoke([signIn.id], 'reuse')
    throw new HubError(
      'TOKEN_REUSED',
      'This refresh token was used before, so its sign-in has ended. Sign in again.',
    )
  }

  reload()
  return {
    live,
    all: () => [...kept.values()].filter(({ id }) => live(id) !== undefined),
    revoke,
    reload,
    onRevoked(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    plan({ userId, deviceName, paired }) {
      const nowMs = clock.now()
      const refreshToken = randomBytes(32).toString('base64url')
      const row = { id: newId(nowMs), userId, deviceName, endsAtMs: nowMs + ABSOLUTE_MS }
      const pairedAtMs = paired ? nowMs : null
      return {
        result: { signInId: row.id, refreshToken },
        writes: [
          { sql: INSERT_SIGN_IN, params: { ...row, pairedAtMs, nowMs }, expect: 1 },
          insertToken(refreshToken, row.id, row.endsAtMs),
        ],
        committed: () =>
          void kept.set(row.id, { ...row, pairedAtMs, createdAtMs: nowMs, lastSeenAtMs: nowMs }),
      }
    },
    ofToken(token) {
      const row = TOKEN.test(token) ? find(token) : undefined
      return row && kept.get(row.signInId)
    },
    async refresh(token) {
      const row = TOKEN.test(token) ? find(token) : undefined
      const signIn = row && kept.get(row.signInId)
      if (!row || !signIn)
        throw new HubError('UNAUTHENTICATED', 'This refresh token is not valid. Sign in again.')
      if (clock.now() >= row.expiresAtMs) {
        throw new HubError('TOKEN_EXPIRED', 'This sign-in is too old. Sign in again.')
      }
      const first = row.spentAtMs === null && (await spend(token, signIn))
      return { signIn, refreshToken: first ? successorOf(token) : await again(token, signIn) }
    },
    async prune() {
      const params = { endedMs: clock.now() - KEEP_MS }
      await store.write([
        {
          sql: `DELETE FROM refresh_token WHERE expires_at < :endedMs OR sign_in_id IN
                  (SELECT id FROM sign_in WHERE revoked_at < :endedMs)`,
          params,
        },
        { sql: 'DELETE FROM sign_in WHERE ends_at < :endedMs OR revoked_at < :endedMs', params },
      ])
    },
  }
}

/** The sign-ins that must end for the user to keep at most PER_USER with one more. */
export function tooMany(signIns: readonly SignIn[], userId: string): string[] {
  const own = signIns.filter((signIn) => signIn.userId === userId)
  const oldest = own.sort((a, b) => a.lastSeenAtMs - b.lastSeenAtMs || a.createdAtMs - b.createdAtMs)
  return oldest.slice(0, Math.max(0, own.length - PER_USER + 1)).map(({ id }) => id)
}
