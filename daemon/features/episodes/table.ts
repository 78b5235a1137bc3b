/** The tables of episodes and their timelines: rows, writes, and how the API shows one. */
import type { DataClass } from '../../domain/access.ts'
import type {
  Episode,
  EpisodeState,
  Evidence,
  Origin,
  RowKind,
  Severity,
  TimelineRow,
} from '../../domain/episode.ts'
import { iso } from '../../kernel/envelope.ts'
import type { Store, Write } from '../../store/store.ts'

export interface StoredEpisode {
  id: string
  personId: string
  kind: string
  class: DataClass
  severity: Severity
  title: string
  state: EpisodeState
  origin: Origin
  originId: string | null
  startedAtMs: number
  lastEvidenceAtMs: number
  acknowledgedAtMs: number | null
  escalatedAtMs: number | null
  resolvedAtMs: number | null
  reopened: number
  revision: number
  metadata: string
  createdAtMs: number
  updatedAtMs: number
}

export interface NewRow {
  kind: RowKind
  by: string
  text: string | null
  evidence?: readonly Evidence[]
}

export interface EpisodeTable {
  find(id: string): StoredEpisode | undefined
  /** The newest one of this person and kind. */
  newest(personId: string, kind: string): StoredEpisode | undefined
  /** Those of this person and kind with evidence at or after `fromMs`, the oldest first. */
  since(personId: string, kind: string, fromMs: number): StoredEpisode[]
  rows(id: string): StoredRow[]
  page(
    visible: readonly string[],
    filter: EpisodeFilter,
    offset: number,
    limit: number,
  ): { episodes: StoredEpisode[]; total: number }
}

export interface EpisodeFilter {
  state?: EpisodeState | undefined
  /** Those that lasted into or began within `[fromMs, toMs)`; an open one lasts. */
  fromMs?: number | undefined
  toMs?: number | undefined
}

export interface StoredRow {
  number: number
  atMs: number
  kind: RowKind
  actor: string
  text: string | null
  evidence: string
}

const COLUMNS = `e.id, p.id AS personId, e.kind, e.class, e.severity, e.title, e.state, e.origin, e.origin_id AS originId,
    e.started_at AS startedAtMs, e.last_evidence_at AS lastEvidenceAtMs, e.acknowledged_at AS acknowledgedAtMs,
    e.escalated_at AS escalatedAtMs, e.resolved_at AS resolvedAtMs, e.reopened, e.revision, e.metadata,
    e.created_at AS createdAtMs, e.updated_at AS updatedAtMs`
const FROM = 'FROM episode e JOIN person p ON p.key = e.person_key AND p.deleted_at IS NULL'
const BY_ID = `SELECT ${COLUMNS} ${FROM} WHERE e.id = :id`
const NEWEST = `SELECT ${COLUMNS} ${FROM} WHERE p.id = :personId AND e.kind = :kind
  ORDER BY e.state = 'resolved', e.resolved_at DESC, e.created_at DESC LIMIT 1`
const SINCE = `SELECT ${COLUMNS} ${FROM} WHERE p.id = :personId AND e.kind = :kind AND e.last_evidence_at >= :fromMs
  ORDER BY e.started_at, e.id LIMIT 1000`
const LISTED = `p.id || ' ' || e.class IN (SELECT value FROM json_each(:visible)) AND (:state IS NULL OR e.state = :state)
  AND (:fromMs IS NULL OR e.resolved_at IS NULL OR e.resolved_at > :fromMs) AND (:toMs IS NULL OR e.started_at < :toMs)`
const PAGE = `SELECT ${COLUMNS} ${FROM} WHERE ${LISTED} ORDER BY e.started_at DESC, e.id DESC LIMIT :limit OFFSET :offset`
const COUNT = `SELECT count(*) AS total ${FROM} WHERE ${LISTED}`
const ROWS = `SELECT number, at AS atMs, kind, actor, text, evidence FROM episode_row WHERE episode_id = :id ORDER BY number`
const ADD = `INSERT INTO episode (id, person_key, kind, class, severity, title, state, origin, origin_id, started_at,
    last_evidence_at, metadata, created_at, updated_at)
  SELECT :id, key, :kind, :class, :severity, :title, 'open', :origin, :originId, :startedAtMs, :startedAtMs, :metadata,
    :nowMs, :nowMs
  FROM person WHERE id = :personId AND deleted_at IS NULL`
const ADD_ROW = `INSERT INTO episode_row (episode_id, number, at, kind, actor, text, evidence)
  SELECT :id, 1 + coalesce((SELECT max(number) FROM episode_row WHERE episode_id = :id), 0), :nowMs, :kind, :by, :text, :evidence
  FROM episode WHERE id = :id`
