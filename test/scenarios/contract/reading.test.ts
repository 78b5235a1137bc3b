/** The contract's reads of what was recorded, as seen from outside. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, addDevice, household, letIn } from './client.ts'

const hub = await household()
const { owner } = hub
const DAY = Date.parse('2026-03-28T23:00:00Z')
const HOUR = 3_600_000
const watch = await addDevice(hub, owner, { id: 'watch-1', person_id: 'child_1' })

/** The day on which clocks go forward in Berlin: 23 hours, one value every half hour. */
const samples = Array.from({ length: 46 }, (_, index) => ({
  ts: DAY + index * (HOUR / 2),
  metric: 'heart_rate',
  value: 60 + index,
  ...(index === 0 ? { quality: 0.9 } : {}),
}))
samples.push({ ts: DAY + 23 * HOUR, metric: 'heart_rate', value: 200 })
const more = [
  { ts: DAY + HOUR, metric: 'sleep_state', value: 'deep' },
  { ts: DAY + 2 * HOUR, metric: 'sleep_state', value: 'rem' },
  { ts: DAY + 2 * HOUR, metric: 'glucose', value: 110 },
]
await hub.ask('POST', '/api/v1/health_data/ingest', {
  key: watch.key,
  body: { samples: [...samples, ...more] },
})
await hub.post('/ingest', owner, {
  child_id: 'child_1',
  timestamp: DAY + 3 * HOUR,
  wellness_metrics: {},
  context: { place: 'school' },
})

function code({ status, json }: Answer): string {
  return `${status} ${json?.error?.code}`
}

const ask = (path: string, headers = {}, token = owner) =>
  hub.ask('GET', `/api/v1/people/child_1${path}`, { token, headers })
const series = async (query: string) => (await ask(`/observations?metric=hr&${query}`)).json.data
const range = `from=${DAY}&to=${DAY + 23 * HOUR}`

test('raw values say source, device, quality and revision, ascending, from inclusive and to exclusive', async () => {
  const found = await series(range)
  assert.deepEqual(Object.keys(found).sort(), ['level', 'metric', 'next_from', 'points', 'unit'])
  assert.deepEqual(
    [found.metric, found.unit, found.level, found.next_from],
    ['heart_rate', 'bpm', 'raw', null],
  )
  assert.equal(found.points.length, 46)
  assert.deepEqual(found.points[0], {
    ts: '2026-03-28T23:00:00.000Z',
    value: 60,
    source: 'health_data',
    device: 'watch-1',
    quality: 0.9,
    revision: 0,
  })
  assert.equal(found.points.at(-1).value, 105)
  assert.equal((await series(`start=${DAY}&end=${DAY + 1}`)).points.length, 1)
})

test('limit is 5000 by default and 50000 at most; next_from goes on where a page ended', async () => {
  const first = await series(`${range}&limit=40`)
  assert.equal(first.points.length, 40)
  assert.equal(first.next_from, new Date(DAY + 20 * HOUR).toISOString())
  const rest = await series(`from=${first.next_from}&to=${DAY + 23 * HOUR}&limit=40`)
  assert.deepEqual([rest.points.length, rest.next_from], [6, null])
  assert.equal((await ask(`/observations?metric=hr&limit=50000`)).status, 200)
  for (const limit of [0, 50_001, 'x'])
    assert.equal(code(await ask(`/observations?metric=hr&limit=${limit}`)), '400 VALIDATION_ERROR')
})

test('without from the last 24 hours are read', async () => {
  const at = Date.now()
  for (const ts of [at - 25 * HOUR, at - 23 * HOUR])
    await hub.post('/health_data/ingest', owner, { child_id: 'child_2', samples: [{ ts, spo2: 97 }] }, 200)
  const answer = await hub.get('/people/child_2/observations?metric=spo2', owner)
  assert.equal(answer.points.length, 1)
})

test('levels are count, min, max, mean and p50; hours on UTC, days on the person’s calendar', async () => {
  const hours = await series(`${range}&level=1h`)
  assert.deepEqual(Object.keys(hours.points[0]).sort(), ['count', 'max', 'mean', 'min', 'p50', 'ts'])
  assert.equal(hours.points.length, 23)
  assert.deepEqual([hours.points[0].count, hours.points[0].min, hours.points[0].mean], [2, 60, 60.5])
  const [day, next] = (await series(`from=${DAY}&to=${DAY + 24 * HOUR}&level=1d`)).points
  assert.deepEqual([day.ts, day.count, day.max], ['2026-03-28T23:00:00.000Z', 46, 105])
  assert.equal(next.ts, '2026-03-29T22:00:00.000Z')
  for (const level of ['1m', '15m']) assert.equal((await series(`${range}&level=${level}`)).points.length, 46)
  assert.equal(code(await ask(`/observations?metric=hr&level=1w`)), '400 VALIDATION_ERROR')
})

