/** The table of alerts: rows, their changes as writes, and how the API shows one. */
import type { DataClass } from '../../domain/access.ts'
import type { Alert, AlertKind, AlertState } from '../../domain/alert.ts'
import { iso } from '../../kernel/envelope.ts'
import type { Store, Write } from '../../store/store.ts'

export interface StoredAlert {
  seq: number
  id: string
  personId: string
  episodeId: string | null
  kind: AlertKind
  class: DataClass
  title: string
  message: string
  source: string
  data: string
  state: AlertState
  step: number
  round: number
  nextStepAtMs: number | null
  acknowledgedAtMs: number | null
  acknowledgedBy: string | null
  createdAtMs: number
  updatedAtMs: number
}

/** What somebody wants told about a person. */
export interface AlertDraft {
  personId: string
  kind: AlertKind
  class: DataClass
  title: string
  message: string
  /** `rule:…`, `detector:…`, `user:…`, `insight`, `test` or `hub`. */
  source: string
  episodeId?: string | null
  /** What led to it, up to 16 KB of JSON. */
  data?: Readonly<Record<string, unknown>>
  /** A second alert with the same word here is not made. */
  dedupe?: string
}

export interface AlertWindow {
  /** `<person> <class>` for everything that the reader may see. */
  visible: readonly string[]
  state: AlertState | null
  /** Only those after this one, or made after this instant; oldest first then. */
  sinceSeq: number | null
  sinceMs: number | null
}

const COLUMNS = `a.seq, a.id, p.id AS personId, a.episode_id AS episodeId, a.kind, a.class, a.title, a.message, a.source,
    a.data, a.state, a.step, a.round, a.next_step_at AS nextStepAtMs, a.acknowledged_at AS acknowledgedAtMs,
    a.acknowledged_by AS acknowledgedBy, a.created_at AS createdAtMs, a.updated_at AS updatedAtMs`
const FROM = 'FROM alert a JOIN person p ON p.key = a.person_key AND p.deleted_at IS NULL'
const BY_ID = `SELECT ${COLUMNS} ${FROM} WHERE a.id = :id`
const BY_EPISODE = `SELECT ${COLUMNS} ${FROM} WHERE a.episode_id = :episodeId ORDER BY a.seq`
const DUE = `SELECT ${COLUMNS} ${FROM} WHERE a.next_step_at <= :nowMs ORDER BY a.next_step_at, a.seq LIMIT 100`
const CLIMBING = `SELECT 1 ${FROM} WHERE p.id = :personId AND a.state = 'open' AND a.kind <> 'tip' LIMIT 1`
const OPEN = `SELECT ${COLUMNS} ${FROM} WHERE p.id = :personId AND a.state = 'open' AND a.kind <> 'tip'
  ORDER BY a.kind = 'urgent' DESC, a.seq DESC LIMIT 1`
const LISTED = `p.id || ' ' || a.class IN (SELECT value FROM json_each(:visible)) AND (:state IS NULL OR a.state = :state)
    AND (:sinceSeq IS NULL OR a.seq > :sinceSeq) AND (:sinceMs IS NULL OR a.created_at > :sinceMs)`
const PAGE = `SELECT ${COLUMNS} ${FROM} WHERE ${LISTED}`
const COUNT = `SELECT count(*) AS total ${FROM} WHERE ${LISTED}`
const ADD = `INSERT INTO alert (id, person_key, episode_id, kind, class, title, message, source, data, state, step, round,
    next_step_at, dedupe, created_at, updated_at)
  SELECT :id, p.key, :episodeId, :kind, :class, :title, :message, :source, :data, 'open', :step, :round, :nextStepAtMs,
    :dedupe, :nowMs, :nowMs
  FROM person p WHERE p.id = :personId AND p.deleted_at IS NULL
  ON CONFLICT (dedupe) DO NOTHING`
const MOVE = `UPDATE alert SET state = :state, step = :step, round = :round, next_step_at = :nextStepAtMs, updated_at = :nowMs
  WHERE id = :id AND state = 'open' AND step = :oldStep AND round = :oldRound`
const ACKNOWLEDGE = `UPDATE alert SET state = 'acknowledged', next_step_at = NULL, acknowledged_at = :nowMs,
    acknowledged_by = :by, updated_at = :nowMs
  WHERE id = :id AND state = 'open'`
