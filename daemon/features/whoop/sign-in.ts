/** The sign-in at WHOOP's: OAuth 2.0 authorization code with PKCE, begun by somebody who may write, finished once within ten minutes. */
import { createHash, randomBytes } from 'node:crypto'
import { HubError } from '../../kernel/errors.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import { tokenHash } from '../../kernel/secrets.ts'
import type { Store } from '../../store/store.ts'
import type { WhoopClient } from './client.ts'
import type { Connections } from './connections.ts'

export interface SignIns {
  begin(
    personId: string,
    redirectUri: string,
  ): Promise<{ authorizeUrl: string; state: string; expiresAtMs: number }>
  /** Resolves with whose sign-in it was. Throws PAIRING_INVALID or PAIRING_EXPIRED for an unknown or old state. */
  finish(state: string, code: string): Promise<string>
  /** Whose sign-in waits under that state; null for one that is unknown, used or was taken. */
  waitingFor(state: string): string | null
}

export interface SignInsDeps {
  store: Pick<Store, 'get' | 'write'>
  now: () => number
  sealing: Sealing
  client: Pick<WhoopClient, 'token'>
  connections: Pick<Connections, 'connect'>
  settings: { clientId: string; clientSecret: string; baseUrl: string }
}

export const SCOPES =
  'offline read:profile read:body_measurement read:cycles read:recovery read:sleep read:workout'
const LIFETIME_MS = 10 * 60_000
/** Sign-ins that wait at once; the oldest go. */
const WAITING_MAX = 50
const ADD = `INSERT INTO whoop_sign_in (state_hash, person_key, sealed, created_at)
  SELECT :hash, key, :sealed, :nowMs FROM person WHERE id = :personId AND deleted_at IS NULL`
const TRIM = `DELETE FROM whoop_sign_in WHERE created_at < :sinceMs OR state_hash IN (
  SELECT state_hash FROM whoop_sign_in ORDER BY created_at DESC, state_hash LIMIT -1 OFFSET :kept)`
const FIND = `SELECT p.id AS personId, s.sealed, s.created_at AS createdAtMs
  FROM whoop_sign_in s JOIN person p ON p.key = s.person_key AND p.deleted_at IS NULL WHERE s.state_hash = :hash`
const TAKE = `DELETE FROM whoop_sign_in WHERE state_hash = :hash`

interface Proof {
  verifier: string
  redirectUri: string
}

export function createSignIns({ store, now, sealing, client, connections, settings }: SignInsDeps): SignIns {
  const { clientId, clientSecret, baseUrl } = settings
  return {
    waitingFor: (state) =>
      store.get<{ personId: string }>(FIND, { hash: tokenHash(state) })?.personId ?? null,
    async begin(personId, redirectUri) {
      const [state, verifier] = [randomBytes(32).toString('base64url'), randomBytes(48).toString('base64url')]
      const sealed = sealing.close(state, { verifier, redirectUri } satisfies Proof)
      await store.write([
        { sql: TRIM, params: { sinceMs: now() - LIFETIME_MS, kept: WAITING_MAX - 1 } },
        { sql: ADD, params: { hash: tokenHash(state), personId, sealed, nowMs: now() }, expect: 1 },
      ])
      const url = new URL('/oauth/oauth2/auth', baseUrl)
      const challenge = createHash('sha256').update(verifier).digest('base64url')
      const asked = {
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: SCOPES,
        state,
      }
      for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value)
      url.searchParams.set('code_challenge', challenge)
      url.searchParams.set('code_challenge_method', 'S256')
      return { authorizeUrl: url.href, state, expiresAtMs: now() + LIFETIME_MS }
    },
    async finish(state, code) {
      const hash = tokenHash(state)
      const found = store.get<{ personId: string; sealed: Uint8Array; createdAtMs: number }>(FIND, { hash })
      const [taken] = await store.write([{ sql: TAKE, params: { hash } }])
      // Sealed by `begin`.
      const proof = found && taken?.changes === 1 ? (sealing.open(state, found.sealed) as Proof | null) : null
      if (!found || !proof)
        throw new HubError('PAIRING_INVALID', 'This sign-in is unknown or was used. Connect WHOOP again.')
      if (found.createdAtMs + LIFETIME_MS < now())
        throw new HubError('PAIRING_EXPIRED', 'This sign-in took too long. Connect WHOOP again.')
      const answer = await client.token({
        grant_type: 'authorization_code',
        code,
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uri: proof.redirectUri,
        code_verifier: proof.verifier,
      })
      if (answer.status !== 200)
        throw new HubError(
          'CONFLICT',
          `WHOOP did not accept the sign-in (status ${answer.status}). Connect again.`,
        )
      await connections.connect(found.personId, answer.body)
      return found.personId
    },
  }
}
