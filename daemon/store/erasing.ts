/** Deletes what is kept about one person, also about one who is hidden already. */
import type { Erased, Erasure } from '../domain/erasure.ts'
import type { Store } from './store.ts'

/** The person's key in statements that erase, with `:personId`. */
export const ERASED_PERSON = '(SELECT key FROM person WHERE id = :personId)'

/** Values are found by their time: so much of it is looked through by one statement, that nothing waits long behind it. */
const WINDOW_MS = 6 * 3_600_000
const BY_TIME = [
  { table: 'observation', time: 'ts' },
  { table: 'observation_revision', time: 'ts' },
  { table: 'rollup_minute', time: 'start' },
] as const
const BY_PERSON = [
  ...[15, 60, 1440].map((level) => `DELETE FROM rollup WHERE level = ${level} AND person = ${ERASED_PERSON}`),
  `DELETE FROM sealed_day WHERE person = ${ERASED_PERSON}`,
  `DELETE FROM rollup_pending WHERE person = ${ERASED_PERSON}`,
  `DELETE FROM rollup_zone WHERE person = ${ERASED_PERSON}`,
]
/** What devices sent that could not be read, while the person wore them. */
const QUARANTINED = `DELETE FROM quarantine WHERE id IN (
  SELECT q.id FROM quarantine q JOIN device d ON d.id = q.device_id JOIN wearer w ON w.device_key = d.key
  WHERE w.person_key = ${ERASED_PERSON} AND q.at >= w.from_at AND q.at < coalesce(w.to_at, 9e15))`
/** Sealed answers to repeated requests do not say whom they are about, and none is needed for longer than a day. */
const ANSWERS = 'DELETE FROM idempotency'

/** Runs the statements as one unit; answers how many rows went with them. */
export async function eraseRows(
  store: Pick<Store, 'write'>,
  personId: string,
  statements: readonly string[],
): Promise<Erased> {
  const results = await store.write(
    statements.map((sql) => ({ sql, ...(sql.includes(':personId') && { params: { personId } }) })),
  )
  return { rows: results.reduce((sum, { changes }) => sum + changes, 0), files: 0 }
}

/** An erasure that is nothing but statements. */
export function rowsErasure(
  store: Pick<Store, 'write'>,
  name: string,
  statements: readonly string[],
): Erasure {
  return { name, erase: (personId) => eraseRows(store, personId, statements) }
}

export function addErased(...parts: readonly Erased[]): Erased {
  return parts.reduce((sum, { rows, files }) => ({ rows: sum.rows + rows, files: sum.files + files }), {
    rows: 0,
    files: 0,
  })
}

/** Measured values, their roll-ups, and what could not be read of them. */
export function observationsErasure(store: Pick<Store, 'get' | 'write'>): Erasure {
  async function eraseByTime(personId: string, { table, time }: (typeof BY_TIME)[number]): Promise<number> {
    let rows = 0
    let fromMs: number | null = Number.MIN_SAFE_INTEGER
    for (;;) {
      const sql = `SELECT min(${time}) AS next FROM ${table} WHERE ${time} >= :fromMs`
      const params: { fromMs: number } = { fromMs }
      fromMs = store.get<{ next: number | null }>(sql, params)?.next ?? null
      if (fromMs === null) return rows
      const toMs: number = fromMs + WINDOW_MS
      const [result] = await store.write([
        {
          sql: `DELETE FROM ${table} WHERE ${time} >= :fromMs AND ${time} < :toMs AND person = ${ERASED_PERSON}`,
          params: { personId, fromMs, toMs },
        },
      ])
      rows += result?.changes ?? 0
      fromMs = toMs
    }
  }
  return {
    name: 'observations',
    async erase(personId) {
      const { rows } = await eraseRows(store, personId, [QUARANTINED, ANSWERS])
      let values = rows
      for (const one of BY_TIME) values += await eraseByTime(personId, one)
      // Last: taking values away rolled up anew what was left of them.
      const rolledUp = await eraseRows(store, personId, BY_PERSON)
      return { rows: values + rolledUp.rows, files: 0 }
    },
  }
}
