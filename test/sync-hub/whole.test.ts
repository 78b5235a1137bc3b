import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { addCode, addHousehold } from '../../sync/cloud/households.ts'
import { type RunningCloud, runCloud } from '../../sync/cloud/run.ts'
import { failpointsFrom, NO_FAILPOINTS } from '../../sync/failpoint.ts'
import { canonicalJson } from '../../sync/merge.ts'
import type { SyncPorts } from '../../sync/ports.ts'
import { startPostgres, type TestPostgres, withoutPostgres } from '../sync/postgres.ts'
import { HOUR_MS, SILENT, type SyncedHub, syncedHub, until } from './setup.ts'

const START = Date.UTC(2026, 2, 13)

describe('a hub and the cloud', { skip: withoutPostgres() }, () => {
  const clock = systemClock()
  let postgres: TestPostgres
  let running: RunningCloud
  let pool: pg.Pool
  /** Electric's client leaves a timer of a minute behind, which would hold the test's process for as long. */
  const setTimer = globalThis.setTimeout
  before(async () => {
    globalThis.setTimeout = Object.assign(
      (work: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) => {
        const timer = setTimer(work, ms, ...given)
        return (ms ?? 0) >= 30_000 ? timer.unref() : timer
      },
      setTimer,
    )
    postgres = await startPostgres()
    const databaseUrl = await postgres.freshDatabase()
    pool = new pg.Pool({ connectionString: databaseUrl, max: 2 })
    pool.on('error', () => {})
    running = await runCloud({
      ...{ databaseUrl, clock, log: SILENT, failpoints: NO_FAILPOINTS },
      ...{ listen: '127.0.0.1:0', shapes: 'builtin', shapesSecret: null, shapesListen: '127.0.0.1:0' },
      hubPerMinute: 1e9,
    })
  })
  after(async () => {
    await running.close()
    await pool.end()
    await postgres.stop()
    globalThis.setTimeout = setTimer
  })

  async function setup(t: TestContext) {
    const { parts, http } = running.cloud
    const { id, token } = await addHousehold(parts.base.owner, 'Home', clock.now())
    const line = { isUp: true, portal: false }
    /** The network of the house, which can be taken away, or belong to a hotel. */
    const throughTheLine: typeof fetch = async (input, init) => {
      if (!line.isUp) throw new TypeError('no network')
      return line.portal ? new Response('<html>Welcome</html>') : fetch(input, init)
    }
    const join = async (more: Partial<SyncPorts> = {}) => {
      const hub = await syncedHub({ fetch: throughTheLine, ...more })
      t.after(() => hub.stop())
      const { code } = await addCode(parts.base.owner, parts.key, id, clock.now())
      assert.deepEqual(await hub.sync.enrol(running.address, code), { household: 'Home' })
      return hub
    }
    const ask = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) => {
      const answer = await http.inject({
        ...{ method, url: `/api/household${path}`, headers: { authorization: `Bearer ${token}` } },
        ...(body ? { payload: body } : {}),
      })
      return { status: answer.statusCode, body: answer.body === '' ? null : answer.json() }
    }
    const sql = async <Row extends object>(text: string, ...values: unknown[]) =>
      (await pool.query<Row>(text, [id, ...values])).rows
    const events = async () => (await ask('GET', '/calendar')).body.calendar ?? []
    return { line, join, ask, events, sql }
  }

  test('what happened without a network is in the cloud once the network is back, each row once', {
    timeout: 30_000,
  }, async (t) => {
    const { line, join, events, sql } = await setup(t)
    const hub = await join()
    await hub.addPerson('mia', 'Mia')
    await hub.addHour('mia', START)
    await hub.sync.choose('mia', [
      { class: 'wellness', raw: false },
      { class: 'training', raw: false },
    ])
    const hours = () => sql<{ n: string }>('SELECT n FROM rollup_hour WHERE household_id = $1 ORDER BY start')
    await until(async () => (await hours()).length === 1)
    line.isUp = false
    for (let hour = 1; hour <= 30; hour += 1) await hub.addHour('mia', START + hour * HOUR_MS)
    await hub.addHour('mia', START, 1800)
    await hub.addEvent('e1', 'mia', 'Passing')
    await until(() => hub.sync.lanes.last('state').why !== null)
    line.isUp = true
    await until(async () => (await hours()).length === 31)
    assert.deepEqual((await hours())[0], { n: '1800' })
    await until(async () => (await events()).length === 1)
    const [event] = await events()
    assert.deepEqual([event.id, event.subject, event.fields.title], ['e1', 'mia', 'Passing'])
    await until(() => hub.sync.state.depth('now') + hub.sync.state.depth('state') === 0)
  })

  test('an event that a coach enters in the cloud is on the calendar of the hub, and is not sent back', {
    timeout: 30_000,
  }, async (t) => {
    const { join, ask, events, sql } = await setup(t)
    const hub = await join()
    await hub.addPerson('mia', 'Mia')
    await hub.sync.choose('mia', [{ class: 'training', raw: false }])
    await until(() => hub.sync.state.depth('now') === 0)
    const fields = { title: 'Match', event_type: 'match', start_at: START, end_at: START + HOUR_MS }
    assert.equal((await ask('POST', '/calendar', { id: 'e2', subject: 'mia', fields })).status, 201)
    const title = () =>
      hub.store.get<{ title: string }>(`SELECT title FROM calendar_event WHERE id = 'e2'`)?.title
    await until(() => title() === 'Match')
    const before = await sql(`SELECT body FROM household_feed WHERE household_id = $1 AND id = 'e2'`)
    await hub.store.write([
      { sql: `UPDATE calendar_event SET drills = '["rondo"]', updated_at = updated_at + 1 WHERE id = 'e2'` },
    ])
    await until(async () => (await events())[0]?.fields.drills?.length === 1)
    await ask('PATCH', '/calendar/e2', { fields: { title: 'Cup match' } })
    await until(() => title() === 'Cup match')
    assert.notDeepEqual(
      await sql(`SELECT body FROM household_feed WHERE household_id = $1 AND id = 'e2'`),
      before,
    )
    assert.equal(hub.sync.state.depth('now'), 0)
    await ask('DELETE', '/calendar/e2')
    await until(() => title() === undefined)
  })

  test('edits that are made while others are on their way are sent too', { timeout: 30_000 }, async (t) => {
    const { join, sql } = await setup(t)
    const hub = await join()
    await hub.addPerson('mia', 'Mia')
    await hub.sync.choose('mia', [{ class: 'training', raw: false }])
    for (let event = 0; event < 60; event += 1) {
      await hub.addEvent(`quick-${event}`, 'mia', 'Passing')
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await until(() => hub.sync.state.depth('now') === 0)
    const landed = await sql(`SELECT 1 FROM household_feed WHERE household_id = $1 AND kind = 'calendar'`)
    assert.equal(landed.length, 60)
  })

  test('what two hubs of one household and the cloud hold is the same after both were alone', {
    timeout: 30_000,
  }, async (t) => {
    const { line, join, ask, events, sql } = await setup(t)
    const one = await join()
    await one.addPerson('mia', 'Mia')
    await one.sync.choose('mia', [{ class: 'training', raw: false }])
    await one.addEvent('e3', 'mia', 'Passing')
    await until(async () => (await events()).length === 1)
    const other = await join()
    const row = (hub: SyncedHub) =>
      hub.store.get<{ title: string; type: string; startMs: number }>(
        `SELECT title, event_type AS type, start_at AS startMs FROM calendar_event WHERE id = 'e3'`,
      )
    await until(() => row(other)?.title === 'Passing')
    await other.sync.choose('mia', [{ class: 'training', raw: false }])
    line.isUp = false
    const change = (hub: SyncedHub, set: string) =>
      hub.store.write([
        { sql: `UPDATE calendar_event SET ${set}, updated_at = updated_at + 1 WHERE id = 'e3'` },
      ])
    await change(one, `title = 'Pressing'`)
    await change(other, `event_type = 'match'`)
    await ask('PATCH', '/calendar/e3', { fields: { start_at: START } })
    const stamped = (hub: SyncedHub) =>
      hub.store.get(
        `SELECT 1 FROM sync_feed WHERE kind = 'calendar' AND seq > (SELECT stamped_seq FROM sync_hub)`,
      ) === undefined
    await until(() => stamped(one) && stamped(other))
    line.isUp = true
    const whole = { title: 'Pressing', type: 'match', startMs: START }
    const isWhole = (hub: SyncedHub) => JSON.stringify(row(hub)) === JSON.stringify(whole)
    await until(() => isWhole(one) && isWhole(other))
    const body = (hub: SyncedHub) =>
      hub.store.get<{ body: string }>(`SELECT body FROM sync_entity WHERE id = 'e3'`)?.body ?? ''
    const cloud = async () =>
      canonicalJson(
        (
          await sql<{ body: object }>(`SELECT body FROM household_feed WHERE household_id = $1 AND id = 'e3'`)
        )[0]?.body,
      )
    await until(async () => body(one) === body(other) && body(one) === (await cloud()))
  })

  test('an erasure that the cloud asks for is carried out here, and confirmed there', {
    timeout: 30_000,
  }, async (t) => {
    const { join, ask, sql } = await setup(t)
    const hub = await join()
    await hub.addPerson('mia', 'Mia')
    await hub.addHour('mia', START)
    await hub.sync.choose('mia', [{ class: 'wellness', raw: false }])
    await until(async () => (await sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')).length === 1)
    const asked = await ask('POST', '/erasures', { subject: 'mia' })
    assert.ok(asked.status < 300, JSON.stringify(asked.body))
    await until(() => hub.erasing.includes('mia'))
    await hub.sync.erased('mia')
    assert.equal(hub.sync.state.subjectKey('mia'), null)
    assert.equal((await sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')).length, 0)
    await hub.addHour('mia', START + HOUR_MS)
    await until(() => hub.sync.state.depth('now') + hub.sync.state.depth('state') === 0)
    assert.equal((await sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')).length, 0)
  })

  test('an erasure asked for here while there is no network reaches the cloud, and late data never lands', {
    timeout: 30_000,
  }, async (t) => {
    const { line, join, sql } = await setup(t)
    const hub = await join()
    await hub.addPerson('mia', 'Mia')
    await hub.addHour('mia', START)
    await hub.sync.choose('mia', [{ class: 'wellness', raw: false }])
    const hours = () => sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')
    await until(async () => (await hours()).length === 1)
    line.isUp = false
    await hub.addHour('mia', START + HOUR_MS)
    await hub.store.write([{ sql: `INSERT INTO erasures (person_id, at) VALUES ('mia', 1)` }])
    await hub.sync.erased('mia')
    line.isUp = true
    hub.sync.kick()
    await until(async () => (await hours()).length === 0)
    const keys = await sql(`SELECT 1 FROM vault.subject_key WHERE household_id = $1`)
    assert.equal(keys.length, 0)
  })

  test('a portal that answers 200 to everything acknowledges nothing', { timeout: 30_000 }, async (t) => {
    const { line, join, sql } = await setup(t)
    const hub = await join()
    await hub.addPerson('mia', 'Mia')
    line.portal = true
    await hub.sync.choose('mia', [{ class: 'wellness', raw: false }])
    await hub.addHour('mia', START)
    await until(() => /not signed/.test(hub.sync.lanes.last('state').why ?? ''))
    assert.equal(hub.sync.state.lane('state').acked, 0)
    line.portal = false
    hub.sync.kick()
    await until(async () => (await sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')).length === 1)
  })

  test('a hub that ends after the cloud has committed sends again, and nothing is there twice', {
    timeout: 30_000,
  }, async (t) => {
    const { join, sql } = await setup(t)
    const hub = await join({
      failpoints: failpointsFrom('hub.before-ack:4', () => {
        throw new Error('ended here')
      }),
    })
    await hub.addPerson('mia', 'Mia')
    await hub.addHour('mia', START)
    await hub.sync.choose('mia', [{ class: 'wellness', raw: false }])
    for (let hour = 1; hour <= 5; hour += 1) {
      await hub.addHour('mia', START + hour * HOUR_MS)
      await until(
        async () => (await sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')).length === hour + 1,
      )
    }
    await until(() => hub.sync.state.depth('state') === 0)
    const sums = await sql<{ n: string }>('SELECT sum(n)::int AS n FROM rollup_hour WHERE household_id = $1')
    assert.deepEqual(sums, [{ n: 6 * 3600 }])
  })

  test('a hub brought back from an older copy begins an epoch of its own, and its new data lands', {
    timeout: 30_000,
  }, async (t) => {
    const { join, sql } = await setup(t)
    const hub = await join()
    await hub.addPerson('mia', 'Mia')
    await hub.sync.choose('mia', [{ class: 'wellness', raw: false }])
    await hub.addHour('mia', START)
    const hours = () => sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')
    await until(() => hub.sync.state.depth('state') + hub.sync.state.depth('now') === 0)
    const { acked, token } = hub.sync.state.lane('state')
    for (let hour = 1; hour <= 3; hour += 1) await hub.addHour('mia', START + hour * HOUR_MS)
    await until(async () => (await hours()).length === 4)
    await until(() => hub.sync.state.depth('state') === 0)
    await hub.store.write([
      { sql: 'DELETE FROM sync_feed WHERE seq > :acked', params: { acked } },
      { sql: `UPDATE sqlite_sequence SET seq = :acked WHERE name = 'sync_feed'`, params: { acked } },
      {
        sql: `UPDATE sync_lane SET acked = :acked, token = :token WHERE lane = 'state'`,
        params: { acked, token },
      },
    ])
    await hub.addHour('mia', START + 9 * HOUR_MS)
    await until(async () => (await hours()).length === 5)
    assert.equal(hub.sync.identity()?.epoch, 2)
  })

  for (const seed of [1, 2, 3])
    test(`a line that loses, repeats and cuts, and a hub that is ended twice, lose nothing (seed ${seed})`, {
      timeout: 60_000,
    }, async (t) => {
      const { join, sql, events } = await setup(t)
      const random = randomFrom(seed)
      const line = { isBad: true }
      const faults = { lost: 0, unheard: 0, twice: 0, cut: 0 }
      const badLine: typeof fetch = async (input, init) => {
        const isPush = String(input).endsWith('/sync')
        const dice = line.isBad && isPush ? random() : 1
        const count = (fault: keyof typeof faults) => {
          faults[fault] += 1
        }
        if (dice < 0.2) {
          count('lost')
          throw new TypeError('connection reset')
        }
        const answer = await fetch(input, init)
        if (dice < 0.4) {
          count('unheard')
          throw new TypeError('the answer was lost')
        }
        if (dice < 0.5) {
          count('twice')
          return fetch(input, init)
        }
        if (dice < 0.6) {
          count('cut')
          const bytes = Buffer.from(await answer.arrayBuffer())
          return new Response(bytes.subarray(0, bytes.length / 2), {
            status: answer.status,
            headers: answer.headers,
          })
        }
        return answer
      }
      let hub = await join({ fetch: badLine, random: () => 0.02 })
      await hub.addPerson('mia', 'Mia')
      await hub.sync.choose('mia', [
        { class: 'wellness', raw: false },
        { class: 'training', raw: false },
      ])
      const written = new Map<number, number>()
      for (let round = 0; round < 60; round += 1) {
        const hour = Math.floor(random() * 40)
        const n = 1 + Math.floor(random() * 3600)
        await hub.addHour('mia', START + hour * HOUR_MS, n)
        written.set(hour, n)
        if (round % 10 === 0) await hub.addEvent(`e${seed}-${round}`, 'mia', `Session ${round}`)
        if (round === 20 || round === 40) hub = await hub.restart()
        if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, 40))
      }
      t.after(() => hub.stop())
      line.isBad = false
      hub.sync.kick()
      await until(() => hub.sync.state.depth('now') + hub.sync.state.depth('state') === 0)
      const found = await sql<{ hour: number; n: number }>(
        `SELECT ((start - ${START}) / ${HOUR_MS})::int AS hour, n::int AS n FROM rollup_hour WHERE household_id = $1 ORDER BY start`,
      )
      assert.deepEqual(
        found,
        [...written].map(([hour, n]) => ({ hour, n })).sort((one, other) => one.hour - other.hour),
      )
      assert.equal((await events()).length, 6)
      t.diagnostic(JSON.stringify(faults))
    })
})

/** Mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
