import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { NOW, setup, sha1 } from './setup.ts'

const MINUTE = 60_000
const entry = (minutesAgo: number, sgv: number, rest: object = {}) => ({
  type: 'sgv',
  sgv,
  date: NOW - minutesAgo * MINUTE,
  ...rest,
})

interface Captured {
  id: string
  method: string
  path: string
  headers: Record<string, string>
  body: unknown
}

const fixture = (name: string) =>
  JSON.parse(readFileSync(join('test', 'fixtures', 'nightscout', name), 'utf8'))

test('what uploaders were seen to send is answered and stored as it should be', async (t) => {
  const { ask, uploader, readings, store, clock } = await setup(t)
  clock.advance(30 * MINUTE)
  const { api_secret_sha1: known, requests } = fixture('v1-requests.json')
  const { responses } = fixture('v1-requests.json.expected.json')
  for (const [index, { id, method, path, headers, body }] of (requests as Captured[]).entries()) {
    const ours = sha1(uploader.key)
    const before = (await readings()).length
    const answer = await ask(method, path.replace(known, ours), {
      ...(body === null ? {} : { body }),
      headers: JSON.parse(JSON.stringify(headers).replace(known, ours)),
    })
    const expected = responses[index]
    assert.equal(expected.id, id)
    assert.equal(answer.status, expected.status, id)
    for (const [name, value] of Object.entries(expected.json_has ?? {})) {
      const seen = name.split('.').reduce((part, key) => part?.[key], answer.body)
      assert.equal(seen, value, `${id} ${name}`)
    }
    if (expected.stored === 0) assert.equal((await readings()).length, before, id)
    for (const sample of expected.samples ?? []) {
      const found = (await readings(sample.metric)).find(({ atMs }) => atMs === Date.parse(sample.t))
      assert.equal(found?.value, sample.value, `${id} ${sample.metric}`)
      if (sample.trend) assert.equal(found?.extra?.['direction'], sample.trend)
      if (sample.device && sample.metric !== 'battery')
        assert.equal(found?.extra?.['device_id'], sample.device)
    }
    if (expected.samples_total_after) assert.equal((await readings()).length, expected.samples_total_after)
    if (expected.samples && method === 'POST' && path.includes('entries'))
      for (const { _id } of answer.body) assert.match(_id, /^[0-9a-f]{24}$/)
    if (id === 'read-back')
      assert.deepEqual(
        answer.body.map(({ sgv }: { sgv: number }) => sgv),
        [126, 125],
      )
    for (const event of expected.events ?? []) {
      const sql = `SELECT fields FROM treatment WHERE at = :atMs`
      const rows = store
        .all<{ fields: string }>(sql, { atMs: Date.parse(event.t) })
        .map(({ fields }) => JSON.parse(fields))
      if (event.kind === 'insulin') assert.equal(rows[0].insulin, event.units)
      if (event.kind === 'basal') assert.equal(rows[0].rate, event.rate_u_h)
      const meal = store.get<{ fields: string }>(
        `SELECT fields FROM record WHERE kind = 'meal' AND start_at = :atMs`,
        { atMs: Date.parse(event.t) },
      )
      if (event.kind === 'meal') assert.equal(JSON.parse(meal?.fields ?? '{}').carbs_grams, event.carbs_g)
    }
  }
})

test('who says how many readings gets the newest so many, however old they are', async (t) => {
  const { ask, uploader } = await setup(t)
  const headers = { 'api-secret': sha1(uploader.key) }
  const days = (count: number) => count * 24 * 60
  await ask('POST', '/api/v1/entries', { headers, body: [entry(days(200), 101), entry(days(9), 102)] })
  const read = async (query: string) =>
    (await ask('GET', `/api/v1/entries/sgv.json${query}`, { headers })).body.map(
      ({ sgv }: { sgv: number }) => sgv,
    )
  assert.deepEqual(await read('?count=1'), [102])
  assert.deepEqual(await read('?count=5'), [102, 101])
  assert.deepEqual(await read(''), [], 'four days unless asked')
})

