/** The table of sessions and their players. */
import { type Actor, can } from '../../domain/access.ts'
import { OPEN_OBJECT_BYTES } from '../../domain/person.ts'
import type { SessionAccess, SessionType } from '../../domain/session.ts'
import { HubError } from '../../kernel/errors.ts'
import type { SqlParams, Store, Write } from '../../store/store.ts'

export interface StoredParticipant {
  personId: string
  durationMinutes: number | null
  rpe: number | null
  kpis: Record<string, unknown> | null
}

export interface StoredSession extends SessionAccess {
  key: number
  id: string
  sessionType: SessionType
  title: string | null
  groupId: string | null
  startedAtMs: number
  endedAtMs: number | null
  durationMinutes: number | null
  metadata: Record<string, unknown>
  kpis: Record<string, unknown> | null
  live: boolean
  asked: Record<string, unknown> | null
  aliveAtMs: number | null
  createdAtMs: number
  updatedAtMs: number
  participants: StoredParticipant[]
}

export interface SessionDraft {
  id: string
  sessionType: SessionType
  title: string | null
  groupId: string | null
  startedAtMs: number
  endedAtMs: number | null
  durationMinutes: number | null
  metadata: Record<string, unknown>
  kpis: Record<string, unknown> | null
  live: boolean
  asked: Record<string, unknown> | null
  createdBy: string | null
  playerIds: readonly string[]
}

export type SessionChanges = Partial<
  Pick<
    SessionDraft,
    | 'sessionType'
    | 'title'
    | 'groupId'
    | 'startedAtMs'
    | 'endedAtMs'
    | 'durationMinutes'
    | 'metadata'
    | 'kpis'
    | 'playerIds'
  >
>

export interface SessionFilter {
  playerId?: string | undefined
  sessionType?: SessionType | undefined
  fromMs?: number | undefined
  toMs?: number | undefined
  /** Words of the title. */
  q?: string | undefined
}

export interface Register {
  get(id: string): StoredSession | null
  /** Newest first, those that the actor may see; `total` counts all of them. */
  list(
    actor: Actor,
    filter: SessionFilter,
    page: { page: number; per_page: number },
  ): { sessions: StoredSession[]; total: number }
  /** Those that ran when the hub last stopped, or run now. */
  running(): StoredSession[]
  /** Throws CONFLICT when the id is taken, NOT_FOUND for an unknown player. */
  add(draft: SessionDraft): Promise<StoredSession>
  /** Merges. Throws NOT_FOUND. */
  change(id: string, changes: SessionChanges): Promise<StoredSession>
  remove(id: string): Promise<void>
  rate(
    id: string,
    personId: string,
    rating: { rpe: number; durationMinutes: number | null },
  ): Promise<StoredSession>
  /** Ends a live session with what each player did. */
  end(id: string, endedAtMs: number, kpis: ReadonlyMap<string, object>): Promise<StoredSession>
  /** Adds players who were told of while it ran. */
  planJoin(key: number, personId: string): Write
  /** Notes that the hub is at it. */
  planAlive(key: number, atMs: number): Write
  /** Writes down anew what a live session was asked to do. */
  planAsked(key: number, asked: object): Write
  /** Best mean second of ended sessions; null while there is none of ten minutes. */
  bestSecond(personId: string): number | null
}

interface Row
  extends Omit<StoredSession, 'metadata' | 'kpis' | 'live' | 'asked' | 'participants' | 'playerIds'> {
  metadata: string
  kpis: string | null
  live: number
  asked: string | null
}

const SELECT = `SELECT key, id, session_type AS sessionType, title, group_id AS groupId, started_at AS startedAtMs,
    ended_at AS endedAtMs, duration_minutes AS durationMinutes, metadata, kpis, live, asked, alive_at AS aliveAtMs,
    created_by AS createdBy, created_at AS createdAtMs, updated_at AS updatedAtMs
  FROM session`
const PLAYERS = `SELECT person.id AS personId, duration_minutes AS durationMinutes, rpe, kpis
  FROM session_player JOIN person ON person.key = person_key AND person.deleted_at IS NULL
  WHERE session_key = :key ORDER BY person.key`
const INSERT = `INSERT INTO session (id, session_type, title, group_id, started_at, ended_at, duration_minutes, metadata, kpis,
    live, asked, alive_at, created_by, created_at, updated_at)
  VALUES (:id, :sessionType, :title, :groupId, :startedAtMs, :endedAtMs, :durationMinutes, :metadata, :kpis,
    :live, :asked, :nowMs, :createdBy, :nowMs, :nowMs)`
