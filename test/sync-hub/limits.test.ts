/** What a hub gives up, in which order, and how it says so; what it does when the cloud, the line or its own clock is odd. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { hlcMs, MAX_AHEAD_MS } from '../../sync/clock.ts'
import { sweep } from '../../sync/cloud/run.ts'
import { isDeleted, latestEdit } from '../../sync/merge.ts'
import type { HubClock, SyncLimits } from '../../sync/ports.ts'
import type { Entity } from '../../sync/rows.ts'
import { openBytes } from '../../sync/seal.ts'
import { withoutPostgres } from '../sync/postgres.ts'
import { HOUR_MS, type SyncedHub, until } from './setup.ts'
import { household, startWorld, type World } from './world.ts'

const START = Date.UTC(2026, 2, 13)
const DAY_MS = 24 * HOUR_MS
const TIME = { timeout: 120_000 }

/** A clock that is wrong, or whose minutes pass quickly once they pass at all. */
function clockAt({ offMs = () => 0, passes }: { offMs?: () => number; passes?: () => boolean }): HubClock {
  const real = systemClock()
  return {
    ...real,
    now: () => real.now() + offMs(),
    every: (ms, fn) =>
      passes && ms === 60_000 ? real.every(100, () => void (passes() && fn())) : real.every(ms, fn),
  }
}

function limits(more: Partial<SyncLimits>): SyncLimits {
  return { rows: 500, bytesPerDay: 0, bulkHours: null, waitingBulk: 10_000, ...more }
}