test('a key works in every place where an uploader may put it, and a foreign one in none', async (t) => {
  const { ask, uploader } = await setup(t)
  const { key } = uploader
  const status = async (url: string, headers: object) => (await ask('GET', url, { headers })).status
  const path = '/api/v1/entries.json'
  assert.equal(await status(path, { 'api-secret': sha1(key) }), 200)
  assert.equal(await status(path, { 'api-secret': sha1(key).toUpperCase() }), 200)
  assert.equal(await status(path, { 'api-secret': key }), 200)
  assert.equal(await status(path, { 'x-api-key': key }), 200)
  assert.equal(await status(path, { authorization: `Bearer ${key}` }), 200)
  assert.equal(await status(`${path}?token=${key}`, {}), 200)
  assert.equal(await status(`${path}?secret=${sha1(key)}`, {}), 200)
  assert.equal(await status(path, {}), 401)
  assert.equal(await status(path, { 'api-secret': sha1(`${key}x`) }), 401)
  assert.equal(await status(path, { 'api-secret': 'this is my long pass phrase' }), 401)
  assert.equal(await status('/api/v1/people', { 'api-secret': sha1(key) }), 401)
})

test('a token of API v3 serves for an hour, and no longer than its uploader', async (t) => {
  const { ask, uploader, clock, call, owner } = await setup(t)
  const asked = await ask('GET', `/api/v2/authorization/request/${uploader.key}`, { headers: {} })
  assert.equal(asked.body.exp - asked.body.iat, 3600)
  const headers = { authorization: `Bearer ${asked.body.token}` }
  const status = async () => (await ask('GET', '/api/v3/status', { headers })).status
  assert.equal(await status(), 200)
  const forged = { authorization: `Bearer ${asked.body.token.slice(0, -4)}AAAA` }
  assert.equal((await ask('GET', '/api/v3/status', { headers: forged })).status, 401)
  await call('DELETE', `/devices/${uploader.id}`, { token: owner })
  assert.equal(await status(), 401)
  clock.advance(3_601_000)
  assert.equal(await status(), 401)
})

test('an uploader sees its one person and nobody else, and other devices see nobody', async (t) => {
  const { ask, add, readings } = await setup(t)
  await ask('POST', '/api/v1/entries', { body: [entry(5, 111)] })
  const leos = await add({ type: 'integration', name: 'of Leo', person_id: 'leo' })
  assert.deepEqual((await ask('GET', '/api/v1/entries.json', { key: leos.key })).body, [])
  await ask('POST', '/api/v1/entries', { key: leos.key, body: [entry(4, 99)] })
  assert.deepEqual(
    (await readings()).map(({ value }) => value),
    [111],
  )
  const several = await add({ type: 'integration', name: 'both', person_id: 'leo', serves: ['mia'] })
  assert.equal((await ask('GET', '/api/v1/entries.json', { key: several.key })).status, 403)
  const watch = await add({ type: 'watch', name: 'Watch', person_id: 'mia' })
  assert.equal(
    (await ask('GET', '/api/v1/entries.json', { headers: { 'x-api-key': watch.key } })).status,
    403,
  )
})

test('an upload with bad items keeps the good ones, answers 200 and says in quarantine why', async (t) => {
  const { ask, readings, quarantined } = await setup(t)
  const sent = [
    entry(10, 100),
    entry(-120, 100),
    entry(9, 5),
    entry(8, 900),
    { type: 'sgv', sgv: 'x', date: NOW },
    { type: 'cal', slope: 900, date: NOW },
    'nonsense',
    { ...entry(7, 100), note: 'x'.repeat(20_000) },
    { type: 'sgv', sgv: 101 },
  ]
  const { status, body } = await ask('POST', '/api/v1/entries', { body: sent })
  assert.equal(status, 200)
  assert.deepEqual(
    body.map(({ sgv }: { sgv: number }) => sgv),
    [100],
  )
  assert.equal((await readings()).length, 1)
  const reasons = await quarantined()
  assert.equal(reasons.length, 8)
  assert.ok(reasons.every(({ topic }) => topic === 'nightscout entries'))
  assert.ok(reasons.some(({ code }) => code === 'FUTURE_TIMESTAMP'))
  assert.ok(reasons.some(({ code }) => code === 'OUT_OF_RANGE'))
  assert.ok(reasons.some(({ code }) => code === 'TOO_LARGE'))
})

