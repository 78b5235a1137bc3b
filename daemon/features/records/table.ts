/** The tables of records: each as it is now, and every version that it replaced. */
import type { RecordDraft, RecordKindName } from '../../domain/record.ts'
import type { Store, Write } from '../../store/store.ts'

export interface StoredRecord {
  id: string
  kind: RecordKindName
  personId: string
  deviceId: string
  source: string
  startMs: number
  endMs: number
  dayMs: number
  fields: Readonly<Record<string, unknown>>
  revision: number
  createdAtMs: number
  updatedAtMs: number
  deletedAtMs: number | null
  /** Of a meal. */
  hasPhoto: boolean
}

/** What a record was before a change. */
export interface EarlierVersion {
  revision: number
  fields: Readonly<Record<string, unknown>>
  replacedAtMs: number
}

/** Which records: those whose instant lies in `[fromMs, toMs)`. */
export interface RecordWindow {
  kind: RecordKindName
  personId: string
  fromMs: number
  toMs: number
}

export interface RecordTable {
  find(id: string): StoredRecord | null
  /** By what tells a record from every other; deleted ones too. */
  at(key: Pick<StoredRecord, 'kind' | 'personId' | 'deviceId' | 'startMs'>): StoredRecord | null
  /** One page, newest first, and how many there are. */
  page(window: RecordWindow, offset: number, limit: number): { records: StoredRecord[]; total: number }
  /** All of the window, ascending. */
  all(window: RecordWindow): StoredRecord[]
  history(id: string): EarlierVersion[]
  /** False when there is such a record already. */
  add(
    record: Pick<StoredRecord, 'id' | 'kind' | 'personId' | 'deviceId' | 'source'>,
    draft: RecordDraft,
  ): Promise<boolean>
  /** Replaces what `old` says. Rejects with CONFLICT when somebody else was faster, or the new instant is taken. */
  revise(old: StoredRecord, draft: RecordDraft): Promise<void>
  /** Hides it, keeping what it said. Rejects with CONFLICT when somebody else was faster. */
  remove(old: StoredRecord): Promise<void>
}

type Row = Omit<StoredRecord, 'fields' | 'hasPhoto'> & { fields: string; hasPhoto: number }

const COLUMNS = `r.id, r.kind, p.id AS personId, d.id AS deviceId, r.source, r.start_at AS startMs, r.end_at AS endMs,
    r.day_at AS dayMs, r.fields, r.revision, r.created_at AS createdAtMs, r.updated_at AS updatedAtMs,
    r.deleted_at AS deletedAtMs, EXISTS (SELECT 1 FROM meal_photo m WHERE m.record_id = r.id) AS hasPhoto`
const FROM = `FROM record r JOIN person p ON p.key = r.person_key AND p.deleted_at IS NULL JOIN device d ON d.key = r.device_key`
const BY_ID = `SELECT ${COLUMNS} ${FROM} WHERE r.id = :id`
const BY_KEY = `SELECT ${COLUMNS} ${FROM}
  WHERE p.id = :personId AND r.kind = :kind AND d.id = :deviceId AND r.start_at = :startMs`
// Uses index record_day.
const WINDOW = `p.id = :personId AND r.kind = :kind AND r.day_at >= :fromMs AND r.day_at < :toMs AND r.deleted_at IS NULL`
const COUNT = `SELECT count(*) AS total ${FROM} WHERE ${WINDOW}`
const PAGE = `SELECT ${COLUMNS} ${FROM} WHERE ${WINDOW} ORDER BY r.day_at DESC, r.id DESC LIMIT :limit OFFSET :offset`
const ALL = `SELECT ${COLUMNS} ${FROM} WHERE ${WINDOW} ORDER BY r.day_at, r.id`
const HISTORY = `SELECT revision, fields, replaced_at AS replacedAtMs FROM record_revision WHERE record_id = :id ORDER BY revision`
const ADD = `INSERT INTO record (id, kind, person_key, device_key, source, start_at, end_at, day_at, fields, created_at, updated_at)
  SELECT :id, :kind, p.key, d.key, :source, :startMs, :endMs, :dayMs, :fields, :nowMs, :nowMs FROM person p, device d
  WHERE p.id = :personId AND p.deleted_at IS NULL AND d.id = :deviceId
  ON CONFLICT (person_key, kind, device_key, start_at) DO NOTHING`
const KEEP = `INSERT INTO record_revision (record_id, revision, fields, replaced_at)
  SELECT id, revision, fields, :nowMs FROM record WHERE id = :id AND revision = :revision`
const REVISE = `UPDATE record SET start_at = :startMs, end_at = :endMs, day_at = :dayMs, fields = :fields,
    revision = revision + 1, updated_at = :nowMs, deleted_at = NULL
  WHERE id = :id AND revision = :revision`
const REMOVE = `UPDATE record SET revision = revision + 1, updated_at = :nowMs, deleted_at = :nowMs
  WHERE id = :id AND revision = :revision AND deleted_at IS NULL`

export interface RecordTableDeps {
  store: Pick<Store, 'all' | 'get' | 'write'>
  now: () => number
}

export function createRecordTable({ store, now }: RecordTableDeps): RecordTable {
  const one = (sql: string, params: Record<string, string | number>) => {
    const row = store.get<Row>(sql, params)
    return row ? recordOf(row) : null
  }
  return {
    find: (id) => one(BY_ID, { id }),
    at: ({ kind, personId, deviceId, startMs }) => one(BY_KEY, { kind, personId, deviceId, startMs }),
    page(window, offset, limit) {
      const total = store.get<{ total: number }>(COUNT, { ...window })?.total ?? 0
      return { records: store.all<Row>(PAGE, { ...window, offset, limit }).map(recordOf), total }
    },
    all: (window) => store.all<Row>(ALL, { ...window }).map(recordOf),
    history: (id) =>
      store
        .all<Omit<EarlierVersion, 'fields'> & { fields: string }>(HISTORY, { id })
        .map((row) => ({ ...row, fields: fieldsOf(row.fields) })),
    async add(record, draft) {
      const params = { ...record, ...placeOf(draft), nowMs: now() }
      const [added] = await store.write([{ sql: ADD, params }])
      return added?.changes === 1
    },
    async revise({ id, revision }, draft) {
      const key = { id, revision, nowMs: now() }
      await store.write([
        { sql: KEEP, params: key, expect: 1 },
        { sql: REVISE, params: { ...key, ...placeOf(draft) }, expect: 1 },
      ])
    },
    async remove({ id, revision }) {
      const params = { id, revision, nowMs: now() }
      const unit: Write[] = [
        { sql: KEEP, params, expect: 1 },
        { sql: REMOVE, params, expect: 1 },
      ]
      await store.write(unit)
    },
  }
}

function placeOf({ startMs, endMs, dayMs, fields }: RecordDraft) {
  return { startMs, endMs, dayMs, fields: JSON.stringify(fields) }
}

function recordOf(row: Row): StoredRecord {
  return { ...row, fields: fieldsOf(row.fields), hasPhoto: row.hasPhoto === 1 }
}

function fieldsOf(json: string): Record<string, unknown> {
  // Written by this table from an object.
  return JSON.parse(json) as Record<string, unknown>
}