test('an unknown metric is 400, a text metric has raw values only', async () => {
  assert.equal(code(await ask('/observations?metric=karma')), '400 UNKNOWN_METRIC')
  assert.equal(code(await ask('/observations')), '400 VALIDATION_ERROR')
  const raw = (await ask(`/observations?metric=sleep_state&${range}`)).json.data.points
  assert.deepEqual(
    raw.map(({ value }: { value: string }) => value),
    ['deep', 'rem'],
  )
  assert.equal(code(await ask(`/observations?metric=sleep_state&${range}&level=1h`)), '400 VALIDATION_ERROR')
})

test('series and newest values come as CSV to who asks for it', async () => {
  const csv = await ask(`/observations?metric=hr&${range}&limit=2`, { accept: 'text/csv' })
  assert.match(csv.headers['content-type'] ?? '', /^text\/csv/)
  const [head, first] = csv.bytes.toString().split('\r\n')
  assert.match(head ?? '', /^ts,value,source,device,quality,revision/)
  assert.match(first ?? '', /^2026-03-28T23:00:00\.000Z,60,health_data,watch-1,0\.9,0/)
  const latest = await ask('/latest', { accept: 'text/csv' })
  assert.match(latest.bytes.toString(), /^metric,value,unit,ts,age_ms,stale,source,device/)
})

test('latest has every metric’s newest value with its age and staleness', async () => {
  const latest = (await ask('/latest')).json.data
  const { age_ms: ageMs, ...rest } = latest.heart_rate
  assert.ok(Number.isInteger(ageMs) && ageMs >= 0)
  const ts = new Date(DAY + 23 * HOUR).toISOString()
  assert.deepEqual(rest, {
    value: 200,
    unit: 'bpm',
    ts,
    stale: true,
    source: 'health_data',
    device: 'watch-1',
  })
})

test('a day’s timeline is the person’s own day as lanes', async () => {
  const day = (await ask('/timeline?date=2026-03-29')).json?.data
  assert.deepEqual([day.date, day.timezone], ['2026-03-29', 'Europe/Berlin'])
  assert.deepEqual([day.from, day.to], ['2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'])
  const lane = (name: string) => day.lanes.find((one: { metric: string }) => one.metric === name)
  assert.deepEqual([lane('heart_rate').unit, lane('heart_rate').level], ['bpm', '15m'])
  assert.equal(lane('heart_rate').points.length, 46)
  assert.deepEqual(lane('sleep_state').level, 'raw')
  assert.deepEqual(
    lane('sleep_state').points.map(({ value }: { value: string }) => value),
    ['deep', 'rem'],
  )
  assert.deepEqual(day.notes[0].context, { place: 'school' })
  const today = (await ask('/timeline')).json.data
  assert.match(today.date, /^\d{4}-\d\d-\d\d$/)
  assert.equal(code(await ask('/timeline?date=2026-02-30')), '400 VALIDATION_ERROR')
  const coach = await letIn(hub, owner, { role: 'coach', person_id: 'child_1' })
  const seen = (await ask('/timeline?date=2026-03-29', {}, coach)).json.data
  assert.deepEqual([seen.lanes, seen.notes], [[], []])
  const other = await hub.ask('GET', '/api/v1/people/child_2/timeline', { token: coach })
  assert.equal(code(other), '404 NOT_FOUND')
})

test('a late, a corrected and a deleted reading are in its hour, its day and its row with the next answer', async () => {
  const at = DAY + 5 * HOUR + 7 * 60_000
  const seen = async () => {
    const level = async (name: string) => {
      const { points } = (await ask(`/observations?metric=glucose&level=${name}&${range}`)).json.data
      const start = name === '1d' ? DAY : DAY + 5 * HOUR
      return points.find((point: { ts: string }) => Date.parse(point.ts) === start) ?? null
    }
    const [row] = (await ask('/daily?from=2026-03-29&to=2026-03-29')).json.data.rows
    return [(await level('1h'))?.max ?? null, (await level('1d'))?.max, row.max_glucose]
  }
  assert.deepEqual(await seen(), [null, 110, 110])
  const sent = { person_id: 'child_1', timestamp: at, value: 250 }
  const added = await hub.ask('POST', '/api/v1/glucose/readings', { token: owner, body: sent })
  assert.equal(added.status, 201)
  assert.deepEqual(await seen(), [250, 250, 250])
  const path = `/api/v1/glucose/readings/${added.json.data.id}`
  await hub.ask('PATCH', path, { token: owner, body: { value: 190 } })
  assert.deepEqual(await seen(), [190, 190, 190])
  await hub.ask('DELETE', path, { token: owner })
  assert.deepEqual(await seen(), [null, 110, 110])
})
