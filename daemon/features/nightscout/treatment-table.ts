/** The table of treatments: each document as it is now, and every version that it replaced. */
import type { SqlValue, Store, Write } from '../../store/store.ts'
import type { Find } from './find.ts'
import type { Document } from './uploader.ts'

export interface Treatment {
  personId: string
  id: string
  identifier: string
  deviceId: string
  atMs: number
  eventType: string
  fields: Document
  revision: number
  createdAtMs: number
  updatedAtMs: number
  deletedAtMs: number | null
}

export type FreshTreatment = Pick<
  Treatment,
  'personId' | 'id' | 'identifier' | 'deviceId' | 'atMs' | 'eventType' | 'fields'
>

export interface TreatmentTable {
  /** By either of its names; deleted ones too. */
  named(personId: string, id: string, identifier: string): Treatment | null
  /** Those of an instant that stand, as one uploader told them first. */
  at(personId: string, deviceId: string, atMs: number): Treatment[]
  find(personId: string, find: Find): Treatment[]
  lastChangeMs(personId: string): number
  /** False when there is such a document already. */
  add(treatment: FreshTreatment): Promise<boolean>
  /** Rejects with CONFLICT when somebody else was faster. */
  revise(old: Treatment, fresh: Pick<Treatment, 'atMs' | 'eventType' | 'fields'>): Promise<void>
  /** Hides it, keeping what it said. */
  remove(old: Treatment): Promise<void>
}

type Row = Omit<Treatment, 'fields'> & { fields: string }

const COLUMNS = `p.id AS personId, t.id, t.identifier, d.id AS deviceId, t.at AS atMs, t.event_type AS eventType, t.fields,
    t.revision, t.created_at AS createdAtMs, t.updated_at AS updatedAtMs, t.deleted_at AS deletedAtMs`
const FROM = `FROM treatment t JOIN person p ON p.key = t.person_key AND p.deleted_at IS NULL JOIN device d ON d.key = t.device_key`
const NAMED = `SELECT ${COLUMNS} ${FROM} WHERE p.id = :personId AND (t.id = :id OR t.identifier = :identifier)
  ORDER BY t.id = :id DESC LIMIT 1`
const AT = `SELECT ${COLUMNS} ${FROM} WHERE p.id = :personId AND d.id = :deviceId AND t.at = :atMs AND t.deleted_at IS NULL
  ORDER BY t.id`
const MATCHES = `p.id = :personId AND (:eventType IS NULL OR t.event_type = :eventType)
  AND (:id IS NULL OR t.id = :id OR t.identifier = :id) AND (:uuid IS NULL OR json_extract(t.fields, '$.uuid') = :uuid)`
// Uses index treatment_at.
const WINDOW = `SELECT ${COLUMNS} ${FROM} WHERE ${MATCHES} AND t.at >= :fromMs AND t.at < :toMs AND t.deleted_at IS NULL`
const NEWEST = `${WINDOW} ORDER BY t.at DESC, t.id DESC LIMIT :count OFFSET :skip`
const OLDEST = `${WINDOW} ORDER BY t.at, t.id LIMIT :count OFFSET :skip`
// Uses index treatment_updated. Deleted ones are news, too.
const CHANGED = `SELECT ${COLUMNS} ${FROM} WHERE ${MATCHES} AND t.updated_at >= :sinceMs
  ORDER BY t.updated_at, t.id LIMIT :count OFFSET :skip`
const LAST_CHANGE = `SELECT max(t.updated_at) AS atMs FROM treatment t JOIN person p ON p.key = t.person_key WHERE p.id = :personId`
const ADD = `INSERT INTO treatment (person_key, id, identifier, device_key, at, event_type, fields, created_at, updated_at)
  SELECT p.key, :id, :identifier, d.key, :atMs, :eventType, :fields, :nowMs, :nowMs FROM person p, device d
  WHERE p.id = :personId AND p.deleted_at IS NULL AND d.id = :deviceId
  ON CONFLICT DO NOTHING`
const PERSON = '(SELECT key FROM person WHERE id = :personId)'
const KEEP = `INSERT INTO treatment_revision (person_key, id, revision, fields, replaced_at)
  SELECT person_key, id, revision, fields, :nowMs FROM treatment
  WHERE person_key = ${PERSON} AND id = :id AND revision = :revision`
const REVISE = `UPDATE treatment SET at = :atMs, event_type = :eventType, fields = :fields, revision = revision + 1,
    updated_at = :nowMs, deleted_at = NULL
  WHERE person_key = ${PERSON} AND id = :id AND revision = :revision`
const REMOVE = `UPDATE treatment SET revision = revision + 1, updated_at = :nowMs, deleted_at = :nowMs
  WHERE person_key = ${PERSON} AND id = :id AND revision = :revision AND deleted_at IS NULL`

export function createTreatmentTable({
  store,
  now,
}: {
  store: Pick<Store, 'all' | 'get' | 'write'>
  now: () => number
}): TreatmentTable {
  const replace = (old: Treatment, sql: string, params: Record<string, SqlValue>) => {
    const key = { personId: old.personId, id: old.id, revision: old.revision, nowMs: now() }
    const unit: Write[] = [
      { sql: KEEP, params: key, expect: 1 },
      { sql, params: { ...key, ...params }, expect: 1 },
    ]
    return store.write(unit)
  }
  return {
    named(personId, id, identifier) {
      const row = store.get<Row>(NAMED, { personId, id, identifier })
      return row ? treatmentOf(row) : null
    },
    at: (personId, deviceId, atMs) => store.all<Row>(AT, { personId, deviceId, atMs }).map(treatmentOf),
    find(personId, { fromMs, toMs, count, skip, ascending, changedSinceMs, equals }) {
      const matches = {
        personId,
        eventType: equals.get('eventType') ?? null,
        id: equals.get('_id') ?? equals.get('identifier') ?? null,
        uuid: equals.get('uuid') ?? null,
      }
      const rows =
        changedSinceMs === null
          ? store.all<Row>(ascending ? OLDEST : NEWEST, { ...matches, fromMs, toMs, count, skip })
          : store.all<Row>(CHANGED, { ...matches, sinceMs: changedSinceMs, count, skip })
      return rows.map(treatmentOf)
    },
    lastChangeMs: (personId) => store.get<{ atMs: number | null }>(LAST_CHANGE, { personId })?.atMs ?? 0,
    async add({ fields, ...rest }) {
      const params = { ...rest, fields: JSON.stringify(fields), nowMs: now() }
      const [added] = await store.write([{ sql: ADD, params }])
      return added?.changes === 1
    },
    async revise(old, { atMs, eventType, fields }) {
      await replace(old, REVISE, { atMs, eventType, fields: JSON.stringify(fields) })
    },
    async remove(old) {
      await replace(old, REMOVE, {})
    },
  }
}

function treatmentOf(row: Row): Treatment {
  // Written by this table from an object.
  return { ...row, fields: JSON.parse(row.fields) as Document }
}
