import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createRecords } from '../../../daemon/features/records/records.ts'
import { newId } from '../../../daemon/kernel/ids.ts'
import { GRAN, household, MIA, NURSE, OWNER, WATCH } from '../glucose/setup.ts'

type Shown = Record<string, unknown> & { id: string; revision: number }

const AT = '2026-03-14T07:30:00.000Z'
/** The seed's own sample. */
const NIGHT = {
  date: '2025-01-14',
  sleep_start: '2025-01-14T23:00:00Z',
  sleep_end: '2025-01-15T07:00:00Z',
  duration_minutes: 480,
  deep_sleep_minutes: 120,
  quality_score: 8.5,
  source: 'apple_watch',
}
const MEAL = { timestamp: AT, meal_type: 'breakfast', carbs_grams: 45.5, calories: 320, description: 'Müsli' }
const RUN = { timestamp: AT, activity_type: 'running', duration_minutes: 25, intensity: 'moderate' }

async function setup(t: TestContext) {
  const home = await household(t, (parts) => [
    createRecords({ ...parts, newId: () => newId(parts.now()) }).feature,
  ])
  const latest = async (personId = 'mia') =>
    Object.fromEntries(
      (await home.store.observations.latest(personId)).map(({ metric, value }) => [metric, value]),
    )
  return { ...home, latest }
}

test('a mood is kept with its words, and is an observation too', async (t) => {
  const { call, latest } = await setup(t)
  const mood = { rating: 7, notes: 'walked to school', context: { weather: 'sun' }, timestamp: AT }
  const { status, body } = await call<Shown>('POST', '/mood', MIA, mood)
  const { id, created_at, updated_at, ...rest } = body.data
  assert.equal(status, 201)
  assert.deepEqual(rest, {
    person_id: 'mia',
    ...mood,
    date: '2026-03-14',
    source: 'manual',
    revision: 0,
    deleted_at: null,
  })
  assert.deepEqual([created_at, updated_at], ['2026-03-14T08:00:00.000Z', '2026-03-14T08:00:00.000Z'])
  assert.deepEqual(await latest(), { mood: 7 })
  assert.deepEqual((await call<Shown[]>('GET', '/mood', MIA)).body.data, [body.data])
  assert.equal((await call<Shown>('GET', `/mood/${id}`, MIA)).body.data.id, id)
})

test('a night is kept with the date as sent and counts on the day of waking', async (t) => {
  const { call, latest } = await setup(t)
  const { status, body } = await call<Shown>('POST', '/sleep', MIA, NIGHT)
  assert.equal(status, 201)
  const { date, wake_date, duration_minutes, duration_from, rem_sleep_minutes, source } = body.data
  assert.deepEqual(
    [date, wake_date, duration_minutes, duration_from],
    ['2025-01-14', '2025-01-15', 480, 'sent'],
  )
  assert.deepEqual([rem_sleep_minutes, source], [null, 'apple_watch'])
  assert.deepEqual(await latest(), { sleep_duration: 28_800, sleep_quality: 8.5 })
  const listed = (query: string) => call<Shown[]>('GET', `/sleep?${query}`, MIA)
  assert.equal((await listed('from=2025-01-15&to=2025-01-15')).body.pagination.total, 1)
  assert.equal((await listed('from=2025-01-14&to=2025-01-14')).body.pagination.total, 0)
})

test('a night that was not measured is as long as its stages, or as the time in bed', async (t) => {
  const { call } = await setup(t)
  const spring = { sleep_start: '2025-03-29T23:00:00', sleep_end: '2025-03-30T07:00:00', awake_minutes: 20 }
  const night = (await call<Shown>('POST', '/sleep', MIA, spring)).body.data
  assert.deepEqual([night['duration_minutes'], night['duration_from']], [400, 'span'], 'clocks went forward')
  assert.deepEqual([night['wake_date'], night['date']], ['2025-03-30', null])
  const staged = { ...NIGHT, duration_minutes: null, light_sleep_minutes: 200, rem_sleep_minutes: 90 }
  const other = (await call<Shown>('POST', '/sleep', MIA, staged)).body.data
  assert.deepEqual([other['duration_minutes'], other['duration_from']], [410, 'stages'])
})

