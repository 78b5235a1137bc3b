import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { hlcAt, hlcMs, MAX_AHEAD_MS } from '../../sync/clock.ts'
import { failpointsFrom } from '../../sync/failpoint.ts'
import { packRollups } from '../../sync/pack.ts'
import { sealJson } from '../../sync/seal.ts'
import { newSigningKey, rotationText, signText } from '../../sync/signing.ts'
import { LIMITS, PATHS } from '../../sync/wire.ts'
import { registerHub, type TestHub } from './hub.ts'
import { startPostgres, type TestPostgres, withoutPostgres } from './postgres.ts'
import { hourOf, hourRow, type TestCloud, testCloud } from './setup.ts'

const HOUR_MS = 3_600_000
const START = Date.UTC(2026, 2, 13)

describe('the cloud takes what hubs send', { skip: withoutPostgres() }, () => {
  let postgres: TestPostgres
  let at: TestCloud
  let hub: TestHub
  before(async () => {
    postgres = await startPostgres()
    at = await testCloud(postgres)
    hub = await at.hub((await at.household()).id)
  })
  after(async () => {
    await at.close()
    await postgres.stop()
  })
  const fresh = async () => at.hub((await at.household()).id)
  const hours = (one: TestHub) =>
    at.sql<{ start: number; n: string; seq: string; epoch: number }>(
      'SELECT start, n, seq, epoch FROM rollup_hour WHERE hub_id = $1 ORDER BY start',
      [one.id],
    )

  test('a batch lands once, however often and however cut it is sent again', async () => {
    const one = await fresh()
    const rows = [1, 2, 3, 4].map((seq) => hourRow(seq, START + seq * HOUR_MS))
    const first = await one.sync({ rows: rows.slice(0, 3) })
    assert.deepEqual([first.status, first.signed, first.body.watermark], [200, true, 3])
    // The acknowledgement was lost: the hub sends again, cut elsewhere.
    const again = await one.sync({ rows })
    assert.deepEqual([again.status, again.body.watermark], [200, 4])
    assert.equal((await hours(one)).length, 4)
    const third = await one.sync({ prev: 4, token: again.body.token, rows: [] })
    assert.deepEqual([third.status, third.body.watermark, third.body.token], [200, 4, again.body.token])
  })

  test('packed roll-ups land as rows do', async () => {
    const one = await fresh()
    const pack = packRollups(
      'rollup_hour',
      [1, 2].map((seq) => ({ seq, body: hourOf(START + seq * HOUR_MS) })),
    )
    const heard = await one.push('state', [], { rollups: [pack] })
    assert.deepEqual([heard.status, heard.body.watermark], [200, 2])
    const [row] = await at.sql<{ max: string; bins: Buffer }>(
      'SELECT max, bins FROM rollup_hour WHERE hub_id = $1',
      [one.id],
    )
    assert.deepEqual([Number(row?.max), row?.bins], [121, Buffer.from([1, 2, 3])])
  })

  test('large batches, which are loaded another way, land once and keep the newer rows too', async () => {
    const one = await fresh()
    const rows = (n: number, from: number) =>
      Array.from({ length: 400 }, (_, index) => ({
        ...hourRow(from + index, START + index * HOUR_MS, { n, device: `wa\\tch\t${index % 2}` }),
        key: `h${index}`,
      }))
    assert.equal((await one.push('state', rows(10, 1))).status, 200)
    assert.equal((await one.push('state', rows(20, 401))).status, 200)
    const late = await one.push(
      'state',
      [...rows(10, 1), { ...hourRow(801, START, { device: 'a\0b' }), key: 'poison' }],
      {
        upto: 801,
      },
    )
    assert.deepEqual([late.status, late.body.quarantined.length], [422, 1])
    const stored = await at.sql<{ n: number; device: string; bins: Buffer }>(
      'SELECT n::int AS n, device, bins FROM rollup_hour WHERE hub_id = $1',
      [one.id],
    )
    assert.equal(stored.length, 400)
    assert.ok(
      stored.every(({ n, device, bins }) => n === 20 && /^wa\\tch\t[01]$/.test(device) && bins.length === 3),
    )
  })

  test('an older copy that comes late changes nothing', async () => {
    const one = await fresh()
    await one.push('state', [hourRow(5, START, { n: 100 })])
    const heard = await one.push('state', [hourRow(2, START, { n: 50 })], { upto: 5 })
    assert.equal(heard.status, 200)
    assert.deepEqual(
      (await hours(one)).map(({ n, seq }) => [Number(n), Number(seq)]),
      [[100, 5]],
    )
  })

  test('a row that is gone on the hub stays as a mark, and does not come back by a late copy', async () => {
    const one = await fresh()
    const alert = {
      subject: 'mia',
      episode: null,
      kind: 'tip',
      class: 'wellness',
      state: 'open',
      created_at: START,
      acknowledged_at: null,
    }
    const row = { kind: 'alert', v: 1, key: 'a1' }
    await one.push('now', [{ ...row, seq: 1, body: alert }])
    await one.push('now', [{ ...row, seq: 2, body: null }])
    await one.push('now', [{ ...row, seq: 1, body: alert }], { upto: 2 })
    assert.deepEqual(await at.sql('SELECT body, seq::int AS seq FROM alert WHERE hub_id = $1', [one.id]), [
      { body: null, seq: 2 },
    ])
  })

  test('a poison row is set aside, told of with 422, and the lane moves on', async () => {
    const one = await fresh()
    const heard = await one.push('state', [
      hourRow(1, START),
      { seq: 2, kind: 'rollup_hour', v: 1, key: 'x', body: { subject: 'mia' } },
      {
        seq: 3,
        kind: 'session',
        v: 1,
        key: 's1',
        body: { session_type: 'match', title: 'a\0b', group: null, started_at: 1, ended_at: null },
      },
      { seq: 4, kind: 'alert', v: 1, key: 'wrong-lane', body: {} },
      hourRow(5, START + HOUR_MS, { sum: 2 ** 60 }),
      hourRow(6, START + 2 * HOUR_MS),
    ])
    assert.deepEqual([heard.status, heard.signed, heard.body.watermark], [422, true, 6])
    assert.deepEqual(heard.body.quarantined.map(({ seq }: { seq: number }) => seq).sort(), [2, 3, 4, 5])
    assert.equal((await hours(one)).length, 2)
    const kept = await at.sql('SELECT FROM sync_quarantine WHERE hub_id = $1', [one.id])
    assert.equal(kept.length, 4)
  })

  test('kinds and fields of next year are kept as they came', async () => {
    const one = await fresh()
    const body = { subject: 'mia', dream: { vivid: true } }
    await one.push('state', [{ seq: 1, kind: 'dream', v: 7, key: 'd1', body }])
    assert.deepEqual(await at.sql('SELECT kind, v, body FROM other_row WHERE hub_id = $1', [one.id]), [
      { kind: 'dream', v: 7, body },
    ])
    const session = {
      session_type: 'match',
      title: null,
      group: null,
      started_at: 1,
      ended_at: null,
      weather: 'rain',
    }
    await one.push('state', [{ seq: 2, kind: 'session', v: 2, key: 's1', body: session }])
    assert.deepEqual(await at.sql('SELECT body FROM session WHERE hub_id = $1', [one.id]), [
      { body: session },
    ])
  })

  test('bulk rows lie in the partition of their month, and old months are dropped whole', async () => {
    const one = await fresh()
    const chunk = (seq: number, start: number) => ({
      seq,
      kind: 'raw_chunk',
      v: 1,
      key: `mia:w:heart_rate:${start}`,
      body: {
        subject: 'mia',
        device: 'w',
        metric: 'heart_rate',
        start,
        end: start + 1,
        n: 1,
        codec: 'series-1+br',
        enc: 'AAAA',
      },
    })
    const days = [Date.UTC(2026, 0, 5), Date.UTC(2026, 1, 5), Date.UTC(1971, 0, 1)]
    const heard = await one.push(
      'bulk',
      days.map((start, index) => chunk(index + 1, start)),
    )
    assert.equal(heard.status, 200)
    const places = () =>
      at.sql<{ place: string }>(
        'SELECT tableoid::regclass::text AS place FROM raw_chunk WHERE hub_id = $1 ORDER BY 1',
        [one.id],
      )
    assert.deepEqual(
      (await places()).map(({ place }) => place),
      ['raw_chunk_2026_01', 'raw_chunk_2026_02', 'raw_chunk_other'],
    )
    await at.cloud.parts.months.drop(Date.UTC(2026, 1, 1))
    assert.deepEqual(
      (await places()).map(({ place }) => place),
      ['raw_chunk_2026_02', 'raw_chunk_other'],
    )
  })

  test('a cloud that was restored says where it stands, and is healed by the rows after that', async () => {
    const one = await fresh()
    for (const seq of [1, 2, 3]) await one.push('state', [hourRow(seq, START + seq * HOUR_MS)])
    const [backup] = await at.sql<Record<string, unknown>>('SELECT * FROM hub_lane WHERE hub_id = $1', [
      one.id,
    ])
    for (const seq of [4, 5]) await one.push('state', [hourRow(seq, START + seq * HOUR_MS)])
    await at.sql('DELETE FROM rollup_hour WHERE hub_id = $1 AND seq > 3', [one.id])
    await at.sql(
      'UPDATE hub_lane SET watermark = 3, token = $2, previous_token = $3, recent = $4 WHERE hub_id = $1',
      [one.id, backup?.['token'], backup?.['previous_token'], backup?.['recent']],
    )
    const told = await one.push('state', [hourRow(6, START + 6 * HOUR_MS)])
    assert.deepEqual([told.status, told.signed, told.body.reason, told.body.watermark], [409, true, 'gap', 3])
    const healed = await one.sync({
      prev: told.body.watermark,
      token: told.body.token,
      rows: [4, 5, 6].map((seq) => hourRow(seq, START + seq * HOUR_MS)),
    })
    assert.equal(healed.body.watermark, 6)
    assert.equal((await hours(one)).length, 6)
  })

  test('a hub restored from yesterday is told, begins a new epoch and shrinks nothing', async () => {
    const one = await fresh()
    await one.push('state', [hourRow(1, START, { n: 3600 })])
    const yesterday = { ...one.lanes.get('state') }
    for (const seq of [2, 3, 4]) await one.push('state', [hourRow(seq, START + seq * HOUR_MS)])
    // It comes back with an old card, and has meanwhile used the same numbers for other rows.
    const told = await one.sync({ ...yesterday, rows: [hourRow(2, START + 9 * HOUR_MS)] })
    assert.deepEqual([told.status, told.body.reason, told.body.next_epoch], [409, 'rolled_back', 2])
    assert.equal((await one.sync({ ...yesterday, max_seq: 2, rows: [] })).body.reason, 'rolled_back')
    one.epoch = told.body.next_epoch
    one.lanes.clear()
    const again = await one.push('state', [hourRow(1, START, { n: 1200 }), hourRow(2, START + 9 * HOUR_MS)])
    assert.deepEqual([again.status, again.body.watermark], [200, 2])
    const stored = await hours(one)
    assert.equal(stored.length, 5)
    assert.equal(Number(stored[0]?.n), 3600, 'the fuller hour stays')
    one.epoch = 1
    assert.equal((await one.sync({ ...yesterday })).body.reason, 'rolled_back')
  })

  test('a hub restored to just before its last acknowledgement is known by the hash of its rows', async () => {
    const one = await fresh()
    await one.push('state', [hourRow(1, START)])
    const before = { ...one.lanes.get('state') }
    await one.push('state', [hourRow(2, START + HOUR_MS)])
    const told = await one.sync({ ...before, rows: [hourRow(2, START + 5 * HOUR_MS)] })
    assert.equal(told.body.reason, 'rolled_back')
    const repeated = await one.sync({ ...before, rows: [hourRow(2, START + HOUR_MS)] })
    assert.equal(repeated.status, 200)
  })

  test('two machines with one identity are told so', async () => {
    const one = await fresh()
    await one.push('state', [hourRow(1, START)])
    const clone = { ...one.lanes.get('state') }
    await one.push('state', [hourRow(2, START + HOUR_MS)])
    await one.push('state', [hourRow(3, START + HOUR_MS)])
    const told = await one.sync({ ...clone, rows: [hourRow(2, START + 7 * HOUR_MS)] })
    assert.equal(told.body.reason, 'rolled_back')
    // The original goes on before the clone begins its new epoch.
    assert.equal((await one.push('state', [hourRow(4, START + 4 * HOUR_MS)])).status, 200)
    const begun = await one.sync({ epoch: told.body.next_epoch, rows: [hourRow(2, START + 7 * HOUR_MS)] })
    assert.deepEqual([begun.status, begun.body.reason], [409, 'forked'])
    assert.equal(
      (await one.push('state', [hourRow(5, START + 5 * HOUR_MS)])).status,
      200,
      'the original goes on',
    )
  })

  test('an original that comes back after its clone took over is told so', async () => {
    const one = await fresh()
    await one.push('state', [hourRow(1, START)])
    const clone = { ...one.lanes.get('state') }
    await one.push('state', [hourRow(2, START)])
    await one.push('state', [hourRow(3, START)])
    const told = await one.sync({ ...clone, rows: [] })
    assert.equal((await one.sync({ epoch: told.body.next_epoch, rows: [] })).status, 200)
    assert.equal((await one.push('state', [hourRow(4, START)])).body.reason, 'forked')
  })

  test('a transaction that ends before its commit leaves nothing, one that ends after it is acknowledged the next time', async () => {
    const one = await fresh()
    for (const [place, stored] of [
      ['cloud.before-commit', 0],
      ['cloud.after-commit', 1],
    ] as const) {
      const failing = await at.another({
        failpoints: failpointsFrom(`${place}:1`, (name) => {
          throw new Error(name)
        }),
      })
      const row = hourRow(1, START)
      const rowsBefore = (await hours(one)).length
      const rotten = (await one.sync({ rows: [row] }, { door: failing.http })).status
      assert.equal(rotten, 503)
      assert.equal((await hours(one)).length - rowsBefore, stored, place)
      const again = await one.sync({ rows: [row] })
      assert.deepEqual([again.status, again.body.watermark], [200, 1])
      assert.equal((await hours(one)).length, 1)
      await at.sql('DELETE FROM rollup_hour WHERE hub_id = $1', [one.id])
      await at.sql('DELETE FROM hub_lane WHERE hub_id = $1', [one.id])
    }
  })

  test('two instances behind a round-robin are one service', async () => {
    const second = await at.another()
    let turn = 0
    const door = {
      inject: (...args: unknown[]) => [at.cloud.http, second.http][turn++ % 2]!.inject(...(args as [])),
    }
    const one = await at.hub((await at.household()).id, door as TestCloud['cloud']['http'])
    for (let seq = 1; seq <= 10; seq += 1) {
      const heard = await one.push('state', [hourRow(seq, START + seq * HOUR_MS)])
      assert.deepEqual([heard.status, heard.signed], [200, true])
    }
    assert.equal((await hours(one)).length, 10)
    const clash = await Promise.all([1, 2, 3, 4].map(() => one.push('now', [])))
    assert.deepEqual(
      clash.map(({ status }) => status),
      [200, 200, 200, 200],
    )
  })

  test('the service lives on when its connections to Postgres are cut', async () => {
    const one = await fresh()
    assert.equal((await one.push('state', [hourRow(1, START)])).status, 200)
    assert.ok((await postgres.killBackends(at.url)) > 0)
    const statuses = []
    for (let tries = 0; tries < 5; tries += 1)
      statuses.push((await one.push('state', [hourRow(2, START + HOUR_MS)])).status)
    assert.equal(statuses.at(-1), 200)
    assert.ok(statuses.every((status) => status === 200 || status === 503))
    assert.equal((await hours(one)).length, 2)
  })

  test('personal values come sealed, keys are kept apart and handed to the other hubs of the household', async () => {
    const household = (await at.household()).id
    const [one, two] = [await at.hub(household), await at.hub(household)]
    const key = randomBytes(32)
    const entity = { subject: 'mia', fields: { name: [sealJson(key, 'mia', 'Mia'), hlcAt(1, one.id)] } }
    await one.push('now', [
      {
        seq: 1,
        kind: 'subject_key',
        v: 1,
        key: 'mia',
        body: { subject: 'mia', key: key.toString('base64') },
      },
      { seq: 2, kind: 'person', v: 1, key: 'mia', body: entity },
    ])
    await two.push('now', [
      {
        seq: 1,
        kind: 'subject_key',
        v: 1,
        key: 'mia',
        body: { subject: 'mia', key: randomBytes(32).toString('base64') },
      },
    ])
    const heard = await two.ask('GET', PATHS.keys)
    assert.deepEqual(heard.body.keys, { mia: key.toString('base64') }, 'the first key is the one')
    const [feed] = await at.sql<{ body: object }>(`SELECT body FROM household_feed WHERE household_id = $1`, [
      household,
    ])
    assert.deepEqual(feed?.body, JSON.parse(JSON.stringify(entity)))
    assert.doesNotMatch(JSON.stringify(feed), /Mia/)
  })

  test('edits of two hubs meet field by field, and a wild clock is set to what is believed', async () => {
    const household = (await at.household()).id
    const [one, two] = [await at.hub(household), await at.hub(household)]
    const nowMs = at.clock.now()
    const event = (fields: object) => ({ subject: null, fields })
    const row = { seq: 1, kind: 'calendar', v: 1, key: 'e1' }
    await one.push('now', [
      { ...row, body: event({ title: ['Passing', hlcAt(nowMs, 'a')], start: [1, hlcAt(nowMs, 'a')] }) },
    ])
    await two.push('now', [
      {
        ...row,
        body: event({ title: ['Pressing', hlcAt(nowMs + 1, 'b')], end: [5, hlcAt(nowMs + 9e11, 'b')] }),
      },
    ])
    await one.push('now', [{ ...row, body: event({ title: ['Passing', hlcAt(nowMs, 'a')] }) }], { upto: 1 })
    const [feed] = await at.sql<{ body: { fields: Record<string, [unknown, string]> }; hlc: string }>(
      `SELECT body, hlc FROM household_feed WHERE household_id = $1`,
      [household],
    )
    assert.deepEqual(
      Object.fromEntries(Object.entries(feed?.body.fields ?? {}).map(([name, [value]]) => [name, value])),
      {
        title: 'Pressing',
        start: 1,
        end: 5,
      },
    )
    assert.equal(hlcMs(feed?.hlc ?? ''), nowMs + MAX_AHEAD_MS)
  })

  test('an erasure takes everything about the person, and what comes later is acknowledged and dropped', async () => {
    const household = (await at.household()).id
    const [one, two] = [await at.hub(household), await at.hub(household)]
    const team = {
      subject: null,
      fields: {
        name: ['U12', hlcAt(1, 'a')],
        'member:mia': ['player', hlcAt(1, 'a')],
        'member:ben': ['player', hlcAt(1, 'a')],
      },
    }
    const consent = { subject: 'mia', grant: null, revoked: hlcAt(1, 'a') }
    await one.push('state', [hourRow(1, START), hourRow(2, START, { subject: 'ben' })])
    await one.push('now', [
      {
        seq: 3,
        kind: 'subject_key',
        v: 1,
        key: 'mia',
        body: { subject: 'mia', key: randomBytes(32).toString('base64') },
      },
      { seq: 4, kind: 'person', v: 1, key: 'mia', body: { subject: 'mia', fields: {} } },
      { seq: 5, kind: 'group', v: 1, key: 'u12', body: team },
      { seq: 6, kind: 'consent', v: 1, key: 'c1', body: consent },
    ])
    const erasure = { subject: 'mia', requested_at: START, requested_by: `hub:${two.id}` }
    assert.equal(
      (await two.push('now', [{ seq: 1, kind: 'erasure', v: 1, key: 'mia', body: erasure }])).status,
      200,
    )

    // The other hub was away and still has rows of hers.
    const late = await one.push('state', [hourRow(7, START + HOUR_MS), hourRow(8, START, { subject: 'ben' })])
    assert.deepEqual([late.status, late.body.watermark, late.body.dropped], [200, 8, 1])
    await one.push('now', [
      {
        seq: 9,
        kind: 'person',
        v: 1,
        key: 'mia',
        body: { subject: 'mia', fields: { name: ['Mia', hlcAt(9e12, 'a')] } },
      },
      {
        seq: 10,
        kind: 'group',
        v: 1,
        key: 'u12',
        body: { ...team, fields: { 'member:mia': ['player', hlcAt(5, 'a')] } },
      },
      {
        seq: 11,
        kind: 'subject_key',
        v: 1,
        key: 'mia',
        body: { subject: 'mia', key: randomBytes(32).toString('base64') },
      },
      { seq: 12, kind: 'erasure_done', v: 1, key: 'mia', body: { subject: 'mia', purged_at: START } },
    ])
    const subjects = await at.sql<{ subject: string }>(
      'SELECT DISTINCT subject FROM rollup_hour WHERE household_id = $1',
      [household],
    )
    assert.deepEqual(subjects, [{ subject: 'ben' }])
    const feed = await at.sql<{ kind: string; id: string; body: unknown }>(
      'SELECT kind, id, body FROM household_feed WHERE household_id = $1 ORDER BY kind',
      [household],
    )
    assert.deepEqual(
      feed.map(({ kind }) => kind),
      ['erasure', 'group'],
    )
    assert.doesNotMatch(JSON.stringify(feed[1]), /mia/)
    assert.deepEqual(await at.sql('SELECT FROM vault.subject_key WHERE household_id = $1', [household]), [])
    const status = await one.ask('GET', PATHS.status)
    assert.deepEqual(
      status.body.erasures.map((e: { hubs_waiting: string[] }) => e.hubs_waiting),
      [[two.id]],
    )
    assert.equal(status.body.lanes.length, 2)
  })

  test('an unsigned, foreign, stale or altered request is refused before anything is read', async () => {
    const path = PATHS.status
    assert.equal((await hub.ask('GET', path, undefined, { key: newSigningKey() })).body.reason, 'signature')
    assert.equal((await hub.ask('GET', path, undefined, { hub: 'nobody' })).body.reason, 'unknown_hub')
    assert.equal((await at.cloud.http.inject({ method: 'GET', url: path })).statusCode, 401)
    const stranger = await at.hub((await at.household()).id)
    const foreign = await stranger.sync({ hub: hub.id, rows: [hourRow(1, START)] })
    assert.equal(foreign.status, 400)
  })

  test('a hub whose clock is ten years off gets a challenge that makes its time not matter', async () => {
    const timeMs = at.clock.now() - 10 * 365 * 86_400_000
    const told = await hub.ask('GET', PATHS.status, undefined, { timeMs })
    assert.deepEqual(
      [told.status, told.body.reason, told.signed, told.body.server_time],
      [401, 'clock', true, at.clock.now()],
    )
    const nonce = told.body.challenge
    assert.equal((await hub.ask('GET', PATHS.status, undefined, { timeMs, nonce })).status, 200)
    const other = await at.hub((await at.household()).id)
    assert.equal((await other.ask('GET', PATHS.status, undefined, { timeMs, nonce })).status, 401)
    at.clock.advance(6 * 60_000)
    assert.equal((await hub.ask('GET', PATHS.status, undefined, { timeMs, nonce })).status, 401)
  })

  test('a code joins one hub, repeats its answer, and is refused for another', async () => {
    const { parts } = at.cloud
    const { addCode } = await import('../../sync/cloud/households.ts')
    const { code } = await addCode(parts.base.owner, parts.key, hub.household, at.clock.now())
    const key = newSigningKey()
    const deps = { door: at.cloud.http, code: code.toLowerCase(), now: () => at.clock.now() }
    const first = await registerHub(deps, key)
    assert.equal((await registerHub(deps, key)).id, first.id)
    await assert.rejects(registerHub(deps), /wrong, spent/)
    const late = await addCode(parts.base.owner, parts.key, hub.household, at.clock.now() - 25 * HOUR_MS)
    await assert.rejects(registerHub({ ...deps, code: late.code }), /wrong, spent/)
  })

  test('a hub changes its key, and may repeat that when the answer was lost', async () => {
    const one = await fresh()
    const fresher = newSigningKey()
    const proof = signText(fresher.pem, rotationText(one.id, one.key.publicKey, fresher.publicKey))
    const body = { public_key: fresher.publicKey, proof }
    assert.equal((await one.ask('POST', PATHS.register, body)).status, 200)
    assert.equal((await one.ask('POST', PATHS.register, body)).status, 200, 'with the old key, once more')
    assert.equal((await one.ask('GET', PATHS.status)).status, 401, 'the old key is good for nothing else')
    assert.equal((await one.ask('GET', PATHS.status, undefined, { key: fresher })).status, 200)
  })

  test('bombs, oversized batches and other versions are refused with words for each', async () => {
    const bomb = gzipSync(Buffer.alloc(LIMITS.inflatedBytes + 1))
    const heard = await hub.ask(
      'POST',
      PATHS.sync,
      {},
      { raw: bomb, headers: { 'content-encoding': 'gzip' } },
    )
    assert.deepEqual([heard.status, heard.body.reason], [413, 'too_large'])
    const large = await hub.ask('POST', PATHS.sync, {}, { raw: randomBytes(LIMITS.compressedBytes + 1) })
    assert.equal(large.status, 413)
    const rows = Array.from({ length: LIMITS.rows + 1 }, () => 0)
    assert.equal((await hub.sync({ rows })).status, 413)
    const packed = packRollups(
      'rollup_hour',
      rows.map((_, seq) => ({ seq: seq + 1, body: hourOf(START) })),
    )
    assert.equal((await hub.sync({ rollups: [packed] })).status, 413)
    assert.equal((await hub.sync({ schema: 99 })).status, 426)
    assert.equal((await hub.ask('POST', PATHS.sync, {}, { raw: brotliCompressSync('no json') })).status, 400)
  })

  test('versions from two back to this one are taken', async () => {
    const newer = await at.another({ schemaMin: 3, schemaMax: 5 })
    for (const [schema, status] of [
      [2, 426],
      [3, 200],
      [5, 200],
      [6, 426],
    ] as const)
      assert.equal((await hub.sync({ lane: 'bulk', schema }, { door: newer.http })).status, status)
  })

  test('a hub that asks too often is told how long to wait', async () => {
    const strict = await at.another({ hubPerMinute: 1 })
    const statuses = new Set<number>()
    for (let tries = 0; tries < 210; tries += 1)
      statuses.add((await hub.sync({ lane: 'bulk' }, { door: strict.http })).status)
    assert.deepEqual([...statuses].sort(), [200, 429])
  })

  test('row-level security holds although the SQL forgets the household', async () => {
    const mine = (await at.household()).id
    const { base } = at.cloud.parts
    await assert.rejects(
      base.household(mine, (queries) =>
        queries.query(`INSERT INTO erasure VALUES ('${hub.household}', 'x', 1, 'y', 1)`),
      ),
      /row-level security/,
    )
    await hub.push('state', [hourRow(1, START)])
    const tables = [
      'rollup_hour',
      'hub_lane',
      'hub',
      'household_feed',
      'sync_quarantine',
      'vault.subject_key',
    ]
    for (const table of tables) {
      const { rows } = await base.household(mine, (queries) => queries.query(`SELECT * FROM ${table}`))
      assert.deepEqual(rows, [], table)
    }
    await assert.rejects(
      base.household(mine, (queries) => queries.query('SELECT * FROM vault.service_key')),
      /permission denied/,
    )
  })

  test('jobs are offered, taken once and answered once; another household never sees them', async () => {
    const household = (await at.household()).id
    const [one, two] = [await at.hub(household), await at.hub(household)]
    const offer = { job_id: 'job-1', kind: 'recompute_daily', params: { days: 3 } }
    assert.equal((await one.ask('POST', PATHS.process, offer)).body.state, 'offered')
    assert.equal((await one.ask('POST', PATHS.process, offer)).body.state, 'offered')
    assert.equal(
      (await two.ask('POST', PATHS.process, { job_id: 'job-1', state: 'running' })).body.hub,
      two.id,
    )
    assert.equal(
      (await one.ask('POST', PATHS.process, { job_id: 'job-1', state: 'done', result: 1 })).body.state,
      'running',
    )
    const done = await two.ask('POST', PATHS.process, { job_id: 'job-1', state: 'done', result: { km: 4 } })
    assert.deepEqual(done.body.result, { km: 4 })
    const repeated = await two.ask('POST', PATHS.process, { job_id: 'job-1', state: 'failed', result: null })
    assert.deepEqual([repeated.body.state, repeated.body.result], ['done', { km: 4 }])
    assert.equal((await hub.ask('POST', PATHS.process, { job_id: 'job-1', state: 'running' })).status, 404)
  })

  test('the publication holds plain tables with the full identity only', async () => {
    const { publicationFaults } = await import('../../sync/cloud/database.ts')
    const owner = at.cloud.parts.base.owner
    assert.deepEqual(await publicationFaults(owner), [])
    await at.sql('ALTER PUBLICATION electric_publication_default ADD TABLE raw_chunk, alert')
    const faults = await publicationFaults(owner)
    assert.ok(faults.some((fault) => /raw_chunk\w* is partitioned/.test(fault)))
    assert.ok(faults.includes('alert lacks REPLICA IDENTITY FULL'))
    await at.sql('ALTER PUBLICATION electric_publication_default DROP TABLE raw_chunk, alert')
  })
})