test('times are taken from date, mills or dateString, and values in mmol/L when they say so', async (t) => {
  const { ask, readings } = await setup(t)
  const at = (minutes: number) => NOW - minutes * MINUTE
  await ask('POST', '/api/v1/entries', {
    body: [
      { type: 'sgv', sgv: 101, mills: at(30) },
      { type: 'sgv', sgv: 102, dateString: '2026-03-14T08:55:00.000+0100' },
      { type: 'sgv', sgv: '103', date: at(20) / 1000 },
      { type: 'sgv', sgv: 5.5, units: 'mmol', date: at(15) },
    ],
  })
  const found = (await readings()).map(({ atMs, value }) => [(NOW - atMs) / MINUTE, value])
  assert.deepEqual(found, [
    [30, 101],
    [25, 102],
    [20, 103],
    [15, 99],
  ])
})

test('a repeated upload adds nothing and a corrected value replaces the old one', async (t) => {
  const { ask, readings } = await setup(t)
  const body = Array.from({ length: 288 }, (_, index) => entry(index * 5, 100 + (index % 50)))
  await ask('POST', '/api/v1/entries', { body })
  await ask('POST', '/api/v1/entries', { body })
  assert.equal((await readings()).length, 288)
  await ask('POST', '/api/v1/entries', { body: [entry(0, 140)] })
  const last = (await readings()).at(-1)
  assert.deepEqual([last?.value, last?.revision], [140, 1])
})

test('two uploaders of one sensor are read as one', async (t) => {
  const { ask, add } = await setup(t)
  const second = await add({ type: 'integration', name: 'Loop', person_id: 'mia' })
  const body = Array.from({ length: 100 }, (_, index) => entry(index * 5, 120))
  await ask('POST', '/api/v1/entries', { body })
  await ask('POST', '/api/v1/entries', {
    key: second.key,
    body: body.map((one) => ({ ...one, date: one.date + 4000 })),
  })
  const { body: seen } = await ask('GET', '/api/v1/entries/sgv.json?count=1000')
  assert.equal(seen.length, 100)
})

test('followers find readings by count, by time and by name', async (t) => {
  const { ask } = await setup(t)
  const body = Array.from({ length: 20 }, (_, index) => entry(index * 5, 100 + index, { direction: 'Flat' }))
  const stored = (await ask('POST', '/api/v1/entries', { body })).body
  const values = async (query: string) =>
    (await ask('GET', `/api/v1/entries.json?${query}`)).body.map(({ sgv }: { sgv: number }) => sgv)
  assert.equal((await values('')).length, 10)
  assert.deepEqual(await values('count=2'), [100, 101])
  assert.deepEqual(await values(`find[date][$gte]=${NOW - 10 * MINUTE}&count=50`), [100, 101, 102])
  assert.deepEqual(
    await values(`find[dateString][$lt]=${new Date(NOW - 90 * MINUTE).toISOString()}&count=50`),
    [119],
  )
  assert.deepEqual(await values(`find[_id]=${stored[3]._id}`), [103])
  assert.deepEqual(await values('find[type]=mbg'), [])
  assert.equal((await ask('GET', '/api/v1/entries/current.json')).body[0].sgv, 100)
})

