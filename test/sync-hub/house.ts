/** A cloud that answers over real HTTP and real Postgres, and households with hubs in it. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import pg from 'pg'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { addCode, addHousehold } from '../../sync/cloud/households.ts'
import { type RunningCloud, runCloud } from '../../sync/cloud/run.ts'
import { NO_FAILPOINTS } from '../../sync/failpoint.ts'
import type { SyncPorts } from '../../sync/ports.ts'
import { startPostgres } from '../sync/postgres.ts'
import { SILENT, type SyncedHub, syncedHub } from './setup.ts'

export interface TestHouse {
  id: string
  token: string
  /** The network of the house, which can be taken away. */
  line: { isUp: boolean; pushes: number }
  join(more?: Partial<SyncPorts>): Promise<SyncedHub>
  ask(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    // The tests say what they expect of it.
    // biome-ignore lint/suspicious/noExplicitAny: answers of every route
  ): Promise<{ status: number; body: any }>
  /** Asks the cloud's database as its owner; `$1` is the household. */
  sql<Row extends object>(text: string, ...values: unknown[]): Promise<Row[]>
}

const SECRET = 'between the instances'

export interface TestCloudHouse {
  running: RunningCloud
  /** A second instance over the same database, which reads the first one's shape server. */
  another(): Promise<RunningCloud>
  house(t: TestContext): Promise<TestHouse>
  stop(): Promise<void>
}

export async function cloudForHubs(): Promise<TestCloudHouse> {
  const clock = systemClock()
  /** Electric's client leaves a timer of a minute behind, which would hold the test's process for as long. */
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
    ...{ databaseUrl, clock, log: SILENT, failpoints: NO_FAILPOINTS },
    ...{ listen: '127.0.0.1:0', shapes: 'builtin', shapesSecret: SECRET, shapesListen: '127.0.0.1:0' },
    ...{ hubPerMinute: 1e9, accountPerMinute: 1e9 },
  })
  return {
    running,
    another: () =>
      runCloud({
        ...{ databaseUrl, clock, log: SILENT, failpoints: NO_FAILPOINTS, hubPerMinute: 1e9 },
        ...{ listen: '127.0.0.1:0', shapes: running.shapesAddress, shapesSecret: SECRET },
        shapesListen: '127.0.0.1:0',
      }),
    async stop() {
      await running.close()
      await pool.end()
      await postgres.stop()
      globalThis.setTimeout = setTimer
    },
    async house(t) {
      const { parts, http } = running.cloud
      const { id, token } = await addHousehold(parts.base.owner, 'Home', clock.now())
      const line = { isUp: true, pushes: 0 }
      const throughTheLine: typeof fetch = async (input, init) => {
        if (!line.isUp) throw new TypeError('no network')
        if (String(input).endsWith('/sync')) line.pushes += 1
        return fetch(input, init)
      }
      return {
        ...{ id, token, line },
        async join(more = {}) {
          const hub = await syncedHub({ fetch: throughTheLine, ...more })
          t.after(() => hub.stop())
          const { code } = await addCode(parts.base.owner, parts.key, id, clock.now())
          assert.deepEqual(await hub.sync.enrol(running.address, code), { household: 'Home' })
          return hub
        },
        async ask(method, path, body) {
          const answer = await http.inject({
            ...{ method, url: `/api/household${path}`, headers: { authorization: `Bearer ${token}` } },
            ...(body ? { payload: body } : {}),
          })
          return { status: answer.statusCode, body: answer.body === '' ? null : answer.json() }
        },
        sql: async <Row extends object>(text: string, ...values: unknown[]) =>
          (await pool.query<Row>(text, [id, ...values])).rows,
      }
    },
  }
}