describe('limits of the way to the cloud', { skip: withoutPostgres() }, () => {
  let world: World
  before(async () => {
    world = await startWorld()
  })
  after(() => world.end())

  /** A hub with Mia, whose pulse of some days is packed. */
  async function setup(
    t: TestContext,
    more: Parameters<Awaited<ReturnType<typeof household>>['join']>[0] = {},
  ) {
    const home = await household(world, t)
    const hub = await home.join(more)
    await hub.addPerson('mia', 'Mia')
    return { ...home, hub }
  }

  async function packDays(hub: SyncedHub, days: number): Promise<void> {
    const at = (atMs: number) => ({
      ...{ personId: 'mia', deviceId: 'watch-1', metric: 'heart_rate', source: 'gatt' },
      ...{ atMs, value: 60 + (atMs % 7), quality: null, extra: null },
    })
    for (let day = 0; day < days; day += 1)
      await hub.store.observations.append(
        Array.from({ length: 48 }, (_, half) => at(START + day * DAY_MS + half * 1_800_000)),
      )
    // A day is packed once the next one has begun.
    await hub.store.observations.append([at(START + days * DAY_MS)])
    await hub.store.upkeep(null)
  }
  const letGo = (hub: SyncedHub, days: number) =>
    hub.store.write([
      {
        sql: 'UPDATE sealed_day SET chunk = NULL WHERE day < :before',
        params: { before: START + days * DAY_MS },
      },
    ])
  const isDrained = ({ sync }: SyncedHub) =>
    (['now', 'state', 'bulk'] as const).every((lane) => sync.state.depth(lane) === 0)
  const gapsOf = (hub: SyncedHub) =>
    hub.store.all<{ series: string; fromMs: number; toMs: number; rows: number }>(
      'SELECT series, from_at AS fromMs, to_at AS toMs, rows FROM sync_gap ORDER BY id',
    )

  test(
    'single values leave for whom and what the owner chose, sealed, and open to the same bytes',
    TIME,
    async (t) => {
      const { hub, sql } = await setup(t)
      await packDays(hub, 2)
      await hub.sync.choose('mia', [{ class: 'wellness', raw: false }])
      await until(() => isDrained(hub))
      const chunks = () =>
        sql<{ start: number; bytes: Buffer }>(
          'SELECT start::float8 AS start, bytes FROM raw_chunk WHERE household_id = $1 ORDER BY start',
        )
      assert.equal((await chunks()).length, 0)
      await hub.sync.choose('mia', [{ class: 'wellness', raw: true }])
      await until(async () => (await chunks()).length === 2)
      const key = hub.sync.state.subjectKey('mia')
      assert.ok(key)
      const packed = hub.store.all<{ day: number; chunk: Buffer }>(
        'SELECT day, chunk FROM sealed_day ORDER BY day',
      )
      assert.deepEqual(
        (await chunks()).map(({ start, bytes }) => [start, openBytes(key, 'mia', bytes).toString('hex')]),
        packed.map(({ day, chunk }) => [day, Buffer.from(chunk).toString('hex')]),
      )
    },
  )

  test(
    'days that are let go before they could leave become one gap a series, in the cloud too',
    TIME,
    async (t) => {
      const { hub, sql } = await setup(t)
      await hub.sync.choose('mia', [{ class: 'wellness', raw: true }])
      await until(() => isDrained(hub))
      await hub.sync.pause(true)
      await packDays(hub, 4)
      await letGo(hub, 3)
      await hub.sync.pause(false)
      hub.sync.kick()
      await until(async () => (await sql('SELECT 1 FROM gap WHERE household_id = $1')).length === 1)
      assert.deepEqual(gapsOf(hub), [
        { series: 'mia/heart_rate/watch-1', fromMs: START, toMs: START + 3 * DAY_MS, rows: 3 },
      ])
      assert.equal((await sql('SELECT 1 FROM raw_chunk WHERE household_id = $1')).length, 1)
      // What the cloud has needs no gap when it is let go here.
      await until(() => isDrained(hub))
      await letGo(hub, 4)
      await until(() => isDrained(hub))
      assert.equal(gapsOf(hub).length, 1)
    },
  )

  test('beyond the bound the oldest days go, with a gap, and never anything else', TIME, async (t) => {
    let passes = false
    const clock = clockAt({ passes: () => passes })
    const { hub, sql } = await setup(t, { clock, limits: limits({ waitingBulk: 3 }) })
    await hub.sync.choose('mia', [
      { class: 'wellness', raw: true },
      { class: 'training', raw: false },
    ])
    await until(() => isDrained(hub))
    await hub.sync.pause(true)
    await packDays(hub, 8)
    for (let hour = 0; hour < 20; hour += 1) await hub.addHour('mia', START + hour * HOUR_MS)
    await hub.addEvent('kept', 'mia', 'Passing')
    const hours = hub.sync.state.depth('state')
    passes = true
    await until(() => gapsOf(hub).length === 1)
    assert.deepEqual(gapsOf(hub), [
      { series: 'mia/heart_rate/watch-1', fromMs: START, toMs: START + 5 * DAY_MS, rows: 5 },
    ])
    assert.equal(hub.sync.state.depth('bulk'), 3)
    assert.equal(hub.sync.state.depth('state'), hours)
    await hub.sync.pause(false)
    hub.sync.kick()
    await until(() => isDrained(hub))
    const starts = await sql<{ start: number }>(
      'SELECT start::float8 AS start FROM raw_chunk WHERE household_id = $1 ORDER BY start',
    )
    assert.deepEqual(
      starts.map(({ start }) => start),
      [5, 6, 7].map((day) => START + day * DAY_MS),
    )
    assert.equal(
      (await sql(`SELECT 1 FROM household_feed WHERE household_id = $1 AND id = 'kept'`)).length,
      1,
    )
    assert.equal((await sql('SELECT 1 FROM gap WHERE household_id = $1')).length, 1)
  })

  test(
    'a line paid by the megabyte holds back what can wait, and lets through what people must hear of',
    TIME,
    async (t) => {
      const { hub, sql } = await setup(t, { limits: limits({ bytesPerDay: 1 }) })
      await hub.sync.choose('mia', [
        { class: 'wellness', raw: false },
        { class: 'training', raw: false },
      ])
      await until(() => hub.sync.state.depth('now') === 0)
      await hub.addHour('mia', START)
      await until(() => hub.sync.lanes.last('state').why === 'bytes')
      await hub.addEvent('heard', 'mia', 'Passing')
      await until(
        async () =>
          (await sql(`SELECT 1 FROM household_feed WHERE household_id = $1 AND id = 'heard'`)).length === 1,
      )
      assert.equal((await sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')).length, 0)
    },
  )

  test('single values wait for their hours of the day', TIME, async (t) => {
    let hour = 12
    const { hub, sql } = await setup(t, { limits: limits({ bulkHours: [1, 5] }), hourOfDay: () => hour })
    await hub.sync.choose('mia', [{ class: 'wellness', raw: true }])
    await packDays(hub, 1)
    await until(() => hub.sync.lanes.last('bulk').why === 'hours')
    await until(() => hub.sync.state.depth('state') === 0)
    assert.equal((await sql('SELECT 1 FROM raw_chunk WHERE household_id = $1')).length, 0)
    hour = 2
    hub.sync.kick()
    await until(async () => (await sql('SELECT 1 FROM raw_chunk WHERE household_id = $1')).length === 1)
  })

  test(
    'a batch that the cloud finds too large is halved until it fits, a row that never fits is put aside',
    TIME,
    async (t) => {
      const most = 30_000
      const narrow: typeof fetch = async (input, init) => {
        const size = init?.body instanceof Uint8Array ? init.body.length : 0
        // What a proxy before the cloud would cut: the cloud itself must say so, signed.
        if (!String(input).endsWith('/sync') || size <= most) return fetch(input, init)
        return fetch(input, {
          ...init,
          headers: { ...Object(init?.headers), 'content-encoding': 'identity' },
          body: Buffer.alloc(1_100_000),
        })
      }
      const { hub, sql } = await setup(t, { fetch: narrow })
      await hub.sync.choose('mia', [{ class: 'wellness', raw: true }])
      const chunkOf = (day: number, bytes: number) => ({
        sql: `INSERT INTO sealed_day (person, metric, device, day, n, chunk)
        SELECT p.key, 1, d.key, :day, 1, randomblob(:bytes) FROM person p, device d WHERE p.id = 'mia' AND d.id = 'watch-1'`,
        params: { day: START + day * DAY_MS, bytes },
      })
      await hub.store.write([9000, 9000, 40_000, 9000, 9000].map((bytes, day) => chunkOf(day, bytes)))
      await until(() => hub.sync.state.depth('bulk') === 0)
      assert.equal((await sql('SELECT 1 FROM raw_chunk WHERE household_id = $1')).length, 4)
      assert.deepEqual(hub.store.all('SELECT kind, reason FROM sync_aside'), [
        { kind: 'raw_chunk', reason: 'too large for the cloud' },
      ])
    },
  )

  test(
    'a row that cannot be made, and one that the cloud will not take, do not stop their lane',
    TIME,
    async (t) => {
      const { hub, sql } = await setup(t)
      await hub.sync.choose('mia', [{ class: 'wellness', raw: false }])
      await until(() => isDrained(hub))
      await hub.store.write([
        { sql: `INSERT INTO sync_feed (lane, kind, key) VALUES ('state', 'rollup_hour', '99/1/99/0')` },
        { sql: `INSERT INTO sync_gap VALUES ('poison', 'mia', '', 0, 1, 'nothing', 1, 0)` },
      ])
      await hub.addHour('mia', START)
      await hub.store.write([
        { sql: `INSERT INTO sync_gap VALUES ('sound', 'mia', 'x', 0, 1, 'nothing', 1, 0)` },
      ])
      await until(() => isDrained(hub))
      assert.equal((await sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')).length, 1)
      assert.deepEqual(await sql('SELECT key FROM gap WHERE household_id = $1'), [{ key: 'sound' }])
      assert.deepEqual(await sql('SELECT kind FROM sync_quarantine WHERE household_id = $1'), [
        { kind: 'gap' },
      ])
      assert.deepEqual(
        hub.store.all<{ kind: string }>('SELECT kind FROM sync_aside ORDER BY kind').map(({ kind }) => kind),
        ['gap', 'rollup_hour'],
      )
    },
  )

  for (const years of [10, -10])
    test(
      `a hub whose clock is ${years} years off is heard, and its edits outlive nobody's`,
      TIME,
      async (t) => {
        const { hub, ask, sql } = await setup(t, { clock: clockAt({ offMs: () => years * 365 * DAY_MS }) })
        await hub.sync.choose('mia', [
          { class: 'training', raw: false },
          { class: 'wellness', raw: false },
        ])
        const closed = Date.now() + Math.min(years, 0) * 365 * DAY_MS - DAY_MS
        await hub.addHour('mia', closed - (closed % HOUR_MS))
        await hub.addEvent('odd', 'mia', 'Passing')
        const stored = async () =>
          (
            await sql<{ body: Entity }>(
              `SELECT body FROM household_feed WHERE household_id = $1 AND id = 'odd'`,
            )
          )[0]?.body
        await until(async () => (await stored()) !== undefined)
        const body = await stored()
        assert.ok(body && hlcMs(latestEdit(body)) <= Date.now() + MAX_AHEAD_MS)
        await until(async () => (await sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')).length === 1)
        // Withdrawals and deletions of the cloud count although the hub's clock says they are of the past.
        assert.equal((await ask('DELETE', '/calendar/odd')).status < 300, true)
        const isThere = () => hub.store.get(`SELECT 1 FROM calendar_event WHERE id = 'odd'`) !== undefined
        if (years < 0) await until(() => !isThere())
        else {
          const after = await stored()
          assert.ok(after && isDeleted(after))
        }
      },
    )

  test('a deleted session takes the numbers of its players with it', TIME, async (t) => {
    const { hub, sql } = await setup(t)
    await hub.sync.choose('mia', [{ class: 'training', raw: false }])
    await hub.store.write([
      {
        sql: `INSERT INTO session (id, title, session_type, started_at, ended_at, created_at, updated_at) VALUES ('s1', 'Cup', 'match', 1, 2, 1, 1)`,
      },
      {
        sql: `INSERT INTO session_player (session_key, person_key, kpis) SELECT s.key, p.key, '{"m":1}' FROM session s, person p WHERE p.id = 'mia'`,
      },
    ])
    const kpis = () =>
      sql<{ isGone: boolean }>(`SELECT body IS NULL AS "isGone" FROM session_kpi WHERE household_id = $1`)
    await until(async () => (await kpis()).length === 1)
    await hub.store.write([{ sql: `DELETE FROM session WHERE id = 's1'` }])
    await until(async () => (await kpis())[0]?.isGone === true)
    const sessions = await sql<{ isGone: boolean }>(
      `SELECT body IS NULL AS "isGone" FROM session WHERE household_id = $1`,
    )
    assert.deepEqual(sessions, [{ isGone: true }])
  })

  test(
    'what the cloud has held for a month leaves the feed, and a cloud that lost it is sent it again',
    TIME,
    async (t) => {
      let offMs = 0
      const { hub, sql } = await setup(t, { clock: clockAt({ offMs: () => offMs, passes: () => true }) })
      await hub.sync.choose('mia', [{ class: 'wellness', raw: true }])
      await packDays(hub, 2)
      for (let hour = 0; hour < 5; hour += 1) await hub.addHour('mia', START + hour * HOUR_MS)
      const hours = () => sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')
      await until(() => isDrained(hub))
      const many = (await hours()).length
      const kept = () =>
        hub.store.get<{ many: number }>(`SELECT count(*) AS many FROM sync_feed WHERE lane <> 'now'`)?.many ??
        -1
      assert.ok(kept() > many)
      await hub.store.write([{ sql: 'DELETE FROM sync_mark' }])
      await until(() => hub.store.get('SELECT 1 FROM sync_mark') !== undefined)
      offMs = 31 * DAY_MS
      await until(() => kept() < 10)
      offMs = 0
      await sql('DELETE FROM rollup_hour WHERE household_id = $1')
      await sql('DELETE FROM raw_chunk WHERE household_id = $1')
      await sql(
        'UPDATE hub_lane SET watermark = 0, token = NULL, previous_token = NULL WHERE household_id = $1',
      )
      await hub.addHour('mia', START + 9 * HOUR_MS)
      await until(async () => (await hours()).length > many)
      await hub.store.write([{ sql: `UPDATE sealed_day SET chunk = chunk WHERE day = ${START}` }])
      await until(async () => (await sql('SELECT 1 FROM raw_chunk WHERE household_id = $1')).length === 2)
    },
  )

  test(
    'deletions are forgotten after four hundred days, unless a hub was away for as long',
    TIME,
    async (t) => {
      const { ask, sql, hub } = await setup(t)
      const fields = {
        title: 'Old',
        group: 'team',
        event_type: 'match',
        start_at: START,
        end_at: START + HOUR_MS,
      }
      await ask('POST', '/calendar', { id: 'old', subject: null, fields })
      await ask('DELETE', '/calendar/old')
      await hub.sync.choose('mia', [{ class: 'wellness', raw: false }])
      await until(() => isDrained(hub))
      const rows = () => sql(`SELECT 1 FROM household_feed WHERE household_id = $1 AND id = 'old'`)
      const laterMs = Date.now() + 401 * DAY_MS
      await sweep(world.running.cloud, laterMs)
      assert.equal((await rows()).length, 1)
      await sql('UPDATE hub SET last_seen_at = $2 WHERE household_id = $1', laterMs)
      await sweep(world.running.cloud, laterMs)
      assert.equal((await rows()).length, 0)
    },
  )
})