test('meals and activities are kept as the seed sends them', async (t) => {
  const { call } = await setup(t)
  const meal = (await call<Shown>('POST', '/meals', MIA, MEAL)).body.data
  assert.deepEqual(
    { ...MEAL, protein_grams: null, glycemic_load: null },
    Object.fromEntries(
      [...Object.keys(MEAL), 'protein_grams', 'glycemic_load'].map((name) => [name, meal[name]]),
    ),
  )
  const run = (await call<Shown>('POST', '/activities', MIA, RUN)).body.data
  assert.deepEqual(
    [run['activity_type'], run['duration_minutes'], run['heart_rate_avg']],
    ['running', 25, null],
  )
})

test('told twice a record is one, told otherwise a revision', async (t) => {
  const { call, latest } = await setup(t)
  const paths: [path: string, body: object, changed: object][] = [
    ['/mood', { rating: 7, notes: 'a', timestamp: AT }, { rating: 4 }],
    ['/sleep', NIGHT, { quality_score: 5 }],
    ['/meals', MEAL, { carbs_grams: 60 }],
    ['/activities', RUN, { duration_minutes: 30 }],
  ]
  for (const [path, body, changed] of paths) {
    const first = await call<Shown>('POST', path, MIA, body)
    const turned = Object.fromEntries(Object.entries(body).reverse())
    const again = await call<Shown>('POST', path, MIA, turned)
    assert.deepEqual([first.status, again.status, again.body.data], [201, 200, first.body.data], path)
    const other = await call<Shown>('POST', path, MIA, { ...body, ...changed })
    assert.deepEqual(
      [other.status, other.body.data.id, other.body.data.revision],
      [201, first.body.data.id, 1],
    )
    const { body: shown } = await call<{ history: { revision: number }[] }>(
      'GET',
      `${path}/${first.body.data.id}`,
      MIA,
    )
    assert.deepEqual(
      shown.data.history.map(({ revision }) => revision),
      [0],
    )
    assert.equal((await call<Shown[]>('GET', path, MIA)).body.pagination.total, 1)
  }
  assert.deepEqual(await latest(), { mood: 4, sleep_duration: 28_800, sleep_quality: 5 })
})

test('a record is corrected field by field, and its observations follow', async (t) => {
  const { call, store, latest } = await setup(t)
  const { id } = (await call<Shown>('POST', '/sleep', MIA, NIGHT)).body.data
  const later = { sleep_end: '2025-01-15T08:00:00Z', duration_minutes: 500, quality_score: null }
  const { status, body } = await call<Shown>('PATCH', `/sleep/${id}`, MIA, later)
  assert.deepEqual([status, body.data.revision, body.data['quality_score']], [200, 1, null])
  assert.equal(body.data['deep_sleep_minutes'], 120, 'absent fields stay')
  assert.deepEqual(await latest(), { sleep_duration: 30_000 })
  const range = { personId: 'mia', metric: 'sleep_duration', fromMs: 0, toMs: Date.parse(AT), limit: 10 }
  assert.equal(
    (await store.observations.range(range)).points.length,
    1,
    'the old waking holds nothing any more',
  )
  assert.equal((await call('PATCH', `/sleep/${id}`, MIA, { sleep_end: '2025-01-14T22:00:00Z' })).status, 422)
  assert.equal((await call('PATCH', `/sleep/${id}`, MIA, { dreams: 3 })).status, 400)
  assert.equal((await call<Shown>('PATCH', `/sleep/${id}`, MIA, {})).body.data.revision, 1)
})

