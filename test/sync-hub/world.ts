/** A cloud over a real Postgres with its shape server, and hubs that join it over a line that can be taken away. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import pg from 'pg'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { addCode, addHousehold } from '../../sync/cloud/households.ts'
import { type RunningCloud, runCloud } from '../../sync/cloud/run.ts'
import { NO_FAILPOINTS } from '../../sync/failpoint.ts'
import type { SyncPorts } from '../../sync/ports.ts'
import { startPostgres, type TestPostgres } from '../sync/postgres.ts'
import { SILENT, syncedHub } from './setup.ts'

export interface World {
  running: RunningCloud
  postgres: TestPostgres
  databaseUrl: string
  pool: pg.Pool
  end(): Promise<void>
}

export async function startWorld(): Promise<World> {
  // Electric's client leaves a timer of a minute behind, which would hold the test's process for as long.
  const setTimer = globalThis.setTimeout
  globalThis.setTimeout = Object.assign(
    (work: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) => {
      const timer = setTimer(work, ms, ...given)
      return (ms ?? 0) >= 30_000 ? timer.unref() : timer
    },
    setTimer,
  )
  const postgres = await startPostgres()
  const databaseUrl = await postgres.freshDatabase()
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  pool.on('error', () => {})
  const running = await runCloud({
    ...{ databaseUrl, clock: systemClock(), log: SILENT, failpoints: NO_FAILPOINTS },
    ...{ listen: '127.0.0.1:0', shapes: 'builtin', shapesSecret: null, shapesListen: '127.0.0.1:0' },
    hubPerMinute: 1e9,
  })
  return {
    ...{ running, postgres, databaseUrl, pool },
    async end() {
      await running.close()
      await pool.end()
      await postgres.stop()
      globalThis.setTimeout = setTimer
    },
  }
}

/** A household of its own in the world. */
export async function household({ running, pool }: World, t: TestContext) {
  const { parts, http } = running.cloud
  const nowMs = Date.now()
  const { id, token } = await addHousehold(parts.base.owner, 'Home', nowMs)
  const line = { isUp: true, portal: false }
  /** The network of the house, which can be taken away, or belong to a hotel. */
  const throughTheLine: typeof fetch = async (input, init) => {
    if (!line.isUp) throw new TypeError('no network')
    return line.portal ? new Response('<html>Welcome</html>') : fetch(input, init)
  }
  return {
    ...{ id, line },
    async join(more: Partial<SyncPorts> = {}) {
      const hub = await syncedHub({ fetch: throughTheLine, ...more })
      t.after(() => hub.stop())
      const { code } = await addCode(parts.base.owner, parts.key, id, Date.now())
      assert.deepEqual(await hub.sync.enrol(running.address, code), { household: 'Home' })
      return hub
    },
    async ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) {
      const answer = await http.inject({
        ...{ method, url: `/api/household${path}`, headers: { authorization: `Bearer ${token}` } },
        ...(body ? { payload: body } : {}),
      })
      return { status: answer.statusCode, body: answer.body === '' ? null : answer.json() }
    },
    /** `$1` is the household. */
    sql: async <Row extends object>(text: string, ...values: unknown[]) =>
      (await pool.query<Row>(text, [id, ...values])).rows,
  }
}
