/** What the cloud asks hubs to do: a closed list, one hub, once, answered, ended by its deadline. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EDGE_JOBS, edgeJobFault } from '../../sync/edge-jobs.ts'
import { NO_FAILPOINTS } from '../../sync/failpoint.ts'
import type { SyncPorts } from '../../sync/ports.ts'
import { withoutPostgres } from '../sync/postgres.ts'
import { cloudForHubs, type TestCloudHouse, type TestHouse } from './house.ts'
import { type SyncedHub, until } from './setup.ts'

test('only what stands in the list can be asked for, with what its kind takes', () => {
  assert.deepEqual(Object.keys(EDGE_JOBS), ['recompute_daily', 'calibrate', 'send_again', 'forecast'])
  assert.equal(edgeJobFault('recompute_daily', null, { days: 3 }), null)
  assert.equal(edgeJobFault('forecast', 'mia', { targets: ['stress'] }), null)
  assert.match(edgeJobFault('shell', null, {}) ?? '', /Hubs do/)
  assert.match(edgeJobFault('constructor', null, {}) ?? '', /Hubs do/)
  assert.match(edgeJobFault('forecast', null, {}) ?? '', /needs a subject/)
  assert.match(edgeJobFault('calibrate', 'mia', {}) ?? '', /no subject/)
  assert.match(edgeJobFault('recompute_daily', null, { days: 400 }) ?? '', /days/)
  assert.match(edgeJobFault('recompute_daily', null, { command: 'rm' }) ?? '', /params/)
})

describe('jobs of the cloud', { skip: withoutPostgres() }, () => {
  let cloud: TestCloudHouse
  before(async () => {
    cloud = await cloudForHubs()
  })
  after(() => cloud.stop())

  interface ShownJob {
    job_id: string
    state: string
    hub: string | null
    result: unknown
    declined?: string[]
  }
  const jobs = async ({ ask }: TestHouse): Promise<ShownJob[]> => (await ask('GET', '/jobs')).body.jobs
  const job = async (house: TestHouse, id: string) => (await jobs(house)).find(({ job_id }) => job_id === id)
  const idOf = (hub: SyncedHub) => hub.sync.identity()?.hubId

  test('a job is done by one hub of the household, once, and its answer is told opened in the cloud and sealed on the way', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    const runs: unknown[] = []
    const runJob = async (...[kind, personId, params]: Parameters<SyncPorts['runJob']>) => {
      runs.push([kind, personId, params])
      return { stress: 0.25 }
    }
    const [one, other] = [await house.join({ runJob }), await house.join({ runJob })]
    await one.addPerson('mia', 'Mia')
    await one.sync.choose('mia', [{ class: 'wellness', raw: false }])
    await until(() => other.store.get(`SELECT 1 FROM person WHERE id = 'mia'`) !== undefined)
    const offer = { job_id: 'j1', kind: 'forecast', subject: 'mia', params: { targets: ['stress'] } }
    for (const body of [offer, offer]) assert.equal((await house.ask('POST', '/jobs', body)).status, 202)
    await until(async () => (await job(house, 'j1'))?.state === 'done')
    assert.deepEqual(runs, [['forecast', 'mia', { targets: ['stress'] }]])
    const { result, hub } = (await job(house, 'j1')) ?? {}
    // Only the first hub lets anything of Mia leave.
    assert.deepEqual([result, hub], [{ stress: 0.25 }, idOf(one)])
    const [stored] = await house.sql<{ text: string }>(
      `SELECT body::text AS text FROM household_feed WHERE household_id = $1 AND id = 'j1'`,
    )
    assert.doesNotMatch(stored?.text ?? '', /stress/)
    await house.ask('POST', '/jobs', { job_id: 'j2', kind: 'calibrate' })
    await until(async () => (await job(house, 'j2'))?.state === 'done')
    assert.equal(runs.length, 2)
    for (const kind of ['shell', 'forecast'])
      assert.equal((await house.ask('POST', '/jobs', { job_id: 'j3', kind })).status, 400)
  })

  test('a job about somebody of whom no hub lets anything leave fails at once, and says why', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    const [one, other] = [await house.join(), await house.join()]
    await one.addPerson('mia', 'Mia')
    await one.sync.choose('mia', [{ class: 'training', raw: false }])
    const gone = await house.join()
    await house.sql('UPDATE hub SET revoked_at = 1 WHERE household_id = $1 AND id = $2', idOf(gone))
    for (const [id, subject] of [
      ['classless', 'mia'],
      ['nobody', 'leo'],
    ]) {
      await house.ask('POST', '/jobs', { job_id: id, kind: 'forecast', subject })
      await until(async () => (await job(house, id ?? ''))?.state === 'failed')
      const { result, hub, declined } = (await job(house, id ?? '')) ?? {}
      assert.match(JSON.stringify(result), /No hub of the household/)
      assert.deepEqual([hub, declined], [null, [idOf(one), idOf(other)].sort()])
    }
  })

  test('nothing of somebody of whom nothing leaves is told, and what nobody does in time has failed', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    let runs = 0
    const hub = await house.join({
      runJob: async () => {
        runs += 1
        return {}
      },
    })
    // Another hub of the household, off for weeks: it may yet do it.
    const away = await house.join()
    await away.stop()
    await hub.addPerson('mia', 'Mia')
    await hub.sync.choose('mia', [{ class: 'training', raw: false }])
    const offer = { job_id: 'private', kind: 'forecast', subject: 'mia' }
    assert.equal((await house.ask('POST', '/jobs', { ...offer, deadline: 1 })).status, 400)
    await house.ask('POST', '/jobs', offer)
    await house.ask('POST', '/jobs', { job_id: 'behind', kind: 'calibrate' })
    await until(async () => (await job(house, 'behind'))?.state === 'done')
    assert.deepEqual([runs, (await job(house, 'private'))?.state], [1, 'offered'])
    await house.sql(
      `UPDATE household_feed SET body = jsonb_set(body, '{deadline}', '1') WHERE household_id = $1 AND id = 'private'`,
    )
    const late = await job(house, 'private')
    assert.deepEqual([late?.state, late?.result], ['failed', { error: 'Nobody did it before its deadline.' }])
    await hub.sync.choose('mia', [{ class: 'wellness', raw: false }])
    await house.ask('POST', '/jobs', { job_id: 'after', kind: 'calibrate' })
    await until(async () => (await job(house, 'after'))?.state === 'done')
    assert.equal(runs, 2)
  })

  for (const place of ['hub.job-taken', 'hub.job-done'])
    test(`a hub that ends at ${place} answers once it is back, and a job that ended is not done again`, {
      timeout: 120_000,
    }, async (t) => {
      const house = await cloud.house(t)
      let runs = 0
      let hits = 0
      const runJob = async () => {
        runs += 1
        return { runs }
      }
      const failpoints = {
        hit(name: string) {
          if (name !== place) return
          hits += 1
          house.line.isUp = false
          throw new Error('ended here')
        },
      }
      let hub = await house.join({ runJob, failpoints })
      await house.ask('POST', '/jobs', { job_id: 'j1', kind: 'calibrate' })
      await until(() => hits > 0)
      assert.equal((await job(house, 'j1'))?.state, 'running')
      hub = await hub.restart({ failpoints: NO_FAILPOINTS })
      house.line.isUp = true
      t.after(() => hub.stop())
      await until(async () => (await job(house, 'j1'))?.state === 'done')
      assert.equal(runs, 1)
      // A cloud that was restored has forgotten the answer: it is told again, not made again.
      await house.sql(
        `UPDATE household_feed SET body = body || '{"state": "offered", "hub": null, "result": null, "ended_at": null}'
         WHERE household_id = $1 AND id = 'j1'`,
      )
      await until(async () => (await job(house, 'j1'))?.state === 'done')
      assert.deepEqual([runs, (await job(house, 'j1'))?.result], [1, { runs: 1 }])
    })

  test('everything of a person is sent once more when the cloud asks for it', {
    timeout: 120_000,
  }, async (t) => {
    const house = await cloud.house(t)
    const hub = await house.join()
    await hub.addPerson('mia', 'Mia')
    await hub.addHour('mia', Date.UTC(2026, 2, 13))
    await hub.sync.choose('mia', [{ class: 'wellness', raw: false }])
    const hours = () => house.sql('SELECT 1 FROM rollup_hour WHERE household_id = $1')
    await until(async () => (await hours()).length === 1)
    await house.sql('DELETE FROM rollup_hour WHERE household_id = $1')
    assert.equal((await house.ask('POST', '/jobs', { kind: 'send_again', subject: 'mia' })).status, 202)
    await until(async () => (await hours()).length === 1)
  })
})
