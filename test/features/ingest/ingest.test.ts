import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createIngest } from '../../../daemon/features/ingest/ingest.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { OWNER, openStore, setup as setupHttp } from '../../http/setup.ts'

interface Failure {
  error: { code: string; details: { path: string; message: string }[] }
  data?: Bulk
}
interface Bulk {
  accepted: number
  duplicates: number
  rejected: { index: number; code: string; message: string }[]
}

const WATCH = { 'x-api-key': 'watch-key' }
const AT = '2026-03-14T07:30:00.000Z'

async function setup(t: TestContext) {
  const clock = fakeClock()
  const store = await openStore(t, clock)
  const person = `INSERT INTO person (key, id, name, timezone, created_at, updated_at) VALUES (:key, :id, :id, 'Europe/Berlin', 0, 0)`
  const device = `INSERT INTO device (key, id, name, type, created_at) VALUES (:key, :id, :id, :type, 0)`
  await store.write([
    { sql: person, params: { key: 1, id: 'mia' } },
    { sql: person, params: { key: 2, id: 'leo' } },
    { sql: device, params: { key: 1, id: 'watch-1', type: 'watch' } },
    { sql: device, params: { key: 2, id: 'hub-1', type: 'hub' } },
    { sql: device, params: { key: 3, id: 'watch-2', type: 'watch' } },
    {
      sql: `INSERT INTO wearer (device_key, from_at, to_at, person_key) VALUES (1, 0, :to, 2)`,
      params: { to: Date.UTC(2026, 2, 1) },
    },
    {
      sql: `INSERT INTO wearer (device_key, from_at, person_key) VALUES (1, :from, 1)`,
      params: { from: Date.UTC(2026, 2, 1) },
    },
    { sql: `INSERT INTO wearer (device_key, from_at, person_key) VALUES (3, 0, 2)` },
  ])
  const { feature } = createIngest({ store, now: clock.now, manualDevice: async () => 'hub-1' })
  const { http } = await setupHttp(t, { features: [feature], store, deps: { clock } })
  const post = async (url: string, headers: Record<string, string>, payload: object) => {
    const answer = await http.inject({ method: 'POST', url, headers, payload })
    return { status: answer.statusCode, body: answer.json<Failure & { data: Bulk }>() }
  }
  const ingest = (payload: object, headers: Record<string, string> = OWNER) =>
    post('/api/v1/ingest', headers, payload)
  const bulk = (payload: object, headers: Record<string, string> = OWNER) =>
    post('/api/v1/health_data/ingest', headers, payload)
  const stored = async (personId = 'mia') =>
    Object.fromEntries(
      (await store.observations.latest(personId)).map(({ metric, value }) => [metric, value]),
    )
  return { http, clock, store, post, ingest, bulk, stored }
}

const MOMENT = {
  child_id: 'mia',
  timestamp: AT,
  wellness_metrics: {
    hr: 88,
    stress: 0.4,
    sleep_duration: 28_800,
    sleep_state: 'awake',
    activity_intensity: 0.2,
  },
  context: { school_events: ['maths test'] },
  interaction: { event: 'asked for a story' },
}

test('a moment of the seed is kept as observations with a note of what was going on', async (t) => {
  const { ingest, stored, store } = await setup(t)
  const { status, body } = await ingest(MOMENT)
  assert.equal(status, 201)
  assert.deepEqual(
    { ...body.data },
    { status: 'success', person_id: 'mia', ts: AT, accepted: 5, duplicates: 0 },
  )
  assert.deepEqual(await stored(), {
    heart_rate: 88,
    stress: 0.4,
    sleep_duration: 28_800,
    sleep_state: 0,
    activity: 0.2,
  })
  const notes = store.all('SELECT person_key, at, device_key, context, interaction FROM context_note')
  assert.deepEqual(notes, [
    {
      person_key: 1,
      at: Date.parse(AT),
      device_key: 2,
      context: '{"school_events":["maths test"]}',
      interaction: '{"event":"asked for a story"}',
    },
  ])
})

test("on the seed's own path the seed's own answer stands on top", async (t) => {
  const { post } = await setup(t)
  const { status, body } = await post('/api/ingest', OWNER, MOMENT)
  assert.deepEqual([status, (body as unknown as { status: string }).status], [201, 'success'])
})

test('the same moment again is a duplicate and answers 200, a corrected one is kept', async (t) => {
  const { ingest, stored } = await setup(t)
  await ingest(MOMENT)
  const again = await ingest(MOMENT)
  assert.deepEqual([again.status, again.body.data.accepted, again.body.data.duplicates], [200, 0, 5])
  const corrected = await ingest({ ...MOMENT, wellness_metrics: { hr: 90 } })
  assert.deepEqual([corrected.status, corrected.body.data.accepted], [201, 1])
  assert.equal((await stored())['heart_rate'], 90)
})