const UPDATE = `UPDATE session SET session_type = :sessionType, title = :title, group_id = :groupId, started_at = :startedAtMs,
    ended_at = :endedAtMs, duration_minutes = :durationMinutes, metadata = :metadata, kpis = :kpis, updated_at = :nowMs
  WHERE id = :id`
const JOIN = `INSERT INTO session_player (session_key, person_key)
  SELECT session.key, person.key FROM session, person
  WHERE session.id = :id AND person.id = :personId AND person.deleted_at IS NULL
  ON CONFLICT (session_key, person_key) DO UPDATE SET rpe = rpe`
const LEAVE = `DELETE FROM session_player WHERE session_key = :key
  AND person_key NOT IN (SELECT key FROM person WHERE id IN (SELECT value FROM json_each(:playerIds)))`
const RATE = `UPDATE session_player SET rpe = :rpe, rpe_at = :nowMs, duration_minutes = coalesce(:durationMinutes, duration_minutes)
  WHERE session_key = (SELECT key FROM session WHERE id = :id)
    AND person_key = (SELECT key FROM person WHERE id = :personId)`
const BEST = `SELECT max(json_extract(p.kpis, '$.speed.best_second')) AS best
  FROM session_player p JOIN session s ON s.key = p.session_key AND s.live = 0
  WHERE p.person_key = (SELECT key FROM person WHERE id = :personId) AND json_extract(p.kpis, '$.physical.seen_s') >= 600`

export function createRegister({ store, now }: { store: Store; now: () => number }): Register {
  function withPlayers(row: Row): StoredSession {
    const participants = store
      .all<Omit<StoredParticipant, 'kpis'> & { kpis: string | null }>(PLAYERS, { key: row.key })
      .map((player) => ({ ...player, kpis: parsed(player.kpis) }))
    return {
      ...row,
      participants,
      playerIds: participants.map(({ personId }) => personId),
      metadata: parsed(row.metadata) ?? {},
      kpis: parsed(row.kpis),
      asked: parsed(row.asked),
      live: row.live === 1,
    }
  }

  function get(id: string): StoredSession | null {
    const row = store.get<Row>(`${SELECT} WHERE id = :id`, { id })
    return row ? withPlayers(row) : null
  }

  function known(id: string): StoredSession {
    const session = get(id)
    if (session) return session
    throw noSuchSession()
  }

  const join = (id: string, personId: string): Write => ({ sql: JOIN, params: { id, personId }, expect: 1 })

  function refuseUnknown(playerIds: readonly string[]): void {
    for (const id of playerIds)
      if (!store.get('SELECT 1 FROM person WHERE id = :id AND deleted_at IS NULL', { id }))
        throw new HubError('NOT_FOUND', 'There is no person with this id.')
  }

  return {
    get,
    list(actor, filter, { page, per_page: perPage }) {
      const { sql, params } = conditions(actor, filter, now())
      const total = store.get<{ total: number }>(`SELECT count(*) AS total FROM session WHERE ${sql}`, params)
      const rows = store.all<Row>(
        `${SELECT} WHERE ${sql} ORDER BY started_at DESC, key DESC LIMIT :limit OFFSET :offset`,
        { ...params, limit: perPage, offset: (page - 1) * perPage },
      )
      return { sessions: rows.map(withPlayers), total: total?.total ?? 0 }
    },
    running: () => store.all<Row>(`${SELECT} WHERE live = 1 ORDER BY key`).map(withPlayers),
    async add({ playerIds, ...draft }) {
      if (store.get('SELECT 1 FROM session WHERE id = :id', { id: draft.id }))
        throw new HubError('CONFLICT', 'There is a session with this id already.')
      refuseUnknown(playerIds)
      const params = {
        ...columnsOf(draft),
        live: draft.live ? 1 : 0,
        asked: draft.asked && JSON.stringify(draft.asked),
      }
      await store.write([
        { sql: INSERT, params: { ...params, createdBy: draft.createdBy, nowMs: now() } },
        ...playerIds.map((personId) => join(draft.id, personId)),
      ])
      return known(draft.id)
    },
    async change(id, changes) {
      const before = known(id)
      const { playerIds, ...rest } = changes
      refuseUnknown(playerIds ?? [])
      await store.write([
        { sql: UPDATE, params: { ...columnsOf({ ...before, ...rest }), nowMs: now() }, expect: 1 },
        ...(playerIds
          ? [
              { sql: LEAVE, params: { key: before.key, playerIds: JSON.stringify(playerIds) } },
              ...playerIds.map((personId) => join(id, personId)),
            ]
          : []),
      ])
      return known(id)
    },
    async remove(id) {
      await store.write([{ sql: 'DELETE FROM session WHERE id = :id', params: { id }, expect: 1 }])
    },
    async rate(id, personId, { rpe, durationMinutes }) {
      await store.write([
        join(id, personId),
        { sql: RATE, params: { id, personId, rpe, durationMinutes, nowMs: now() }, expect: 1 },
      ])
      return known(id)
    },
    async end(id, endedAtMs, kpis) {
      await store.write([
        {
          sql: `UPDATE session SET live = 0, ended_at = :endedAtMs, updated_at = :nowMs,
                  duration_minutes = coalesce(duration_minutes, round((:endedAtMs - started_at) / 60000.0, 1))
                WHERE id = :id`,
          params: { id, endedAtMs, nowMs: now() },
          expect: 1,
        },
        ...[...kpis].map(([personId, done]) => ({
          sql: `UPDATE session_player SET kpis = :kpis WHERE session_key = (SELECT key FROM session WHERE id = :id)
                  AND person_key = (SELECT key FROM person WHERE id = :personId)`,
          params: { id, personId, kpis: JSON.stringify(done) },
        })),
      ])
      return known(id)
    },
    planJoin: (key, personId) => ({
      sql: JOIN.replace('session.id = :id', 'session.key = :key'),
      params: { key, personId },
      expect: 1,
    }),
    planAlive: (key, atMs) => ({
      sql: 'UPDATE session SET alive_at = :atMs WHERE key = :key',
      params: { key, atMs },
    }),
    planAsked: (key, asked) => ({
      sql: 'UPDATE session SET asked = :asked WHERE key = :key',
      params: { key, asked: JSON.stringify(asked) },
      expect: 1,
    }),
    bestSecond: (personId) => store.get<{ best: number | null }>(BEST, { personId })?.best ?? null,
  }
}

