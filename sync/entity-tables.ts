/** Writes what was merged into the hub's own tables; whatever does not fit there stays in its merged form only. */
import { DELETED_FIELD, MEMBER_FIELD } from './merge.ts'
import type { HubStore, SqlParams, Statement, SyncPorts } from './ports.ts'
import type { EntityKind } from './rows.ts'

export interface Planned {
  kind: EntityKind
  id: string
  subject: string | null
  /** By name, opened. */
  fields: Record<string, unknown>
  /** As the table has it; null: it has none. */
  before: { updatedAtMs: number } | null
}

export interface TableDeps extends Pick<SyncPorts, 'canRepeat' | 'isZone'> {
  store: Pick<HubStore, 'get'>
  /** Persons and groups (`person <id>`) that statements before these bring. */
  arriving: ReadonlyMap<string, { timezone: string }>
  nowMs: number
}

const HOUR_MS = 3_600_000
const LONGEST_MS = 14 * 24 * HOUR_MS
const EARLIEST_MS = Date.UTC(2000, 0, 1)
const LATEST_MS = Date.UTC(2100, 0, 1)
const TITLE = 200
const DRILLS_BYTES = 16_384
const EVENT_TYPES = ['training', 'match', 'recovery', 'school']
const PERSON_KINDS = ['child', 'teen', 'adult']
const GROUP_KINDS = ['family', 'care', 'team']
const ROLES = ['cared_for', 'parent', 'carer', 'coach', 'player', 'member']

/** Empty when there is nothing to write. Statements expect the row as it was seen. */
export function planWrite(planned: Planned, deps: TableDeps): Statement[] {
  if (planned.fields[DELETED_FIELD] === true) return planned.before ? removal(planned) : []
  if (planned.kind === 'calendar') return planEvent(planned, deps)
  return planned.kind === 'person' ? planPerson(planned, deps) : planGroup(planned, deps)
}

function removal({ kind, id }: Planned): Statement[] {
  if (kind === 'calendar') return [{ sql: 'DELETE FROM calendar_event WHERE id = :id', params: { id } }]
  // A group or a person is taken away by somebody in the house, never from far away: only erasing does that.
  return []
}

/** The row is changed only as it was seen: an edit made meanwhile must not be lost. */
function stampOf({ before }: Planned, { nowMs }: TableDeps): { seenMs: number; updatedAtMs: number } {
  const seenMs = before?.updatedAtMs ?? 0
  return { seenMs, updatedAtMs: Math.max(nowMs, seenMs + 1) }
}

function planEvent(planned: Planned, deps: TableDeps): Statement[] {
  const { id, subject, fields, before } = planned
  const groupId = subject === null ? textIn(fields['group'], 64) : null
  const whose = subject === null ? whoseGroup(groupId, deps) : whosePerson(subject, deps)
  const startMs = instantIn(fields['start_at'])
  if (whose === null || startMs === null) return []
  const endMs = instantIn(fields['end_at']) ?? startMs + HOUR_MS
  const timezone = zoneIn(fields['timezone'], deps) ?? whose.timezone
  const rrule = textIn(fields['rrule'], 200)
  const { seenMs, updatedAtMs } = stampOf(planned, deps)
  const params: SqlParams = {
    ...{ id, startMs, timezone, updatedAtMs },
    endMs: endMs > startMs && endMs - startMs <= LONGEST_MS ? endMs : startMs + HOUR_MS,
    title: textIn(fields['title'], TITLE) ?? '–',
    eventType: oneOf(EVENT_TYPES, fields['event_type']) ?? 'training',
    rrule: rrule !== null && deps.canRepeat(rrule, startMs, timezone) ? rrule : null,
    drills: drillsIn(fields['drills']),
    aiGenerated: fields['ai_generated'] === true ? 1 : 0,
  }
  if (before)
    return [
      {
        sql: `UPDATE calendar_event SET title = :title, event_type = :eventType, start_at = :startMs, end_at = :endMs,
            timezone = :timezone, rrule = :rrule, drills = :drills, ai_generated = :aiGenerated, updated_at = :updatedAtMs
          WHERE id = :id AND updated_at = :seenMs`,
        params: { ...params, seenMs },
        expect: 1,
      },
    ]
  return [
    {
      sql: `INSERT INTO calendar_event (id, person_key, group_id, title, event_type, start_at, end_at, timezone, rrule, drills,
          ai_generated, created_by, created_at, updated_at)
        VALUES (:id, (SELECT key FROM person WHERE id = :subject AND deleted_at IS NULL), :groupId, :title, :eventType, :startMs,
          :endMs, :timezone, :rrule, :drills, :aiGenerated, NULL, :updatedAtMs, :updatedAtMs)`,
      params: { ...params, subject, groupId },
    },
  ]
}

function whosePerson(id: string, { store, arriving }: TableDeps): { timezone: string } | null {
  return (
    store.get<{ timezone: string }>('SELECT timezone FROM person WHERE id = :id AND deleted_at IS NULL', {
      id,
    }) ??
    arriving.get(`person ${id}`) ??
    null
  )
}

