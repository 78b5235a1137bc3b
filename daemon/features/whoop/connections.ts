/** Who has connected WHOOP, and the tokens for it: on disk sealed, and a new pair on disk before it is used. */
import { readWhoopTokens } from '../../../firmware-bridge/import/whoop.ts'
import { HubError } from '../../kernel/errors.ts'
import type { Sealing } from '../../kernel/sealing.ts'
import type { Store } from '../../store/store.ts'
import type { WhoopClient } from './client.ts'

export type ConnectionState = 'connected' | 'refreshing' | 'broken'

export interface Connection {
  personId: string
  state: ConnectionState
  connectedAtMs: number
  syncedUntilMs: number | null
  lastError: string | null
}

interface Tokens {
  accessToken: string
  refreshToken: string
  expiresAtMs: number
}

export interface Connections {
  find(personId: string): Connection | null
  /** Persons whose data may be fetched. */
  connected(): string[]
  /** Takes what WHOOP's token route answered to a sign-in. Throws when that is no pair of tokens. */
  connect(personId: string, answer: unknown): Promise<void>
  /**
   * A token that is valid now, refreshed where needed, one refresh at a time. Rejects with CONFLICT when only connecting
   * again helps, and as the client does. `spent`: a token that WHOOP did not take.
   */
  accessToken(personId: string, spent?: string): Promise<string>
  noteSync(personId: string, syncedUntilMs: number): Promise<void>
  noteError(personId: string, message: string): Promise<void>
  /** Forgets the tokens; resolves with the access token that there was. */
  remove(personId: string): Promise<string | null>
}

export interface ConnectionsDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  now: () => number
  sealing: Sealing
  client: Pick<WhoopClient, 'token'>
  credentials: { clientId: string; clientSecret: string }
}

/** Renewed this long before it runs out. */
const EARLY_MS = 60_000
const PERSON = '(SELECT key FROM person WHERE id = :personId AND deleted_at IS NULL)'
const FIND = `SELECT p.id AS personId, w.state, w.connected_at AS connectedAtMs, w.synced_until AS syncedUntilMs, w.last_error AS lastError
  FROM whoop_connection w JOIN person p ON p.key = w.person_key AND p.deleted_at IS NULL`
const ONE = `${FIND} WHERE p.id = :personId`
const CONNECTED = `${FIND} WHERE w.state <> 'broken' ORDER BY p.id`
const SEALED = `SELECT sealed FROM whoop_connection WHERE person_key = ${PERSON}`
const CONNECT = `INSERT INTO whoop_connection (person_key, state, sealed, connected_at)
  VALUES (${PERSON}, 'connected', :sealed, :nowMs)
  ON CONFLICT (person_key) DO UPDATE SET state = 'connected', sealed = :sealed, connected_at = :nowMs, last_error = NULL`
const SAVE = `UPDATE whoop_connection SET state = 'connected', sealed = :sealed, last_error = NULL WHERE person_key = ${PERSON}`
const SET_STATE = `UPDATE whoop_connection SET state = :state, last_error = :message WHERE person_key = ${PERSON}`
const SET_SYNC = `UPDATE whoop_connection SET synced_until = :syncedUntilMs, last_error = NULL WHERE person_key = ${PERSON}`
const SET_ERROR = `UPDATE whoop_connection SET last_error = :message WHERE person_key = ${PERSON}`
const REMOVE = `DELETE FROM whoop_connection WHERE person_key = ${PERSON}`