test('a record that was deleted leaves lists and observations and stays in its history', async (t) => {
  const { call, latest } = await setup(t)
  const { id } = (await call<Shown>('POST', '/sleep', MIA, NIGHT)).body.data
  assert.equal((await call('DELETE', `/sleep/${id}`, MIA)).status, 200)
  assert.equal((await call('DELETE', `/sleep/${id}`, MIA)).status, 200)
  assert.equal((await call<Shown[]>('GET', '/sleep', MIA)).body.pagination.total, 0)
  assert.deepEqual(await latest(), {})
  const gone = await call<Shown & { history: { fields: object }[] }>('GET', `/sleep/${id}`, MIA)
  assert.equal(gone.body.data['deleted_at'], '2026-03-14T08:00:00.000Z')
  assert.equal(gone.body.data.history.length, 1)
  assert.equal((await call('PATCH', `/sleep/${id}`, MIA, { quality_score: 3 })).status, 410)
  const sync = await call<Shown>('POST', '/sleep', MIA, NIGHT)
  assert.deepEqual([sync.status, (await call<Shown[]>('GET', '/sleep', MIA)).body.pagination.total], [200, 0])
  assert.equal((await call('POST', '/sleep', MIA, { ...NIGHT, quality_score: 3 })).status, 201)
  assert.equal((await call<Shown[]>('GET', '/sleep', MIA)).body.pagination.total, 1)
})

test('what cannot be is refused with the field and the reason', async (t) => {
  const { call, store } = await setup(t)
  const ahead = '2026-03-14T08:11:00Z'
  const refused: [path: string, body: object, status: number, code: string, field: string][] = [
    ['/mood', { rating: 11 }, 422, 'OUT_OF_RANGE', 'rating'],
    ['/mood', { rating: 0 }, 422, 'OUT_OF_RANGE', 'rating'],
    ['/mood', { rating: 'great' }, 400, 'VALIDATION_ERROR', 'rating'],
    ['/mood', {}, 400, 'VALIDATION_ERROR', 'rating'],
    ['/mood', { rating: 5, timestamp: ahead }, 422, 'FUTURE_TIMESTAMP', 'timestamp'],
    ['/mood', { rating: 5, timestamp: '31.12.2025' }, 400, 'VALIDATION_ERROR', 'timestamp'],
    ['/mood', { rating: 5, context: { text: 'x'.repeat(16_400) } }, 413, 'TOO_LARGE', 'context'],
    ['/mood', { rating: 5, id: 'mine' }, 400, 'VALIDATION_ERROR', 'id'],
    ['/sleep', { ...NIGHT, sleep_end: NIGHT.sleep_start }, 422, 'OUT_OF_RANGE', 'sleep_end'],
    ['/sleep', { ...NIGHT, sleep_end: '2025-01-16T07:00:00Z' }, 422, 'OUT_OF_RANGE', 'sleep_end'],
    ['/sleep', { ...NIGHT, duration_minutes: 600 }, 422, 'OUT_OF_RANGE', 'duration_minutes'],
    ['/sleep', { ...NIGHT, awake_minutes: 400 }, 422, 'OUT_OF_RANGE', 'awake_minutes'],
    ['/sleep', { ...NIGHT, quality_score: 85 }, 422, 'OUT_OF_RANGE', 'quality_score'],
    ['/sleep', { ...NIGHT, date: '2025-02-30' }, 400, 'VALIDATION_ERROR', 'date'],
    ['/sleep', { ...NIGHT, sleep_end: ahead, sleep_start: AT }, 422, 'FUTURE_TIMESTAMP', 'sleep_end'],
    ['/meals', { ...MEAL, carbs_grams: -1 }, 422, 'OUT_OF_RANGE', 'carbs_grams'],
    ['/meals', { ...MEAL, meal_type: 'brunch' }, 400, 'VALIDATION_ERROR', 'meal_type'],
    ['/meals', { meal_type: 'lunch' }, 400, 'VALIDATION_ERROR', 'timestamp'],
    ['/activities', { ...RUN, heart_rate_avg: 900 }, 422, 'OUT_OF_RANGE', 'heart_rate_avg'],
    ['/activities', { ...RUN, duration_minutes: 1441 }, 422, 'OUT_OF_RANGE', 'duration_minutes'],
    ['/activities', { ...RUN, intensity: 'insane' }, 400, 'VALIDATION_ERROR', 'intensity'],
    ['/activities', { ...RUN, source: 'a\nb' }, 400, 'VALIDATION_ERROR', 'source'],
  ]
  for (const [path, body, status, code, field] of refused) {
    const answer = await call('POST', path, MIA, body)
    const { error } = answer.body
    assert.deepEqual(
      [answer.status, error.code, error.details[0]?.path],
      [status, code, field],
      `${path} ${field}`,
    )
  }
  assert.deepEqual(await store.observations.latest('mia'), [])
  assert.equal(store.get<{ n: number }>('SELECT count(*) AS n FROM record')?.n, 0)
})