test('a moment without a child is refused by that name', async (t) => {
  const { ingest } = await setup(t)
  const { status, body } = await ingest({ timestamp: AT, wellness_metrics: { hr: 88 } })
  assert.equal(status, 400)
  assert.deepEqual([body.error.code, body.error.details[0]?.path], ['VALIDATION_ERROR', 'child_id'])
  const member = await ingest(
    { timestamp: AT, wellness_metrics: { hr: 88 } },
    { authorization: 'Bearer member-token' },
  )
  assert.deepEqual([member.status, member.body.error.details[0]?.path], [400, 'child_id'])
})

test('a moment lands whole or not at all', async (t) => {
  const { ingest, stored } = await setup(t)
  const refused: [metrics: object, status: number, code: string, path: string][] = [
    [{ hr: 900, stress: 0.1 }, 422, 'OUT_OF_RANGE', 'wellness_metrics.hr'],
    [{ hr: 80, aura: 5 }, 400, 'UNKNOWN_METRIC', 'wellness_metrics.aura'],
    [{ hr: 80, sleep_state: 'dancing' }, 400, 'VALIDATION_ERROR', 'wellness_metrics.sleep_state'],
  ]
  for (const [wellness_metrics, status, code, path] of refused) {
    const answer = await ingest({ child_id: 'mia', timestamp: AT, wellness_metrics })
    assert.deepEqual(
      [answer.status, answer.body.error.code, answer.body.error.details[0]?.path],
      [status, code, path],
    )
  }
  assert.deepEqual(await stored(), {})
})

test('a time that lies ahead is 422, one without offset is the wall clock of the child', async (t) => {
  const { ingest, store } = await setup(t)
  const ahead = await ingest({ ...MOMENT, timestamp: '2026-03-14T08:11:00Z' })
  assert.deepEqual([ahead.status, ahead.body.error.code], [422, 'FUTURE_TIMESTAMP'])
  assert.equal((await ingest({ ...MOMENT, timestamp: '2026-03-14T08:00:00' })).status, 201)
  assert.equal((await store.observations.latest('mia'))[0]?.atMs, Date.UTC(2026, 2, 14, 7))
  assert.equal((await ingest({ ...MOMENT, timestamp: Date.parse(AT) / 1000 })).status, 201, 'epoch seconds')
  assert.equal((await ingest({ ...MOMENT, timestamp: 'yesterday' })).status, 400)
})

test('an open object over 16 KB and an empty moment are refused', async (t) => {
  const { ingest, stored } = await setup(t)
  const large = await ingest({ ...MOMENT, context: { text: 'x'.repeat(16_400) } })
  assert.deepEqual([large.status, large.body.error.code], [413, 'TOO_LARGE'])
  assert.equal((await ingest({ child_id: 'mia', timestamp: AT, wellness_metrics: { hr: null } })).status, 400)
  assert.deepEqual(await stored(), {})
})

test('many samples are judged one by one, good ones land beside bad ones', async (t) => {
  const { bulk, stored } = await setup(t)
  const samples = [
    { ts: AT, metric: 'heart_rate', value: 72 },
    { timestamp: AT, metric: 'spo2', value: 98 },
    { ts: AT, metric: 'heart_rate', value: 900 },
    { ts: AT, hr: 72, skin_temp: 33.1 },
    { ts: AT, metric: 'aura', value: 1 },
    'no sample',
  ]
  const { status, body } = await bulk({ person_id: 'mia', samples })
  assert.equal(status, 200)
  assert.deepEqual([body.data.accepted, body.data.duplicates], [3, 0])
  assert.deepEqual(
    body.data.rejected.map(({ index, code }) => [index, code]),
    [
      [2, 'OUT_OF_RANGE'],
      [4, 'UNKNOWN_METRIC'],
      [5, 'VALIDATION_ERROR'],
    ],
  )
  assert.deepEqual(await stored(), { heart_rate: 72, spo2: 98, skin_temp: 33.1 })
  const again = await bulk({ person_id: 'mia', samples })
  assert.deepEqual([again.status, again.body.data.accepted, again.body.data.duplicates], [200, 0, 3])
})

test('an upload of which nothing lands is 422 and says why for each', async (t) => {
  const { bulk } = await setup(t)
  const { status, body } = await bulk({
    person_id: 'mia',
    samples: [
      { ts: AT, hr: 900 },
      { ts: AT, hr: 5 },
    ],
  })
  assert.deepEqual([status, body.error.code, body.data.rejected.length], [422, 'OUT_OF_RANGE', 2])
})