test('watch faces read the newest reading with its change, in either unit', async (t) => {
  const { ask } = await setup(t)
  assert.deepEqual((await ask('GET', '/pebble')).body.bgs, [])
  assert.deepEqual((await ask('GET', '/api/v2/properties')).body, {})
  await ask('POST', '/api/v1/entries', { body: [entry(6, 110), entry(1, 117, { direction: 'FortyFiveUp' })] })
  await ask('POST', '/api/v1/devicestatus', { body: { device: 'x', uploaderBattery: 85 } })
  const [face] = (await ask('GET', '/pebble?count=1')).body.bgs
  assert.deepEqual(face, {
    ...{ sgv: '117', trend: 3, direction: 'FortyFiveUp', datetime: NOW - MINUTE },
    ...{ bgdelta: '7', battery: '85' },
  })
  assert.equal((await ask('GET', '/pebble?units=mmol')).body.bgs[0].sgv, '6.5')
  const { bgnow, delta, direction } = (await ask('GET', '/api/v2/properties/bgnow,delta,direction')).body
  assert.deepEqual([bgnow.last, delta.display, direction.label], [117, '+7', '↗'])
})

test('a treatment is one under its name, changes with a revision and is taken back with its meal', async (t) => {
  const { ask, store } = await setup(t)
  const name = 'abcdef0123456789abcdef01'
  const bolus = {
    _id: name,
    uuid: 'u-1',
    eventType: 'Meal Bolus',
    carbs: 45,
    insulin: 2.5,
    created_at: '2026-03-14T08:00:00Z',
  }
  const meals = () =>
    store
      .all<{ fields: string }>(
        `SELECT fields FROM record WHERE kind = 'meal' AND deleted_at IS NULL ORDER BY start_at`,
      )
      .map(({ fields }) => JSON.parse(fields).carbs_grams)
  await ask('PUT', '/api/v1/treatments', { body: bolus })
  await ask('PUT', '/api/v1/treatments', { body: bolus })
  assert.deepEqual(meals(), [45])
  await ask('PUT', '/api/v1/treatments', {
    body: { ...bolus, carbs: 50, created_at: '2026-03-14T08:05:00Z' },
  })
  assert.deepEqual(meals(), [50])
  const listed = (await ask('GET', '/api/v1/treatments.json?find[uuid]=u-1')).body
  assert.deepEqual(
    listed.map((one: { carbs: number; insulin: number }) => [one.carbs, one.insulin]),
    [[50, 2.5]],
  )
  const second = { eventType: 'Carb Correction', carbs: 10, created_at: '2026-03-14T08:05:00Z' }
  await ask('POST', '/api/v1/treatments', { body: [second] })
  assert.deepEqual(meals(), [60])
  assert.deepEqual((await ask('DELETE', `/api/v1/treatments/${name}`)).body, { n: 1, ok: 1 })
  assert.deepEqual(meals(), [10])
  assert.equal((await ask('DELETE', `/api/v1/treatments/${name}`)).body.n, 0)
  assert.equal(store.all('SELECT 1 FROM treatment_revision').length, 2)
})

test('treatments that cannot be are refused one by one', async (t) => {
  const { ask, quarantined, readings } = await setup(t)
  const at = { created_at: '2026-03-14T08:00:00Z' }
  const { status, body } = await ask('POST', '/api/v1/treatments', {
    body: [
      { ...at, eventType: 'Note', notes: 'Sensor itches' },
      { ...at, eventType: 'BG Check', glucose: 5.5, units: 'mmol' },
      { ...at, eventType: 'Meal Bolus', carbs: 9000 },
      { eventType: 'Note', notes: 'when?' },
      { eventType: 'Note', created_at: '2027-03-14T08:00:00Z' },
      7,
    ],
  })
  assert.deepEqual([status, body.length, (await quarantined()).length], [200, 2, 4])
  assert.deepEqual(
    (await readings('glucose_strip')).map(({ value }) => Math.round(value)),
    [99],
  )
})