test('records follow their class of data, and who may not see one does not learn of it', async (t) => {
  const { call } = await setup(t)
  const mood = (await call<Shown>('POST', '/mood', GRAN, { person_id: 'mia', rating: 6 })).body.data
  const meal = (await call<Shown>('POST', '/meals', MIA, MEAL)).body.data
  assert.equal((await call('POST', '/meals', GRAN, { person_id: 'mia', ...MEAL })).status, 403)
  assert.equal((await call('GET', '/meals?person_id=mia', GRAN)).status, 403)
  assert.equal((await call('GET', `/meals/${meal.id}`, NURSE)).status, 200)
  assert.equal((await call('DELETE', `/meals/${meal.id}`, NURSE)).status, 403)
  assert.equal((await call('GET', `/mood/${mood.id}`, NURSE)).status, 403)
  assert.equal((await call('GET', `/meals/${mood.id}`, MIA)).status, 404, 'a mood is no meal')
  const leos = (await call<Shown>('POST', '/mood', OWNER, { person_id: 'leo', rating: 6 })).body.data
  const unseen = await call('PATCH', `/mood/${leos.id}`, GRAN, { rating: 1 })
  const missing = await call('PATCH', '/mood/nothing', GRAN, { rating: 1 })
  assert.deepEqual([unseen.status, unseen.body.error], [404, missing.body.error])
  assert.equal((await call('POST', '/mood', GRAN, { person_id: 'leo', rating: 6 })).status, 404)
})

test("a device's record belongs to whoever wore it then", async (t) => {
  const { call } = await setup(t)
  const night = await call<Shown>('POST', '/sleep', WATCH, NIGHT)
  assert.deepEqual([night.status, night.body.data['person_id']], [201, 'leo'])
  const mood = await call<Shown>('POST', '/mood', WATCH, { rating: 8 })
  assert.deepEqual([mood.body.data['person_id'], mood.body.data['source']], ['mia', 'watch'])
  assert.equal((await call('GET', '/mood', WATCH)).status, 403)
})

test('lists are paged, newest first', async (t) => {
  const { call } = await setup(t)
  for (let hour = 0; hour < 5; hour += 1)
    await call('POST', '/mood', MIA, { rating: hour + 1, timestamp: `2026-03-13T1${hour}:00:00Z` })
  const { body } = await call<Shown[]>('GET', '/mood?per_page=2&page=2', MIA)
  assert.deepEqual(
    body.data.map(({ rating }) => rating),
    [3, 2],
  )
  assert.deepEqual([body.pagination.total, body.pagination.pages], [5, 3])
  assert.equal((await call('GET', '/mood?from=2026-03-16&to=2026-03-14', MIA)).status, 400)
})

test('uploads of one night at once make one record', async (t) => {
  const { call } = await setup(t)
  const answers = await Promise.all([1, 2, 3, 4].map(() => call<Shown>('POST', '/sleep', MIA, NIGHT)))
  assert.equal(new Set(answers.map(({ body }) => body.data.id)).size, 1)
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 201])
})