export function createConnections({
  store,
  now,
  sealing,
  client,
  credentials,
}: ConnectionsDeps): Connections {
  /** One refresh a person at a time; everybody else waits for it. */
  const running = new Map<string, Promise<Tokens>>()
  /** Pairs that WHOOP gave and the disk has not taken yet: using them first could lose the only refresh token. */
  const unsaved = new Map<string, Tokens>()

  const tokensOf = (personId: string): Tokens | null => {
    const sealed = store.get<{ sealed: Uint8Array }>(SEALED, { personId })?.sealed
    // Sealed by `seal`, from tokens.
    return sealed ? (sealing.open(personId, sealed) as Tokens | null) : null
  }
  const seal = (personId: string, tokens: Tokens) => sealing.close(personId, tokens)
  const setState = (personId: string, state: ConnectionState, message: string | null) =>
    store.write([{ sql: SET_STATE, params: { personId, state, message } }])

  async function save(personId: string, tokens: Tokens): Promise<Tokens> {
    unsaved.set(personId, tokens)
    await store.write([{ sql: SAVE, params: { personId, sealed: seal(personId, tokens) }, expect: 1 }])
    unsaved.delete(personId)
    return tokens
  }

  /** What was about to happen is on disk first: after a crash in between, the old token is tried once more, and either works or is dead. */
  async function refresh(personId: string, { refreshToken }: Tokens): Promise<Tokens> {
    await setState(personId, 'refreshing', null)
    const { clientId, clientSecret } = credentials
    const answer = await client.token({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'offline',
    })
    const fresh = tokensIn(answer.body, now(), refreshToken)
    if (answer.status === 200 && fresh) return save(personId, fresh)
    if (answer.status < 400 || answer.status >= 500 || answer.status === 429)
      throw new HubError(
        'OVERLOADED',
        `WHOOP did not renew the token (status ${answer.status}). It is tried again later.`,
      )
    await setState(personId, 'broken', 'WHOOP no longer takes the saved sign-in')
    throw connectAgain()
  }

  function refreshOnce(personId: string, tokens: Tokens): Promise<Tokens> {
    const known = running.get(personId)
    if (known) return known
    const fresh = refresh(personId, tokens).finally(() => running.delete(personId))
    running.set(personId, fresh)
    return fresh
  }

  const find = (personId: string) => store.get<Connection>(ONE, { personId }) ?? null

  return {
    find,
    connected: () => store.all<Connection>(CONNECTED).map(({ personId }) => personId),
    async connect(personId, answer) {
      const tokens = tokensIn(answer, now(), null)
      if (!tokens)
        throw new HubError('CONFLICT', 'WHOOP gave no refresh token. Connect again and allow offline access.')
      const params = { personId, sealed: seal(personId, tokens), nowMs: now() }
      unsaved.delete(personId)
      await store.write([{ sql: CONNECT, params, expect: 1 }])
    },
    async accessToken(personId, spent) {
      const waiting = running.get(personId)
      if (waiting) return (await waiting).accessToken
      const connection = find(personId)
      if (!connection) throw new HubError('CONFLICT', 'WHOOP is not connected for this person.')
      if (connection.state === 'broken') throw connectAgain()
      const kept = unsaved.get(personId)
      const tokens = kept ? await save(personId, kept) : tokensOf(personId)
      if (!tokens) {
        await setState(personId, 'broken', 'the saved sign-in does not open with this hub’s secret')
        throw connectAgain()
      }
      const isValid = connection.state === 'connected' || kept !== undefined
      if (isValid && tokens.accessToken !== spent && tokens.expiresAtMs - EARLY_MS > now())
        return tokens.accessToken
      return (await refreshOnce(personId, tokens)).accessToken
    },
    async noteSync(personId, syncedUntilMs) {
      await store.write([{ sql: SET_SYNC, params: { personId, syncedUntilMs } }])
    },
    async noteError(personId, message) {
      await store.write([{ sql: SET_ERROR, params: { personId, message: message.slice(0, 500) } }])
    },
    async remove(personId) {
      const tokens = unsaved.get(personId) ?? tokensOf(personId)
      unsaved.delete(personId)
      await store.write([{ sql: REMOVE, params: { personId } }])
      return tokens?.accessToken ?? null
    },
  }
}

function tokensIn(answer: unknown, nowMs: number, before: string | null): Tokens | null {
  const read = readWhoopTokens(answer)
  const refreshToken = read?.refreshToken ?? before
  if (!read || refreshToken === null) return null
  return { accessToken: read.accessToken, refreshToken, expiresAtMs: nowMs + read.expiresInS * 1000 }
}

function connectAgain(): HubError {
  return new HubError('CONFLICT', 'WHOOP no longer takes the saved sign-in. Connect WHOOP again.')
}