function whoseGroup(id: string | null, { store, arriving }: TableDeps): { timezone: string } | null {
  const known = store.get<{ timezone: string }>('SELECT timezone FROM people_group WHERE id = :id', { id })
  return known ?? arriving.get(`group ${id}`) ?? null
}

function planPerson(planned: Planned, deps: TableDeps): Statement[] {
  const { id, fields, before } = planned
  const name = textIn(fields['name'], 100)
  if (name === null) return []
  const { seenMs, updatedAtMs } = stampOf(planned, deps)
  const params = {
    ...{ id, name, updatedAtMs },
    kind: oneOf(PERSON_KINDS, fields['kind']) ?? 'adult',
  }
  // Days were added up in the person's zone: it moves in the house, where they are added up anew.
  if (before)
    return [
      {
        sql: 'UPDATE person SET name = :name, kind = :kind, updated_at = :updatedAtMs WHERE id = :id AND updated_at = :seenMs',
        params: { ...params, seenMs },
        expect: 1,
      },
    ]
  if (deps.store.get('SELECT 1 FROM person WHERE id = :id', { id })) return []
  return [
    {
      sql: `INSERT INTO person (id, name, kind, timezone, created_at, updated_at)
        VALUES (:id, :name, :kind, :timezone, :updatedAtMs, :updatedAtMs)`,
      params: { ...params, timezone: zoneIn(fields['timezone'], deps) ?? 'UTC' },
    },
  ]
}

function planGroup(planned: Planned, deps: TableDeps): Statement[] {
  const { id, fields, before } = planned
  const name = textIn(fields['name'], 100)
  if (name === null) return []
  const { seenMs, updatedAtMs } = stampOf(planned, deps)
  const step = fields['step_minutes']
  const params = {
    ...{ id, name, updatedAtMs },
    kind: oneOf(GROUP_KINDS, fields['kind']) ?? 'team',
    timezone: zoneIn(fields['timezone'], deps) ?? 'UTC',
    stepMinutes: Number.isInteger(step) && Number(step) >= 1 && Number(step) <= 60 ? Number(step) : 5,
  }
  const head: Statement = before
    ? {
        sql: `UPDATE people_group SET name = :name, kind = :kind, timezone = :timezone, step_minutes = :stepMinutes,
            updated_at = :updatedAtMs WHERE id = :id AND updated_at = :seenMs`,
        params: { ...params, seenMs },
        expect: 1,
      }
    : {
        sql: `INSERT INTO people_group (id, name, kind, timezone, step_minutes, created_at, updated_at)
          VALUES (:id, :name, :kind, :timezone, :stepMinutes, :updatedAtMs, :updatedAtMs)`,
        params,
      }
  return [
    head,
    ...Object.entries(fields).flatMap(([field, value]) => planMember(id, field, value, deps.nowMs)),
  ]
}

function planMember(groupId: string, field: string, value: unknown, nowMs: number): Statement[] {
  if (!field.startsWith(MEMBER_FIELD)) return []
  const memberId = field.slice(MEMBER_FIELD.length)
  const role = oneOf(ROLES, Object(value).role)
  if (role === null)
    return [
      {
        sql: 'DELETE FROM group_member WHERE group_id = :groupId AND member_id = :memberId AND person_key IS NOT NULL',
        params: { groupId, memberId },
      },
    ]
  const shirt: unknown = Object(value).shirt_number
  return [
    {
      sql: `INSERT INTO group_member (group_id, member_id, person_key, role, shirt_number, created_at)
        SELECT :groupId, :memberId, key, :role, :shirt, :nowMs FROM person WHERE id = :memberId AND deleted_at IS NULL
        ON CONFLICT (group_id, member_id) DO UPDATE SET role = excluded.role`,
      params: { groupId, memberId, role, nowMs, shirt: Number.isInteger(shirt) ? Number(shirt) : null },
    },
  ]
}

function textIn(value: unknown, most: number): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.slice(0, most) : null
}

function oneOf(list: readonly string[], value: unknown): string | null {
  return typeof value === 'string' && list.includes(value) ? value : null
}

/** Milliseconds, or RFC 3339. */
function instantIn(value: unknown): number | null {
  const atMs = typeof value === 'string' ? Date.parse(value) : value
  return typeof atMs === 'number' && atMs >= EARLIEST_MS && atMs < LATEST_MS ? Math.trunc(atMs) : null
}

export function zoneIn(value: unknown, { isZone }: Pick<SyncPorts, 'isZone'>): string | null {
  return typeof value === 'string' && value.length <= 64 && isZone(value) ? value : null
}

function drillsIn(value: unknown): string {
  const text = Array.isArray(value) ? JSON.stringify(value.slice(0, 100)) : '[]'
  return text.length <= DRILLS_BYTES ? text : '[]'
}
