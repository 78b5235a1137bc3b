/** The contract's ways in over HTTP, times and units, as seen from outside. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, addDevice, household, letIn } from './client.ts'

const hub = await household()
const { owner } = hub
const now = Date.now()

function code({ status, json }: Answer): string {
  return `${status} ${json?.error?.code}`
}

const ingest = (body: unknown, path = '/api/v1/ingest') => hub.ask('POST', path, { token: owner, body })
const bulk = (samples: unknown[], more = {}) =>
  hub.ask('POST', '/api/v1/health_data/ingest', {
    token: owner,
    body: { person_id: 'child_1', samples, ...more },
  })
const points = async (person: string, metric: string, query = '') =>
  (await hub.get(`/people/${person}/observations?metric=${metric}${query}`, owner)).points

const moment = {
  child_id: 'child_1',
  timestamp: new Date(now - 60_000).toISOString(),
  wellness_metrics: {
    hr: 88,
    stress: 0.6,
    sleep_duration: 27_000,
    sleep_state: 'awake',
    activity_intensity: 0.2,
  },
  context: { school_events: 'Math test', deep: { list: [1, null, 'x'] } },
  interaction: { event: 'argued with a friend' },
}

test('the seed’s moment is stored: 201, again 200, on its seed path with the keys on top', async () => {
  const first = await ingest(moment, '/api/ingest')
  assert.equal(first.status, 201, first.bytes.toString())
  assert.deepEqual([first.json.status, first.json.data.accepted], ['success', 5])
  const again = await ingest(moment)
  assert.deepEqual([again.status, again.json.data.accepted, again.json.data.duplicates], [200, 0, 5])
  const latest = await hub.get('/people/child_1/latest', owner)
  assert.deepEqual(
    ['heart_rate', 'stress', 'sleep_duration', 'sleep_state', 'activity'].map((name) => latest[name]?.value),
    [88, 0.6, 27_000, 'awake', 0.2],
  )
})

test('a moment without a child names child_id; unknown children, fields and metrics are refused', async () => {
  const { child_id: _, ...nobody } = moment
  const missing = await ingest(nobody)
  assert.equal(code(missing), '400 VALIDATION_ERROR')
  assert.equal(missing.json.error.details[0].path, 'child_id')
  assert.match(missing.json.error.message, /child_id/)
  assert.equal(code(await ingest({ ...moment, child_id: 'stranger' })), '404 NOT_FOUND')
  const field = await ingest({ ...moment, mood: 3 })
  assert.equal(field.json.error.details[0].path, 'mood')
  assert.equal(code(await ingest({ ...moment, wellness_metrics: { karma: 1 } })), '400 UNKNOWN_METRIC')
  const range = await ingest({ ...moment, wellness_metrics: { hr: 900 } })
  assert.equal(code(range), '422 OUT_OF_RANGE')
  assert.deepEqual(range.json.error.details[0].path, 'wellness_metrics.hr')
  assert.equal(range.json.error.details[0].value, 900)
})

test('context and interaction are kept up to 16 KB each', async () => {
  const note = (bytes: number) => ({
    ...moment,
    timestamp: now - 120_000,
    context: { text: 'x'.repeat(bytes) },
  })
  assert.equal((await ingest(note(16_000))).status, 201)
  assert.equal((await ingest({ ...note(16_000), wellness_metrics: {} })).status, 200)
  const ghost = { ...note(10), wellness_metrics: {}, device_id: 'ghost' }
  assert.equal(code(await ingest(ghost)), '404 NOT_FOUND')
  const large = await ingest(note(16_500))
  assert.equal(code(large), '413 TOO_LARGE')
  assert.equal(large.json.error.details[0].path, 'context')
})

test('a time more than 10 minutes ahead is refused, with values or without', async () => {
  const ahead = { ...moment, timestamp: now + 11 * 60_000 }
  assert.equal(code(await ingest(ahead)), '422 FUTURE_TIMESTAMP')
  assert.equal(code(await ingest({ ...ahead, wellness_metrics: {} })), '422 FUTURE_TIMESTAMP')
  assert.equal((await ingest({ ...moment, timestamp: now + 9 * 60_000 })).status, 201)
  assert.equal(code(await bulk([{ ts: now + 3_600_000, hr: 70 }])), '422 FUTURE_TIMESTAMP')
})

test('numbers below 1e11 are seconds; a wall clock is the person’s, and only seed routes take one', async () => {
  const child = await hub.post('/people', owner, { name: 'Zoe', timezone: 'America/New_York' })
  const send = (timestamp: unknown) => ingest({ child_id: child.id, timestamp, wellness_metrics: { hr: 70 } })
  const stamps: unknown[] = [
    1_700_000_000,
    1_700_000_060_000,
    '2023-11-14T17:15:00',
    '2023-11-14T23:16:00+01:00',
  ]
  for (const stamp of stamps) assert.equal((await send(stamp)).status, 201, String(stamp))
  const found = await points(child.id, 'heart_rate', '&from=1700000000&to=1700001000')
  assert.deepEqual(
    found.map(({ ts }: { ts: string }) => ts),
    [
      '2023-11-14T22:13:20.000Z',
      '2023-11-14T22:14:20.000Z',
      '2023-11-14T22:15:00.000Z',
      '2023-11-14T22:16:00.000Z',
    ],
  )
  assert.equal(code(await send('yesterday')), '400 VALIDATION_ERROR')
  const naive = `/api/v1/people/${child.id}/observations?metric=hr&from=2023-11-14T17:00:00`
  assert.equal(code(await hub.ask('GET', naive, { token: owner })), '400 VALIDATION_ERROR')
})

test('a bulk upload answers item by item; 422 only when nothing landed', async () => {
  const at = now - 300_000
  const sent = [
    { ts: at, metric: 'hr', value: 70 },
    { timestamp: new Date(at + 1000).toISOString(), hr: 71, spo2: 98 },
    { ts: at + 2000, metric: 'heart_rate', value: 900 },
    { ts: at + 3000, metric: 'karma', value: 1 },
    'nonsense',
  ]
  const mixed = await bulk(sent)
  assert.equal(mixed.status, 200)
  assert.deepEqual([mixed.json.data.accepted, mixed.json.data.duplicates], [2, 0])
  assert.deepEqual(
    mixed.json.data.rejected.map((one: { index: number; code: string }) => [one.index, one.code]),
    [
      [2, 'OUT_OF_RANGE'],
      [3, 'UNKNOWN_METRIC'],
      [4, 'VALIDATION_ERROR'],
    ],
  )
  const again = await bulk(sent.slice(0, 2))
  assert.deepEqual([again.status, again.json.data.duplicates], [200, 2])
  const none = await bulk(sent.slice(2))
  assert.equal(none.status, 422)
  assert.equal(none.json.success, false)
  const corrected = await bulk([{ ts: at, metric: 'heart_rate', value: 75 }])
  assert.deepEqual([corrected.json.data.accepted, corrected.json.data.duplicates], [1, 0])
  const [first] = await points('child_1', 'heart_rate', `&from=${at}&to=${at + 1}`)
  assert.deepEqual([first.value, first.revision], [75, 1])
})

test('units, scales, aliases and censoring are taken as the contract says', async () => {
  const at = now - 600_000
  const taken = await bulk([
    { ts: at, metric: 'glucose', value: 5.5, unit: 'mmol/L' },
    { ts: at + 1, metric: 'glucose', value: 40, censored: 'low' },
    { ts: at, metric: 'stress', value: 60, scale: 100 },
    { ts: at, metric: 'stress_level', value: 0.2, person: 'child_2' },
    { ts: at, metric: 'hrv', value: 45 },
    { ts: at, metric: 'rr', value: [800, 810] },
    { ts: at, metric: 'mood_rating', value: 7 },
    { ts: at, metric: 'recovery_score', value: 66 },
    { ts: at, metric: 'position', value: { lat: 52.5, lon: 13.4, accuracy: 5 } },
  ])
  assert.deepEqual(taken.json.data.rejected, [])
  const latest = await hub.get('/people/child_1/latest', owner)
  const [glucose, low] = await points('child_1', 'glucose')
  assert.ok(Math.abs(glucose.value - 99.0858) < 1e-6)
  assert.deepEqual([low.value, low.censored], [40, 'low'])
  assert.deepEqual((await points('child_1', 'stress', `&from=${at}&to=${at + 1}`))[0].value, 0.6)
  assert.deepEqual([latest.hrv_rmssd.value, latest.mood.value, latest.recovery.value], [45, 7, 66])
  assert.deepEqual(latest.position.value, { lat: 52.5, lon: 13.4, accuracy_m: 5 })
  assert.equal((await hub.get('/people/child_2/latest', owner)).stress.value, 0.2)
  assert.equal((await points('child_1', 'rr_interval')).length, 2)
})

test('every range of the contract holds: its ends are taken, what lies beyond is not', async () => {
  const ranges: Record<string, [number, number]> = {
    heart_rate: [20, 250],
    rr_interval: [240, 3000],
    hrv_rmssd: [0, 400],
    hrv_sdnn: [0, 400],
    spo2: [50, 100],
    respiratory_rate: [3, 80],
    skin_temp: [10, 45],
    body_temp: [30, 44],
    stress: [0, 1],
    activity: [0, 1],
    glucose: [20, 600],
    recovery: [0, 100],
    strain: [0, 21],
    sleep_quality: [0, 10],
    mood: [1, 10],
    battery: [0, 100],
  }
  let at = now - 3_000_000
  for (const [metric, [low, high]] of Object.entries(ranges)) {
    at += 1000
    const sent = [low - 0.01, low, high, high + 0.01].map((value, step) => ({ ts: at + step, metric, value }))
    const { accepted, rejected } = (await bulk(sent)).json.data
    const refused = rejected.map((one: { index: number; code: string }) => `${one.index} ${one.code}`)
    assert.deepEqual([metric, accepted, refused], [metric, 2, ['0 OUT_OF_RANGE', '3 OUT_OF_RANGE']])
  }
})

test('a device writes for its wearer without naming them, a member for themselves', async () => {
  const { key } = await addDevice(hub, owner, { person_id: 'child_2' })
  const body = { samples: [{ ts: now - 1000, hr: 64 }] }
  assert.equal((await hub.ask('POST', '/api/v1/health_data/ingest', { key, body })).status, 200)
  const seed = { timestamp: now - 2000, wellness_metrics: { hr: 65 } }
  assert.equal((await hub.ask('POST', '/api/v1/ingest', { key, body: seed })).status, 201)
  const token = await letIn(hub, owner, { role: 'member', person_id: 'child_2' })
  const own = await hub.ask('POST', '/api/v1/health_data/ingest', {
    token,
    body: { samples: [{ ts: now - 3000, hr: 66 }] },
  })
  assert.equal(own.json.data.accepted, 1)
  const other = { token, body: { ...moment, child_id: 'child_1' } }
  assert.equal(code(await hub.ask('POST', '/api/v1/ingest', other)), '404 NOT_FOUND')
  assert.equal((await points('child_2', 'heart_rate', `&from=${now - 3500}`)).length, 3)
})