test("a device's samples belong to whoever wore it then", async (t) => {
  const { bulk, stored } = await setup(t)
  const samples = [
    { ts: '2026-02-01T08:00:00Z', hr: 61 },
    { ts: AT, hr: 72 },
  ]
  const { body } = await bulk({ samples }, WATCH)
  assert.equal(body.data.accepted, 2)
  assert.deepEqual(await stored('leo'), { heart_rate: 61 })
  assert.deepEqual(await stored('mia'), { heart_rate: 72 })
})

test('nobody writes into a record that is not theirs to write', async (t) => {
  const { bulk, ingest, stored } = await setup(t)
  const sample = { ts: AT, hr: 72 }
  const coach = await bulk({ person_id: 'mia', samples: [sample] }, { authorization: 'Bearer coach-token' })
  assert.deepEqual([coach.status, coach.body.error.code], [403, 'FORBIDDEN'])
  const gran = { authorization: 'Bearer caregiver-token' }
  const mixed = await bulk(
    { person_id: 'mia', samples: [sample, { ts: AT, glucose: 110 }, { ...sample, person: 'leo' }] },
    gran,
  )
  assert.equal(mixed.body.data.accepted, 1)
  assert.deepEqual(
    mixed.body.data.rejected.map(({ index, code }) => [index, code]),
    [
      [1, 'FORBIDDEN'],
      [2, 'NOT_FOUND'],
    ],
  )
  assert.equal((await bulk({ person_id: 'leo', samples: [sample] }, gran)).status, 404)
  assert.equal((await bulk({ person_id: 'leo', samples: [sample] }, WATCH)).status, 404)
  assert.equal((await ingest({ ...MOMENT, child_id: 'leo' }, gran)).status, 404)
  assert.deepEqual(await stored('leo'), {})
})

test("a watch that somebody else wears does not fill this person's record", async (t) => {
  const { bulk } = await setup(t)
  const samples = [{ ts: AT, hr: 72 }]
  const other = await bulk({ person_id: 'mia', device_id: 'watch-2', samples })
  assert.deepEqual([other.status, other.body.data.rejected[0]?.code], [422, 'NOT_FOUND'])
  assert.equal((await bulk({ person_id: 'mia', device_id: 'watch-1', samples })).status, 200)
})

test('two uploads at once of the same samples never double a row', async (t) => {
  const { bulk } = await setup(t)
  const samples = Array.from({ length: 20 }, (_, i) => ({ ts: Date.parse(AT) + i * 1000, hr: 60 + i }))
  const answers = await Promise.all([1, 2, 3].map(() => bulk({ person_id: 'mia', samples })))
  const total = answers.reduce((sum, { body }) => sum + body.data.accepted, 0)
  assert.equal(total, 20)
})

test('a person out of sight is refused in the same words as one that is not there', async (t) => {
  const { bulk } = await setup(t)
  const mia = { authorization: 'Bearer member-token' }
  const named = async (person: string) =>
    (await bulk({ samples: [{ ts: AT, hr: 72, person }] }, mia)).body.data.rejected
  assert.deepEqual(await named('leo'), await named('nobody'))
})

test('a note is refused where its device is not one of the person’s, whether or not there is one', async (t) => {
  const { ingest, store } = await setup(t)
  const note = { person_id: 'mia', timestamp: AT, wellness_metrics: {}, context: { mood: 'tired' } }
  const mia = { authorization: 'Bearer member-token' }
  const foreign = await ingest({ ...note, device_id: 'watch-2' }, mia)
  const unknown = await ingest({ ...note, device_id: 'watch-9' }, mia)
  assert.deepEqual([foreign.status, foreign.body.error], [404, unknown.body.error])
  assert.equal((await ingest({ ...note, device_id: 'watch-1' }, mia)).status, 201)
  assert.equal(store.all('SELECT 1 FROM context_note').length, 1)
})

test('nothing new is kept about a removed person, and what else came along lands', async (t) => {
  const { bulk, ingest, store, stored } = await setup(t)
  await store.write([{ sql: `UPDATE person SET deleted_at = 1 WHERE id = 'leo'` }])
  const before = '2026-02-01T08:00:00Z'
  const samples = [
    { ts: before, hr: 61 },
    { ts: AT, hr: 72 },
  ]
  const { status, body } = await bulk({ samples }, WATCH)
  assert.deepEqual(
    [status, body.data?.accepted, body.data?.rejected.map(({ index, code }) => [index, code])],
    [200, 1, [[0, 'NOT_FOUND']]],
  )
  const note = { timestamp: before, wellness_metrics: {}, context: { mood: 'tired' } }
  assert.equal((await ingest(note, WATCH)).status, 404)
  assert.equal(store.all('SELECT 1 FROM context_note').length, 0)
  assert.deepEqual(await stored(), { heart_rate: 72 })
})
