import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Observation } from '../../../daemon/domain/observation.ts'
import { toCsv } from '../../../daemon/features/observations/csv.ts'
import { observations } from '../../../daemon/features/observations/observations.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { OWNER, openStore, setup as setupHttp } from '../../http/setup.ts'

interface Series {
  data: {
    metric: string
    unit: string
    level: string
    points: Record<string, unknown>[]
    next_from: string | null
  }
  error: { code: string; details: { path: string }[] }
}

async function setup(t: TestContext) {
  const clock = fakeClock()
  const store = await openStore(t, clock)
  await store.write([
    {
      sql: `INSERT INTO person (id, name, timezone, created_at, updated_at) VALUES ('mia', 'Mia', 'Europe/Berlin', 0, 0)`,
    },
    { sql: `INSERT INTO device (id, name, type, created_at) VALUES ('watch-1', 'Watch', 'watch', 0)` },
  ])
  const { http } = await setupHttp(t, {
    features: [observations({ store, now: clock.now })],
    store,
    deps: { clock },
  })
  const measured = (
    metric: string,
    value: number,
    agoMs: number,
    rest: Partial<Observation> = {},
  ): Observation => ({
    personId: 'mia',
    deviceId: 'watch-1',
    metric,
    atMs: clock.now() - agoMs,
    value,
    source: 'gatt',
    quality: null,
    extra: null,
    ...rest,
  })
  const get = async (query: string, headers: Record<string, string> = OWNER) => {
    const answer = await http.inject({ url: `/api/v1/people/mia/${query}`, headers })
    return {
      status: answer.statusCode,
      answer,
      body: answer.headers['content-type']?.toString().includes('json') ? answer.json<Series>() : null,
    }
  }
  return { http, clock, store, measured, get }
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

test('raw values come ascending with source, device, quality and revision, the last 24 hours by default', async (t) => {
  const { store, measured, get } = await setup(t)
  await store.observations.append([
    measured('heart_rate', 72, MINUTE, { quality: 0.9 }),
    measured('heart_rate', 70, 2 * MINUTE),
  ])
  await store.observations.append([
    measured('heart_rate', 60, 25 * HOUR),
    measured('heart_rate', 71, 2 * MINUTE),
  ])
  const { body } = await get('observations?metric=hr')
  assert.deepEqual(body?.data, {
    metric: 'heart_rate',
    unit: 'bpm',
    level: 'raw',
    points: [
      {
        ts: '2026-03-14T07:58:00.000Z',
        value: 71,
        source: 'gatt',
        device: 'watch-1',
        quality: null,
        revision: 1,
      },
      {
        ts: '2026-03-14T07:59:00.000Z',
        value: 72,
        source: 'gatt',
        device: 'watch-1',
        quality: 0.9,
        revision: 0,
      },
    ],
    next_from: null,
  })
})

test('from is inclusive, to is exclusive, and epoch seconds mean the same as text', async (t) => {
  const { store, measured, get, clock } = await setup(t)
  await store.observations.append(
    [1, 2, 3].map((minutes) => measured('heart_rate', 60 + minutes, minutes * MINUTE)),
  )
  const count = async (query: string) =>
    (await get(`observations?metric=heart_rate&${query}`)).body?.data.points.length
  assert.equal(await count('from=2026-03-14T07:57:00Z&to=2026-03-14T07:59:00Z'), 2)
  assert.equal(await count(`from=${(clock.now() - 3 * MINUTE) / 1000}&to=${clock.now() - MINUTE}`), 2)
  assert.equal(await count('start=2026-03-14T07:58:00Z'), 2, 'start means from')
  assert.equal(await count('to=2026-03-14T07:58:00Z'), 1, '24 hours before to')
})

test('a value of this very instant is among the last 24 hours', async (t) => {
  const { store, measured, get } = await setup(t)
  await store.observations.append([measured('heart_rate', 72, 0)])
  assert.equal((await get('observations?metric=heart_rate')).body?.data.points.length, 1)
})

test('a limit cuts the answer and says where to go on', async (t) => {
  const { store, measured, get } = await setup(t)
  await store.observations.append([1, 2, 3].map((minutes) => measured('heart_rate', 60, minutes * MINUTE)))
  const { body } = await get('observations?metric=heart_rate&limit=2')
  assert.equal(body?.data.points.length, 2)
  assert.equal(body?.data.next_from, '2026-03-14T07:59:00.000Z')
  const rest = await get(`observations?metric=heart_rate&from=${body?.data.next_from}`)
  assert.equal(rest.body?.data.points.length, 1)
})

test('what cannot be asked is refused with the field that is wrong', async (t) => {
  const { get } = await setup(t)
  const refused: [query: string, code: string, path: string][] = [
    ['metric=aura', 'UNKNOWN_METRIC', 'metric'],
    ['', 'VALIDATION_ERROR', 'metric'],
    ['metric=heart_rate&level=2h', 'VALIDATION_ERROR', 'level'],
    ['metric=sleep_state&level=1h', 'VALIDATION_ERROR', 'level'],
    ['metric=heart_rate&limit=50001', 'VALIDATION_ERROR', 'limit'],
    ['metric=heart_rate&from=2026-03-14T08:00:00', 'VALIDATION_ERROR', 'from'],
    ['metric=heart_rate&from=2026-03-14T08:00:00Z&to=2026-03-14T07:00:00Z', 'VALIDATION_ERROR', 'from'],
    ['metric=heart_rate&page=2', 'VALIDATION_ERROR', 'page'],
  ]
  for (const [query, code, path] of refused) {
    const { status, body } = await get(`observations?${query}`)
    assert.deepEqual([status, body?.error.code, body?.error.details[0]?.path], [400, code, path], query)
  }
})

test('levels come as buckets', async (t) => {
  const { store, measured, get } = await setup(t)
  await store.observations.append(
    [60, 70, 95].map((value, i) => measured('heart_rate', value, (i + 1) * MINUTE)),
  )
  const { body } = await get('observations?metric=heart_rate&level=1h')
  assert.equal(body?.data.level, '1h')
  const [bucket, ...others] = body?.data.points ?? []
  assert.deepEqual(others, [])
  assert.deepEqual(Object.keys(bucket ?? {}), ['ts', 'count', 'min', 'max', 'mean', 'p50'])
  const { ts, count, min, max, mean } = bucket ?? {}
  assert.deepEqual(
    { ts, count, min, max, mean },
    { ts: '2026-03-14T07:00:00.000Z', count: 3, min: 60, max: 95, mean: 75 },
  )
})

test('a spreadsheet gets CSV', async (t) => {
  const { store, measured, get } = await setup(t)
  await store.observations.append([measured('heart_rate', 72, MINUTE)])
  const { answer } = await get('observations?metric=heart_rate', { ...OWNER, accept: 'text/csv' })
  assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8')
  assert.equal(
    answer.body,
    'ts,value,source,device,quality,revision\r\n2026-03-14T07:59:00.000Z,72,gatt,watch-1,,0\r\n',
  )
})

test('latest says how old each value is and whether that is too old', async (t) => {
  const { store, measured, get } = await setup(t)
  await store.observations.append([
    measured('heart_rate', 72, 30_000),
    measured('glucose', 110, HOUR),
    measured('sleep_state', 2, 0),
  ])
  const { body } = await get('latest')
  assert.deepEqual(body?.data, {
    heart_rate: {
      value: 72,
      unit: 'bpm',
      ts: '2026-03-14T07:59:30.000Z',
      age_ms: 30_000,
      stale: false,
      source: 'gatt',
      device: 'watch-1',
    },
    glucose: {
      value: 110,
      unit: 'mg/dL',
      ts: '2026-03-14T07:00:00.000Z',
      age_ms: HOUR,
      stale: true,
      source: 'gatt',
      device: 'watch-1',
    },
    sleep_state: {
      value: 'deep',
      unit: 'state',
      ts: '2026-03-14T08:00:00.000Z',
      age_ms: 0,
      stale: false,
      source: 'gatt',
      device: 'watch-1',
    },
  })
})

test('each metric is seen by whoever holds its class, and by nobody else', async (t) => {
  const { store, measured, get } = await setup(t)
  await store.observations.append([measured('heart_rate', 72, 0), measured('glucose', 110, 0)])
  const gran = { authorization: 'Bearer caregiver-token' }
  assert.deepEqual(Object.keys((await get('latest', gran)).body?.data ?? {}), ['heart_rate'])
  assert.equal((await get('observations?metric=heart_rate', gran)).status, 200)
  assert.equal((await get('observations?metric=glucose', gran)).status, 403)
  assert.deepEqual((await get('latest', { authorization: 'Bearer coach-token' })).body?.data, {})
  assert.equal((await get('latest', { 'x-api-key': 'watch-key' })).status, 403)
})

test('a cell that a spreadsheet would run is disarmed, quotes are doubled, nested fields get their own column', () => {
  const rows = [{ a: '=1+1', b: 'say "hi", you', c: { lat: 52.5, lon: null } }]
  assert.equal(toCsv(rows), `a,b,c.lat,c.lon\r\n'=1+1,"say ""hi"", you",52.5,\r\n`)
})
