/** What the hub's own tables say about what it shares, field by field, and whether it is shared at all. */
import { MEMBER_FIELD } from './merge.ts'
import type { DataClass, HubStore } from './ports.ts'
import type { EntityKind } from './rows.ts'

export interface EntityRowsDeps {
  store: Pick<HubStore, 'all' | 'get'>
  isShared(personId: string, dataClass: DataClass | 'any'): boolean
}

export interface TableRow {
  subject: string | null
  updatedAtMs: number
  fields: Record<string, unknown>
}

export interface EntityRows {
  /** Null when the tables have none. */
  tableRow(kind: EntityKind, id: string): TableRow | null
  leaves(kind: EntityKind, row: TableRow): boolean
}

const ROWS: Readonly<Record<EntityKind, string>> = {
  calendar: `SELECT p.id AS subject, e.group_id AS "group", title, event_type, start_at, end_at, e.timezone, rrule, drills,
      ai_generated, e.updated_at AS updatedAtMs
    FROM calendar_event e LEFT JOIN person p ON p.key = e.person_key WHERE e.id = :id`,
  person: `SELECT id AS subject, name, kind, timezone, updated_at AS updatedAtMs FROM person
    WHERE id = :id AND deleted_at IS NULL`,
  group: `SELECT NULL AS subject, name, kind, timezone, step_minutes, updated_at AS updatedAtMs FROM people_group WHERE id = :id`,
}
const MEMBERS = `SELECT p.id, m.role, m.shirt_number, m.escalation_order FROM group_member m
  JOIN person p ON p.key = m.person_key AND p.deleted_at IS NULL WHERE m.group_id = :id`

export function createEntityRows({ store, isShared }: EntityRowsDeps): EntityRows {
  function tableRow(kind: EntityKind, id: string): TableRow | null {
    const row = store.get<Record<string, unknown> & { subject: string | null; updatedAtMs: number }>(
      ROWS[kind],
      { id },
    )
    if (!row) return null
    const { subject, updatedAtMs, ...fields } = row
    if (kind === 'calendar') {
      fields['drills'] = JSON.parse(String(fields['drills'])) as unknown
      fields['ai_generated'] = fields['ai_generated'] === 1
    }
    if (kind === 'group')
      for (const { id: member, ...place } of store.all<{ id: string }>(MEMBERS, { id })) {
        if (isShared(member, 'any')) fields[MEMBER_FIELD + member] = place
      }
    return { subject, updatedAtMs, fields }
  }

  function leaves(kind: EntityKind, row: TableRow): boolean {
    if (row.subject !== null) return isShared(row.subject, kind === 'calendar' ? 'training' : 'any')
    const group = kind === 'calendar' ? tableRow('group', String(row.fields['group'])) : row
    return Object.keys(group?.fields ?? {}).some((name) => name.startsWith(MEMBER_FIELD))
  }

  return { tableRow, leaves }
}