const RESOLVE = `UPDATE alert SET state = 'resolved', next_step_at = NULL, updated_at = :nowMs
  WHERE id = :id AND state IN ('open', 'acknowledged')`
const HURRY = `UPDATE alert SET next_step_at = :nowMs, updated_at = :nowMs WHERE id = :id AND state = 'open'`

export interface AlertTable {
  find(id: string): StoredAlert | undefined
  ofEpisode(episodeId: string): StoredAlert[]
  due(nowMs: number): StoredAlert[]
  isClimbing(personId: string): boolean
  /** What is open about the person and no tip: urgent before warning, the newest first. */
  openOf(personId: string): StoredAlert | undefined
  page(window: AlertWindow, offset: number, limit: number): { alerts: StoredAlert[]; total: number }
}

export function createAlertTable(store: Pick<Store, 'all' | 'get'>): AlertTable {
  return {
    find: (id) => store.get<StoredAlert>(BY_ID, { id }),
    ofEpisode: (episodeId) => store.all<StoredAlert>(BY_EPISODE, { episodeId }),
    due: (nowMs) => store.all<StoredAlert>(DUE, { nowMs }),
    openOf: (personId) => store.get<StoredAlert>(OPEN, { personId }),
    isClimbing: (personId) => store.get(CLIMBING, { personId }) !== undefined,
    page({ visible, ...window }, offset, limit) {
      const params = { ...window, visible: JSON.stringify(visible) }
      const isCatchUp = window.sinceSeq !== null || window.sinceMs !== null
      const order = isCatchUp ? 'ORDER BY a.seq' : 'ORDER BY a.seq DESC'
      const sql = `${PAGE} ${order} LIMIT :limit OFFSET :offset`
      return {
        alerts: store.all<StoredAlert>(sql, { ...params, limit, offset }),
        total: store.get<{ total: number }>(COUNT, params)?.total ?? 0,
      }
    },
  }
}

/** The writes that change alerts; each is a no-op where somebody else was faster, unless it says otherwise. */
export const alertWrites = {
  add(id: string, draft: AlertDraft, at: Place, nowMs: number): Write {
    const { personId, kind, class: dataClass, title, message, source, episodeId = null } = draft
    const data = JSON.stringify(draft.data ?? {})
    const params = { id, personId, kind, class: dataClass, title, message, source, episodeId, data, ...at }
    return { sql: ADD, params: { ...params, dedupe: draft.dedupe ?? null, nowMs } }
  },
  /** Rejects the unit with CONFLICT when the alert has moved on since `old` was read. */
  move({ id, step, round }: StoredAlert, to: Place & { state: AlertState }, nowMs: number): Write {
    return { sql: MOVE, params: { id, oldStep: step, oldRound: round, ...to, nowMs }, expect: 1 }
  },
  acknowledge: (id: string, by: string, nowMs: number): Write => ({
    sql: ACKNOWLEDGE,
    params: { id, by, nowMs },
  }),
  resolve: (id: string, nowMs: number): Write => ({ sql: RESOLVE, params: { id, nowMs } }),
  hurry: (id: string, nowMs: number): Write => ({ sql: HURRY, params: { id, nowMs } }),
}

/** Where an alert stands on its ladder. */
export interface Place {
  step: number
  round: number
  nextStepAtMs: number | null
}

export function alertView(row: StoredAlert, nameOf: (by: string) => string | null): Alert {
  const stamp = (atMs: number | null) => (atMs === null ? null : iso(atMs))
  return {
    id: row.id,
    person_id: row.personId,
    episode_id: row.episodeId,
    kind: row.kind,
    class: row.class,
    title: row.title,
    message: row.message,
    source: row.source,
    // Written by this table from an object.
    data: JSON.parse(row.data) as Record<string, unknown>,
    state: row.state,
    step: row.step,
    round: row.round,
    next_step_at: stamp(row.nextStepAtMs),
    acknowledged_at: stamp(row.acknowledgedAtMs),
    acknowledged_by: row.acknowledgedBy,
    acknowledged_by_name: row.acknowledgedBy === null ? null : nameOf(row.acknowledgedBy),
    created_at: iso(row.createdAtMs),
    updated_at: iso(row.updatedAtMs),
  }
}
