/** A cloud service over a fresh database, with households and hubs, for the tests of the cloud's side. */
import pg from 'pg'
import { addCode, addHousehold } from '../../sync/cloud/households.ts'
import { type Cloud, type CloudDeps, createCloud } from '../../sync/cloud/service.ts'
import { type FakeClock, fakeClock } from '../fakes/clock.ts'
import { type Door, registerHub, type TestHub } from './hub.ts'
import type { TestPostgres } from './postgres.ts'

export interface TestCloud {
  url: string
  clock: FakeClock
  cloud: Cloud
  /** A household's id and owner token. */
  household(name?: string): Promise<{ id: string; token: string }>
  hub(household: string, door?: Door): Promise<TestHub>
  /** Asks the database as its owner, past every wall. */
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
  /** Another instance over the same database. */
  another(more?: Partial<CloudDeps>): Promise<Cloud>
  close(): Promise<void>
}

const SILENT = { info() {}, warn() {}, error() {} }

export async function testCloud(postgres: TestPostgres, more: Partial<CloudDeps> = {}): Promise<TestCloud> {
  const url = await postgres.freshDatabase()
  const clock = fakeClock()
  const instance = (extra: Partial<CloudDeps>) =>
    createCloud({
      databaseUrl: url,
      clock,
      log: SILENT,
      hubPerMinute: 1e9,
      registrationsPerMinute: 1000,
      ...extra,
    })
  const cloud = await instance(more)
  const others: Cloud[] = []
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  pool.on('error', () => {})
  return {
    url,
    clock,
    cloud,
    household: (name = 'Home') => addHousehold(cloud.parts.base.owner, name, clock.now()),
    async hub(household, door = cloud.http) {
      const { code } = await addCode(cloud.parts.base.owner, cloud.parts.key, household, clock.now())
      return registerHub({ door, code, now: () => clock.now() })
    },
    sql: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await pool.query<Row>(text, values)).rows,
    async another(extra = {}) {
      const one = await instance(extra)
      others.push(one)
      return one
    },
    async close() {
      await Promise.all([cloud, ...others].map((one) => one.close()))
      await pool.end()
    },
  }
}

/** A closed hour of Mia's pulse. */
export function hourOf(start: number, more: Record<string, unknown> = {}) {
  return {
    subject: 'mia',
    device: 'watch-1',
    metric: 'heart_rate',
    scale: 1,
    start,
    n: 3600,
    sum: 280_000,
    sum_sq: 22_000_000,
    min: 55,
    min_at: start + 1000,
    max: 121,
    max_at: start + 9000,
    first: 70,
    first_at: start,
    last: 75,
    last_at: start + 3_599_000,
    covered_ms: 3_600_000,
    sum_v_dt: null,
    n_diff: 3599,
    sum_sq_diff: 1200,
    bins: 'AQID',
    ...more,
  }
}

export function hourRow(seq: number, start: number, more: Record<string, unknown> = {}) {
  const body = hourOf(start, more)
  return {
    seq,
    kind: 'rollup_hour',
    v: 1,
    key: `${body.subject}:${body.device}:${body.metric}:${start}`,
    body,
  }
}