export function noSuchSession(): HubError {
  return new HubError('NOT_FOUND', 'There is no session with this id.')
}

function columnsOf(draft: Omit<SessionDraft, 'playerIds' | 'live' | 'asked' | 'createdBy'>) {
  const { id, sessionType, title, groupId, startedAtMs, endedAtMs, durationMinutes } = draft
  if (endedAtMs !== null && endedAtMs < startedAtMs)
    throw new HubError('OUT_OF_RANGE', 'The session ends before it starts.', {
      details: [{ path: 'ended_at', message: 'lies before started_at' }],
    })
  return {
    ...{ id, sessionType, title, groupId, startedAtMs, endedAtMs, durationMinutes },
    metadata: kept('metadata', draft.metadata),
    kpis: draft.kpis && kept('kpis', draft.kpis),
  }
}

function kept(path: string, value: object): string {
  const text = JSON.stringify(value)
  if (Buffer.byteLength(text) <= OPEN_OBJECT_BYTES) return text
  throw new HubError('TOO_LARGE', `${path} may have 16 KB.`, { details: [{ path, message: 'is too large' }] })
}

function parsed(text: string | null): Record<string, unknown> | null {
  // The hub itself wrote this column.
  return text === null ? null : (JSON.parse(text) as Record<string, unknown>)
}

function conditions(actor: Actor, filter: SessionFilter, nowMs: number): { sql: string; params: SqlParams } {
  const { playerId, sessionType, fromMs, toMs, q } = filter
  const params: Record<string, string | number> = {}
  const parts = ['1 = 1']
  const add = (sql: string, name: string, value: string | number | undefined) => {
    if (value === undefined) return
    parts.push(sql)
    params[name] = value
  }
  add(
    `EXISTS (SELECT 1 FROM session_player p JOIN person ON person.key = p.person_key
    WHERE p.session_key = session.key AND person.id = :playerId)`,
    'playerId',
    playerId,
  )
  add('session_type = :sessionType', 'sessionType', sessionType)
  add('started_at >= :fromMs', 'fromMs', fromMs)
  add('started_at < :toMs', 'toMs', toMs)
  add("instr(lower(coalesce(title, '')), lower(:q)) > 0", 'q', q)
  if (actor.kind === 'user' && actor.role !== 'owner') {
    const told = [actor.personId, ...actor.grants.map(({ personId }) => personId)]
    const readable = told.filter((id) => id !== null && can(actor, 'read', id, 'training', nowMs))
    parts.push(`(EXISTS (SELECT 1 FROM session_player p JOIN person ON person.key = p.person_key
        WHERE p.session_key = session.key AND person.id IN (SELECT value FROM json_each(:readable)))
      OR (created_by = :me AND (live = 1
        OR NOT EXISTS (SELECT 1 FROM session_player p WHERE p.session_key = session.key))))`)
    params['readable'] = JSON.stringify(readable)
    params['me'] = actor.userId
  }
  return { sql: parts.join(' AND '), params }
}
