/** The table of imports: which file, for whom, what came of it. */
import type { Store, Write } from '../../store/store.ts'
import type { Skip } from './batch.ts'

/** What came of a file so far, counted by item. */
export interface ImportCounts {
  accepted: number
  duplicates: number
  revised: number
  skipped: number
}

export interface StoredImport {
  id: string
  jobId: string
  personId: string
  kind: string
  fileName: string | null
  bytes: number
  counts: ImportCounts
  createdAtMs: number
}

export interface ImportTable {
  find(id: string): StoredImport | null
  /** Newest first; `seen` null: of everybody. */
  page(
    seen: readonly string[] | null,
    offset: number,
    limit: number,
  ): { imports: StoredImport[]; total: number }
  skipped(id: string, offset: number, limit: number): { skipped: Skip[]; total: number }
  entering(entry: Omit<StoredImport, 'counts' | 'createdAtMs'>): Write[]
  counting(id: string, counts: ImportCounts): Write
  /** Lines of what was left out, numbered from `seq` on. */
  skipping(id: string, seq: number, skipped: readonly Skip[]): Write[]
}

type Row = Omit<StoredImport, 'counts'> & { counts: string }

const NOTHING: ImportCounts = { accepted: 0, duplicates: 0, revised: 0, skipped: 0 }
/** A household brings in some dozens; the oldest are forgotten, what they brought stays. */
const KEPT = 500
const COLUMNS = `i.id, i.job_id AS jobId, p.id AS personId, i.kind, i.file_name AS fileName, i.bytes, i.counts,
  i.created_at AS createdAtMs`
const FROM = `FROM import i JOIN person p ON p.key = i.person_key AND p.deleted_at IS NULL`
const BY_ID = `SELECT ${COLUMNS} ${FROM} WHERE i.id = :id`
const SEEN = `(:all = 1 OR p.id IN (SELECT value FROM json_each(:seen)))`
const COUNT = `SELECT count(*) AS total ${FROM} WHERE ${SEEN}`
const PAGE = `SELECT ${COLUMNS} ${FROM} WHERE ${SEEN} ORDER BY i.created_at DESC, i.id DESC LIMIT :limit OFFSET :offset`
const SKIPPED = `SELECT place AS "where", reason, count FROM import_skip WHERE import_id = :id ORDER BY seq
  LIMIT :limit OFFSET :offset`
const SKIPPED_COUNT = `SELECT count(*) AS total FROM import_skip WHERE import_id = :id`
const ENTER = `INSERT INTO import (id, job_id, person_key, kind, file_name, bytes, created_at)
  SELECT :id, :jobId, key, :kind, :fileName, :bytes, :nowMs FROM person WHERE id = :personId AND deleted_at IS NULL`
const OLD = `SELECT id FROM import ORDER BY created_at DESC, id LIMIT -1 OFFSET ${KEPT}`
const FORGET_SKIPS = `DELETE FROM import_skip WHERE import_id IN (${OLD})`
const FORGET = `DELETE FROM import WHERE id IN (${OLD})`
const SET_COUNTS = `UPDATE import SET counts = :counts WHERE id = :id`
const SKIP = `INSERT INTO import_skip (import_id, seq, place, reason, count) VALUES (:id, :seq, :place, :reason, :count)
  ON CONFLICT DO NOTHING`

export function createImportTable({
  store,
  now,
}: {
  store: Pick<Store, 'all' | 'get'>
  now: () => number
}): ImportTable {
  return {
    find(id) {
      const row = store.get<Row>(BY_ID, { id })
      return row ? importOf(row) : null
    },
    page(seen, offset, limit) {
      const params = { all: seen ? 0 : 1, seen: JSON.stringify(seen ?? []) }
      const total = store.get<{ total: number }>(COUNT, params)?.total ?? 0
      return { imports: store.all<Row>(PAGE, { ...params, offset, limit }).map(importOf), total }
    },
    skipped: (id, offset, limit) => ({
      skipped: store.all<Skip>(SKIPPED, { id, offset, limit }),
      total: store.get<{ total: number }>(SKIPPED_COUNT, { id })?.total ?? 0,
    }),
    entering: (entry) => [
      { sql: ENTER, params: { ...entry, nowMs: now() }, expect: 1 },
      { sql: FORGET_SKIPS },
      { sql: FORGET },
    ],
    counting: (id, counts) => ({ sql: SET_COUNTS, params: { id, counts: JSON.stringify(counts) } }),
    skipping: (id, seq, skipped) =>
      skipped.map(({ where, reason, count }, index) => ({
        sql: SKIP,
        params: { id, seq: seq + index, place: where.slice(0, 200), reason: reason.slice(0, 300), count },
      })),
  }
}

function importOf(row: Row): StoredImport {
  // Written by this table from counts.
  return { ...row, counts: { ...NOTHING, ...(JSON.parse(row.counts) as Partial<ImportCounts>) } }
}