const UPDATE = `UPDATE episode SET severity = :severity, title = :title, state = :state, last_evidence_at = :lastEvidenceAtMs,
    acknowledged_at = :acknowledgedAtMs, escalated_at = :escalatedAtMs, resolved_at = :resolvedAtMs, reopened = :reopened,
    metadata = :metadata, revision = revision + 1, updated_at = :nowMs
  WHERE id = :id AND revision = :revision`
const FOLLOW = `UPDATE episode SET state = :state, acknowledged_at = iif(:state = 'acknowledged', :nowMs, acknowledged_at),
    escalated_at = iif(:state = 'escalated', :nowMs, escalated_at), revision = revision + 1, updated_at = :nowMs
  WHERE id = :id AND state IN (SELECT value FROM json_each(:from))`

export function createEpisodeTable(store: Pick<Store, 'all' | 'get'>): EpisodeTable {
  return {
    find: (id) => store.get<StoredEpisode>(BY_ID, { id }),
    newest: (personId, kind) => store.get<StoredEpisode>(NEWEST, { personId, kind }),
    since: (personId, kind, fromMs) => store.all<StoredEpisode>(SINCE, { personId, kind, fromMs }),
    rows: (id) => store.all<StoredRow>(ROWS, { id }),
    page(visible, { state, fromMs, toMs }, offset, limit) {
      const window = { fromMs: fromMs ?? null, toMs: toMs ?? null }
      const params = { visible: JSON.stringify(visible), state: state ?? null, ...window }
      return {
        episodes: store.all<StoredEpisode>(PAGE, { ...params, limit, offset }),
        total: store.get<{ total: number }>(COUNT, params)?.total ?? 0,
      }
    },
  }
}

export const episodeWrites = {
  add(episode: StoredEpisode, nowMs: number): Write {
    const { id, personId, kind, severity, title, origin, originId, startedAtMs, metadata } = episode
    const params = { id, personId, kind, severity, title, origin, originId, startedAtMs, metadata }
    return { sql: ADD, params: { ...params, class: episode.class, nowMs }, expect: 1 }
  },
  row(id: string, { kind, by, text, evidence = [] }: NewRow, nowMs: number): Write {
    return { sql: ADD_ROW, params: { id, kind, by, text, evidence: JSON.stringify(evidence), nowMs } }
  },
  /** Rejects the unit with CONFLICT when the episode has changed since `episode` was read. */
  update(episode: StoredEpisode, nowMs: number): Write {
    const { id, revision, severity, title, state, lastEvidenceAtMs, reopened, metadata } = episode
    const { acknowledgedAtMs, escalatedAtMs, resolvedAtMs } = episode
    const params = { id, revision, severity, title, state, lastEvidenceAtMs, reopened, metadata }
    return {
      sql: UPDATE,
      params: { ...params, acknowledgedAtMs, escalatedAtMs, resolvedAtMs, nowMs },
      expect: 1,
    }
  },
  /** Moves it only where it stands in one of `from`. */
  follow(id: string, state: EpisodeState, from: readonly EpisodeState[], nowMs: number): Write {
    return { sql: FOLLOW, params: { id, state, from: JSON.stringify(from), nowMs } }
  },
}

export function episodeView(row: StoredEpisode): Episode {
  const stamp = (atMs: number | null) => (atMs === null ? null : iso(atMs))
  return {
    id: row.id,
    person_id: row.personId,
    kind: row.kind,
    class: row.class,
    severity: row.severity,
    title: row.title,
    state: row.state,
    status: row.state,
    origin: row.origin,
    origin_id: row.originId,
    started_at: iso(row.startedAtMs),
    last_evidence_at: iso(row.lastEvidenceAtMs),
    acknowledged_at: stamp(row.acknowledgedAtMs),
    escalated_at: stamp(row.escalatedAtMs),
    resolved_at: stamp(row.resolvedAtMs),
    reopened: row.reopened,
    revision: row.revision,
    // Written by this table from an object.
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    created_at: iso(row.createdAtMs),
    updated_at: iso(row.updatedAtMs),
  }
}

export function rowView(row: StoredRow, nameOf: (by: string) => string | null): TimelineRow {
  return {
    number: row.number,
    ts: iso(row.atMs),
    kind: row.kind,
    by: row.actor,
    by_name: nameOf(row.actor),
    text: row.text,
    // Written by this table from a checked list.
    evidence: JSON.parse(row.evidence) as Evidence[],
  }
}
