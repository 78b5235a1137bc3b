import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import type { Observation, Outcome, StoredObservation } from '../../daemon/domain/observation.ts'
import { HubError } from '../../daemon/kernel/errors.ts'
import { createCounters } from '../../daemon/store/counters.ts'
import type { CommitListener, SqlParams, Store, Write, WriteResult } from '../../daemon/store/store.ts'

const MIGRATIONS = new URL('../../daemon/store/migrations/', import.meta.url)

/** A store on one in-memory connection, for tests of what stands on it; the real one has a thread and tests of its own. */
export function fakeStore(): Store {
  const db = new Database(':memory:')
  for (const file of readdirSync(fileURLToPath(MIGRATIONS)).sort()) {
    db.exec(readFileSync(new URL(file, MIGRATIONS), 'utf8'))
  }
  const rows = new Map<string, StoredObservation>()
  const listeners = new Set<CommitListener>()
  const ofPerson = (personId: string) =>
    [...rows.values()].filter((row) => row.personId === personId).sort((a, b) => a.atMs - b.atMs)
  const run = (write: Write): WriteResult => {
    const statement = db.prepare(write.sql)
    const params = write.params ?? {}
    const found = statement.reader ? statement.all(params) : []
    const changes = statement.reader ? found.length : statement.run(params).changes
    if (write.expect !== undefined && write.expect !== changes)
      throw new HubError('CONFLICT', 'not as expected')
    return { changes, rows: found as WriteResult['rows'] }
  }
  return {
    all: <Row>(sql: string, params: SqlParams = {}) => db.prepare(sql).all(params) as Row[],
    get: <Row>(sql: string, params: SqlParams = {}) => db.prepare(sql).get(params) as Row | undefined,
    write: async (unit) => db.transaction(() => unit.map(run))(),
    observations: {
      async append(batch) {
        const done = batch.map((one) => land(rows, one))
        const committed = done.filter(({ outcome }) => outcome !== 'duplicate').map(({ row }) => row)
        if (committed.length > 0) for (const listener of listeners) listener(committed)
        return done.map(({ outcome }) => outcome)
      },
      async range({ personId, metric, fromMs, toMs, limit }) {
        const found = ofPerson(personId).filter(
          (row) => row.metric === metric && row.atMs >= fromMs && row.atMs < toMs,
        )
        return { points: found.slice(0, limit), nextFromMs: found[limit]?.atMs ?? null }
      },
      level: async () => ({ points: [], nextFromMs: null }),
      latest: async (personId) => [...new Map(ofPerson(personId).map((row) => [row.metric, row])).values()],
      history: async () => [],
    },
    onCommitted(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    rezone: async () => {},
    stats: () => ({ ...createCounters().read(0), rows: rows.size }),
    async close() {
      db.close()
    },
  }
}

function land(
  rows: Map<string, StoredObservation>,
  one: Observation,
): { outcome: Outcome; row: StoredObservation } {
  const key = JSON.stringify([one.personId, one.metric, one.deviceId, one.atMs])
  const known = rows.get(key)
  if (known?.value === one.value) return { outcome: 'duplicate', row: known }
  const row = { ...one, revision: known ? known.revision + 1 : 0 }
  rows.set(key, row)
  return { outcome: known ? 'revised' : 'accepted', row }
}