test('of what an uploader says of itself the last word is kept', async (t) => {
  const { ask, readings } = await setup(t)
  for (const uploaderBattery of [85, 84])
    await ask('POST', '/api/v1/devicestatus.json', {
      body: [{ device: 'loop://iPhone', uploaderBattery, loop: { iob: 1 } }],
    })
  const listed = (await ask('GET', '/api/v1/devicestatus.json')).body
  assert.deepEqual(
    listed.map((one: { uploaderBattery: number }) => one.uploaderBattery),
    [84],
  )
  assert.deepEqual((await ask('GET', '/api/v1/profile.json')).body, [])
  await ask('POST', '/api/v1/activity', { body: [{ type: 'hr-bpm', bpm: 71, timeStamp: NOW }] })
  assert.deepEqual(
    (await readings('heart_rate')).map(({ value }) => value),
    [71],
  )
})

test('API v3 creates, recognises, changes, mirrors and deletes documents', async (t) => {
  const { ask, clock } = await setup(t)
  const identifier = 'c9b6a3d2-5d4b-5e0a-9c0e-1d2f3a4b5c6d'
  const carbs = {
    identifier,
    app: 'AAPS',
    date: NOW - MINUTE,
    eventType: 'Carb Correction',
    carbs: 20,
    utcOffset: 60,
  }
  const made = await ask('POST', '/api/v3/treatments', { body: carbs })
  assert.deepEqual([made.status, made.body.identifier], [201, identifier])
  const again = await ask('POST', '/api/v3/treatments', { body: carbs })
  assert.deepEqual([again.status, again.body.isDeduplication], [200, true])
  clock.advance(1000)
  await ask('PATCH', `/api/v3/treatments/${identifier}`, { body: { carbs: 25 } })
  const read = await ask('GET', `/api/v3/treatments/${identifier}`)
  assert.deepEqual([read.body.result.carbs, read.body.result.app], [25, 'AAPS'])
  const { collections } = (await ask('GET', '/api/v3/lastModified')).body.result
  assert.equal(collections.treatments, NOW + 1000)
  clock.advance(1000)
  assert.equal((await ask('DELETE', `/api/v3/treatments/${identifier}`)).status, 200)
  assert.equal((await ask('GET', `/api/v3/treatments/${identifier}`)).status, 404)
  const changed = await ask('GET', `/api/v3/treatments/history/${NOW + 1500}`)
  assert.deepEqual(
    changed.body.result.map((one: { isValid: boolean }) => one.isValid),
    [false],
  )
})

test('API v3 takes readings under their own identifier and gives them back in order', async (t) => {
  const { ask, readings } = await setup(t)
  const reading = (minutesAgo: number) => ({
    ...{ identifier: `aaps-${minutesAgo}`, app: 'AAPS', type: 'sgv', sgv: 100 + minutesAgo, units: 'mg/dl' },
    ...{ date: NOW - minutesAgo * MINUTE, direction: 'Flat', device: 'G6' },
  })
  for (const minutes of [11, 6, 1])
    assert.equal((await ask('POST', '/api/v3/entries', { body: reading(minutes) })).status, 201)
  assert.equal((await ask('POST', '/api/v3/entries', { body: reading(1) })).status, 200)
  const { result } = (await ask('GET', '/api/v3/entries?sort$desc=date&limit=2')).body
  assert.deepEqual(
    result.map(({ sgv }: { sgv: number }) => sgv),
    [101, 106],
  )
  const ignored = await ask('POST', '/api/v3/entries', {
    body: { ...reading(1), sgv: 9000, identifier: 'aaps-x' },
  })
  assert.deepEqual([ignored.status, ignored.body.isIgnored], [200, true])
  assert.equal((await ask('DELETE', '/api/v3/entries/aaps-6')).status, 200)
  assert.equal((await readings()).length, 2)
})

test('a body of 50 MB is refused before it is read, and leaves nothing', async (t) => {
  const { ask, readings } = await setup(t)
  const body = Array.from({ length: 500 }, (_, index) =>
    entry(index * 5, 100, { notes: 'x'.repeat(100_000) }),
  )
  const refused = await ask('POST', '/api/v1/entries', { body })
  assert.deepEqual([refused.status, refused.body.error?.code], [413, 'TOO_LARGE'])
  assert.equal((await readings()).length, 0)
})
