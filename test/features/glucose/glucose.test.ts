import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createGlucose } from '../../../daemon/features/glucose/glucose.ts'
import { GRAN, household, MIA, NURSE, OWNER, setup, WATCH } from './setup.ts'

interface Reading {
  id: string
  person_id: string
  timestamp: string
  value: number
  source: string
  device_id: string | null
  device: string
  censored?: string
  revision: number
}
interface Bulk {
  accepted: number
  duplicates: number
  rejected: { index: number; code: string; message: string; path: string }[]
}
type Summary = Record<string, number | null> & {
  sufficient: boolean
  shortages: string[]
  reasons: Record<string, string>
  readings: number
}

const FIXTURES = fileURLToPath(new URL('../../fixtures/cgm/', import.meta.url))
const AT = '2026-03-14T07:30:00.000Z'
const MIDNIGHT = Date.UTC(2026, 2, 12, 23)
const MINUTE_MS = 60_000

/** A day of a five-minute sensor in Berlin, from midnight on. */
function day(source: string, value = (index: number) => 100 + (index % 40), lateMs = 0, fromMs = MIDNIGHT) {
  return Array.from({ length: 288 }, (_, index) => ({
    timestamp: fromMs + index * 5 * MINUTE_MS + lateMs,
    value: value(index),
    source,
  }))
}

test('a reading is kept as the seed sends it', async (t) => {
  const { call } = await setup(t)
  const reading = { timestamp: AT, value: 95, source: 'dexcom_g7', device_id: 'G7 4A2B' }
  const { status, body } = await call<Reading>('POST', '/glucose/readings', MIA, reading)
  assert.equal(status, 201)
  const { id, ...rest } = body.data
  assert.deepEqual(rest, {
    person_id: 'mia',
    timestamp: AT,
    value: 95,
    unit: 'mg/dL',
    source: 'dexcom_g7',
    device_id: 'G7 4A2B',
    device: 'source-dexcom_g7',
    revision: 0,
  })
  const listed = await call<Reading[]>('GET', '/glucose/readings?start=2026-03-14&end=x', MIA)
  assert.equal(listed.status, 400)
  const window = '/glucose/readings?start=2026-03-14T07:00:00Z&end=2026-03-14T08:00:00Z'
  assert.deepEqual((await call<Reading[]>('GET', window, MIA)).body.data, [body.data])
  assert.equal((await call<Reading>('GET', `/glucose/readings/${id}`, MIA)).body.data.value, 95)
})

test('the same reading again is a duplicate, another value at its instant a revision', async (t) => {
  const { call } = await setup(t)
  const send = (value: number) => call<Reading>('POST', '/glucose/readings', MIA, { timestamp: AT, value })
  assert.equal((await send(95)).status, 201)
  assert.equal((await send(95)).status, 200)
  const corrected = await send(97)
  assert.deepEqual([corrected.status, corrected.body.data.value, corrected.body.data.revision], [201, 97, 1])
  const { body } = await call<{ history: object[] }>(
    'GET',
    `/glucose/readings/${corrected.body.data.id}`,
    MIA,
  )
  assert.deepEqual(body.data.history, [{ revision: 0, value: 95, source: 'manual' }])
})

test('mmol/L is converted, and the words of a sensor at its end are kept as censored', async (t) => {
  const { call } = await setup(t)
  const sent: [reading: object, value: number, censored: string | undefined][] = [
    [{ value: 5.5, unit: 'mmol/L' }, 99.0858, undefined],
    [{ value: 'Low', source: 'dexcom_g6' }, 39, 'low'],
    [{ value: 'High', source: 'dexcom_g6' }, 401, 'high'],
    [{ value: 'HI', source: 'freestyle-libre' }, 501, 'high'],
    [{ value: 40, censored: 'low' }, 40, 'low'],
  ]
  for (const [reading, value, censored] of sent) {
    const { body } = await call<Reading>('POST', '/glucose/readings', MIA, { timestamp: AT, ...reading })
    assert.deepEqual([body.data.value, body.data.censored], [value, censored])
  }
})

test('what cannot be a reading is refused with the reason', async (t) => {
  const { call, store } = await setup(t)
  const refused: [reading: object, status: number, code: string, path: string][] = [
    [{ timestamp: AT, value: 900 }, 422, 'OUT_OF_RANGE', 'value'],
    [{ timestamp: AT, value: 5.5 }, 422, 'OUT_OF_RANGE', 'value'],
    [{ timestamp: '2026-03-14T08:11:00Z', value: 95 }, 422, 'FUTURE_TIMESTAMP', 'timestamp'],
    [{ timestamp: '1899-03-14T08:11:00Z', value: 95 }, 422, 'OUT_OF_RANGE', 'timestamp'],
    [{ timestamp: 'yesterday', value: 95 }, 400, 'VALIDATION_ERROR', 'timestamp'],
    [{ timestamp: AT, value: 95, unit: 'stone' }, 400, 'VALIDATION_ERROR', 'unit'],
    [{ timestamp: AT, value: 'Mittel' }, 400, 'VALIDATION_ERROR', 'value'],
    [{ timestamp: AT, value: null }, 400, 'VALIDATION_ERROR', 'value'],
    [{ timestamp: AT, value: 95, source: '<b>' }, 400, 'VALIDATION_ERROR', 'source'],
    [{ timestamp: AT, value: 95, mood: 3 }, 400, 'VALIDATION_ERROR', 'mood'],
    [{ value: 95 }, 400, 'VALIDATION_ERROR', 'timestamp'],
  ]
  for (const [reading, status, code, path] of refused) {
    const answer = await call('POST', '/glucose/readings', MIA, reading)
    const { error } = answer.body
    assert.deepEqual([answer.status, error.code, error.details[0]?.path], [status, code, path], code + path)
  }
  assert.match(
    (await call('POST', '/glucose/readings', MIA, { timestamp: AT, value: 5.5 })).body.error.message,
    /mmol\/L/,
  )
  assert.deepEqual(await store.observations.latest('mia'), [])
})

test('a bulk upload is judged reading by reading', async (t) => {
  const { call } = await setup(t)
  const readings = [
    { timestamp: AT, value: 95, source: 'dexcom_g7' },
    { timestamp: AT, value: 95, source: 'dexcom_g7' },
    { timestamp: AT, value: 9000 },
    { timestamp: AT },
    { timestamp: AT, value: 95, aura: 1 },
    'no reading',
    { timestamp: '2027-01-01T00:00:00Z', value: 95 },
    { timestamp: '2026-03-14T08:35:00', value: 96, source: 'dexcom_g7' },
  ]
  const { status, body } = await call<Bulk>('POST', '/glucose/bulk', MIA, { readings })
  assert.equal(status, 200)
  assert.deepEqual([body.data.accepted, body.data.duplicates], [2, 1])
  assert.deepEqual(
    body.data.rejected.map(({ index, code, path }) => [index, code, path]),
    [
      [2, 'OUT_OF_RANGE', 'value'],
      [3, 'VALIDATION_ERROR', 'value'],
      [4, 'VALIDATION_ERROR', 'aura'],
      [5, 'VALIDATION_ERROR', ''],
      [6, 'FUTURE_TIMESTAMP', 'timestamp'],
    ],
  )
  assert.equal(body.data.rejected[2]?.message, 'is not a field of a reading')
  const listed = await call<Reading[]>('GET', '/glucose/readings', MIA)
  assert.deepEqual(
    listed.body.data.map(({ timestamp }) => timestamp),
    [AT, '2026-03-14T07:35:00.000Z'],
    "a time without offset is the person's wall clock",
  )
})

test('an upload of which nothing lands is 422, an upload of 10,001 readings is refused whole', async (t) => {
  const { call } = await setup(t)
  const none = await call<Bulk>('POST', '/glucose/bulk', MIA, { readings: [{ timestamp: AT, value: 9000 }] })
  assert.deepEqual([none.status, none.body.error.code], [422, 'OUT_OF_RANGE'])
  const readings = Array.from({ length: 10_001 }, (_, i) => ({
    timestamp: 1_700_000_000 + i * 300,
    value: 100,
  }))
  assert.equal((await call('POST', '/glucose/bulk', MIA, { readings })).status, 400)
  const fits = await call<Bulk>('POST', '/glucose/bulk', MIA, { readings: readings.slice(1) })
  assert.equal(fits.body.data.accepted, 10_000)
  const again = await call<Bulk>('POST', '/glucose/bulk', MIA, { readings: readings.slice(1) })
  assert.deepEqual([again.body.data.accepted, again.body.data.duplicates], [0, 10_000])
})

test("on the seed's own path the seed's own sample is taken", async (t) => {
  const { call } = await setup(t)
  const readings = [
    { timestamp: '2025-01-15T08:00:00Z', value: 95.0, source: 'dexcom_g7' },
    { timestamp: '2025-01-15T08:05:00Z', value: 98.0, source: 'dexcom_g7' },
  ]
  const { body } = await call('POST', '/api/glucose/bulk', MIA, { readings })
  assert.equal((body as unknown as Bulk).accepted, 2)
})

test('two uploaders of one sensor give the readings of one, the other fills its holes', async (t) => {
  const { call } = await setup(t)
  const direct = day('dexcom_g7').filter((_, index) => index < 100 || index >= 130)
  await call('POST', '/glucose/bulk', MIA, { readings: direct })
  await call('POST', '/glucose/bulk', MIA, { readings: day('apple_health', (i) => 101 + (i % 40), 20_000) })
  const { body } = await call<Summary>('GET', '/glucose/daily-summary?date=2026-03-13', MIA)
  assert.equal(body.data.readings, 288)
  const window = `/glucose/readings?from=${MIDNIGHT}&to=${MIDNIGHT + 86_400_000}&per_page=200`
  const pages = await Promise.all([1, 2].map((page) => call<Reading[]>('GET', `${window}&page=${page}`, MIA)))
  assert.equal(pages[0]?.body.pagination.total, 288)
  const sources = pages.flatMap((page) => page.body.data.map(({ source }) => source))
  assert.equal(sources.filter((source) => source === 'apple_health').length, 30)
})

test('the household decides which of two paired uploaders is believed', async (t) => {
  const { call, store } = await setup(t)
  const readings = (device_id: string, value: number) =>
    day('cgm', () => value).map((reading) => ({ ...reading, device_id }))
  await call('POST', '/glucose/bulk', OWNER, { person_id: 'mia', readings: readings('watch-1', 100) })
  await call('POST', '/glucose/bulk', OWNER, { person_id: 'mia', readings: readings('phone-2', 120) })
  const mean = async () =>
    (await call<Summary>('GET', '/glucose/daily-summary?date=2026-03-13', MIA)).body.data['avg_glucose']
  assert.equal(await mean(), 120)
  await store.write([{ sql: `UPDATE device SET rank = 5 WHERE id = 'watch-1'` }])
  assert.equal(await mean(), 100)
})

test('a summary has the seed’s names and says that one day is no report', async (t) => {
  const { call } = await setup(t)
  await call('POST', '/glucose/bulk', MIA, { readings: day('dexcom_g7', (i) => (i % 4 === 0 ? 190 : 110)) })
  const { body } = await call<Summary>('GET', '/glucose/daily-summary?date=2026-03-13', MIA)
  const { avg_glucose, min_glucose, max_glucose, time_in_range_percent, time_above_range_percent } = body.data
  assert.deepEqual(
    [avg_glucose, min_glucose, max_glucose, time_in_range_percent, time_above_range_percent],
    [130, 110, 190, 75, 25],
  )
  assert.equal(body.data['time_below_range_percent'], 0)
  assert.equal(body.data['gmi'], 3.31 + 0.02392 * 130)
  assert.deepEqual([body.data.sufficient, body.data.shortages], [false, ['under_14_days']])
  assert.deepEqual(body.data['modd'], null)
  assert.match(body.data.reasons['modd'] ?? '', /a day apart/)
})

test('a day without readings is a summary of nothing, with the reasons', async (t) => {
  const { call } = await setup(t)
  const { status, body } = await call<Summary>('GET', '/glucose/daily-summary', MIA)
  assert.deepEqual([status, body.data.readings, body.data['avg_glucose']], [200, 0, null])
  assert.equal(body.data.reasons['avg_glucose'], 'no readings')
  assert.deepEqual(body.data.shortages, ['no_readings', 'under_14_days', 'under_70_percent_wear'])
  assert.equal((await call('GET', '/glucose/daily-summary?date=2026-02-30', MIA)).status, 400)
  assert.equal((await call('GET', '/glucose/daily-summary?days=93', MIA)).status, 400)
})

test('fourteen worn days are a report, and a late reading is in it at once', async (t) => {
  const { call } = await setup(t)
  for (let back = 1; back <= 14; back += 1) {
    const readings = day('dexcom_g7', () => 100, 0, MIDNIGHT + (1 - back) * 86_400_000)
    await call('POST', '/glucose/bulk', MIA, { readings: back === 1 ? readings.slice(0, 287) : readings })
  }
  const url = '/glucose/daily-summary?date=2026-03-13&days=14&profile=true'
  const report = (await call<Summary & { profile: unknown[] }>('GET', url, MIA)).body.data
  assert.deepEqual([report.sufficient, report.shortages, report.readings], [true, [], 14 * 288 - 1])
  assert.equal(report.profile.length, 96)
  await call('POST', '/glucose/readings', MIA, { timestamp: MIDNIGHT + 86_400_000 + MINUTE_MS, value: 100 })
  const dateless = (await call<Summary>('GET', '/glucose/daily-summary?days=14', MIA)).body.data
  assert.deepEqual([dateless['date'], dateless.sufficient], ['2026-03-13', true], 'today is not over')
  const late = { timestamp: MIDNIGHT + 287 * 5 * MINUTE_MS, value: 100 + 14 * 288, source: 'dexcom_g7' }
  await call('POST', '/glucose/readings', MIA, { ...late, value: 500 })
  const after = (await call<Summary>('GET', url, MIA)).body.data
  assert.deepEqual([after.readings, after['max_glucose']], [14 * 288, 500])
})

test('the day on which clocks are set back holds 300 readings', async (t) => {
  const { call } = await setup(t)
  const fromMs = Date.UTC(2025, 9, 25, 22)
  const readings = Array.from({ length: 300 }, (_, i) => ({
    timestamp: fromMs + i * 5 * MINUTE_MS,
    value: 100,
  }))
  await call('POST', '/glucose/bulk', MIA, { readings })
  const { body } = await call<Summary>('GET', '/glucose/daily-summary?date=2025-10-26', MIA)
  assert.equal(body.data.readings, 300)
})

test('a reading is corrected and taken back by its id, and stays visible in its history', async (t) => {
  const { call, store } = await setup(t)
  const { id } = (await call<Reading>('POST', '/glucose/readings', MIA, { timestamp: AT, value: 95 })).body
    .data
  const patched = await call<Reading>('PATCH', `/glucose/readings/${id}`, MIA, { value: 6, unit: 'mmol/L' })
  assert.deepEqual([patched.status, patched.body.data.value, patched.body.data.revision], [200, 108.0936, 1])
  assert.equal((await call('PATCH', `/glucose/readings/${id}`, MIA, { value: 900 })).status, 422)
  assert.equal((await call('DELETE', `/glucose/readings/${id}`, MIA)).status, 200)
  assert.equal((await call<Reading[]>('GET', '/glucose/readings', MIA)).body.pagination.total, 0)
  assert.deepEqual(await store.observations.latest('mia'), [])
  const gone = await call<{ deleted: boolean; history: { value: number }[] }>(
    'GET',
    `/glucose/readings/${id}`,
    MIA,
  )
  assert.equal(gone.body.data.deleted, true)
  assert.deepEqual(
    gone.body.data.history.map(({ value }) => value),
    [95, 108.0936],
  )
  assert.equal((await call('PATCH', `/glucose/readings/${id}`, MIA, { value: 90 })).status, 410)
  const again = await call<Reading>('POST', '/glucose/readings', MIA, { timestamp: AT, value: 95 })
  assert.equal(again.status, 201)
  await call('PATCH', `/glucose/readings/${id}`, MIA, { value: 94 })
  const whole = await call<{ history: { revision: number; value: number }[] }>(
    'GET',
    `/glucose/readings/${id}`,
    MIA,
  )
  assert.deepEqual(
    whole.body.data.history.map(({ value, revision }) => [revision, value]),
    [
      [0, 95],
      [1, 108.0936],
      [2, 95],
    ],
  )
})

test('glucose is its own class of data', async (t) => {
  const { call } = await setup(t)
  const reading = { person_id: 'mia', timestamp: AT, value: 95 }
  const { id } = (await call<Reading>('POST', '/glucose/readings', MIA, reading)).body.data
  assert.equal((await call('POST', '/glucose/readings', GRAN, reading)).status, 403)
  assert.equal((await call('GET', '/glucose/readings?person_id=mia', GRAN)).status, 403)
  assert.equal((await call('GET', `/glucose/readings/${id}`, GRAN)).status, 403)
  assert.equal((await call('GET', '/glucose/daily-summary?person_id=mia', NURSE)).status, 200)
  assert.equal((await call('GET', `/glucose/readings/${id}`, NURSE)).status, 200)
  assert.equal((await call('DELETE', `/glucose/readings/${id}`, NURSE)).status, 403)
  assert.equal(
    (await call('POST', '/glucose/bulk', NURSE, { person_id: 'mia', readings: [reading] })).status,
    403,
  )
  const leos = { ...reading, person_id: 'leo' }
  const { id: hidden } = (await call<Reading>('POST', '/glucose/readings', OWNER, leos)).body.data
  const unseen = await call('GET', `/glucose/readings/${hidden}`, MIA)
  const missing = await call('GET', '/glucose/readings/g1-1-zzz', MIA)
  assert.deepEqual([unseen.status, unseen.body.error], [404, missing.body.error])
  assert.equal((await call('GET', '/glucose/readings?person_id=leo', MIA)).status, 404)
})

test("a device's readings belong to whoever wore it then", async (t) => {
  const { call } = await setup(t)
  const readings = [
    { timestamp: '2026-02-01T08:00:00Z', value: 91 },
    { timestamp: AT, value: 102 },
  ]
  assert.equal((await call<Bulk>('POST', '/glucose/bulk', WATCH, { readings })).body.data.accepted, 2)
  const window = 'from=2026-01-30T00:00:00Z&to=2026-03-15T00:00:00Z'
  const of = async (person: string) =>
    (await call<Reading[]>('GET', `/glucose/readings?${window}&person_id=${person}`, OWNER)).body.data
  assert.deepEqual(
    (await of('leo')).map(({ value, device }) => [value, device]),
    [[91, 'watch-1']],
  )
  assert.deepEqual(
    (await of('mia')).map(({ value }) => value),
    [102],
  )
})

test('a sensor named like somebody else’s device is only a name', async (t) => {
  const { call } = await setup(t)
  const reading = { timestamp: '2026-02-01T08:00:00Z', value: 95, device_id: 'watch-1' }
  const { body } = await call<Reading>('POST', '/glucose/readings', MIA, reading)
  assert.deepEqual([body.data.person_id, body.data.device, body.data.device_id], ['mia', 'manual', 'watch-1'])
})

test('a report equals the reference to the digit, wall-clock times and all', async (t) => {
  const { call } = await setup(t)
  const { metrics } = JSON.parse(await readFile(`${FIXTURES}sim_2_subjects.expected.json`, 'utf8'))
  const rows = (await readFile(`${FIXTURES}sim_2_subjects.csv`, 'utf8')).trim().split('\n').slice(1)
  const readings = rows
    .map((row) => row.split(','))
    .filter(([id, , value]) => id === 'sim A' && value !== '')
    .map(([, time = '', value]) => ({
      timestamp: time.replace(' ', 'T'),
      value: Number(value),
      source: 'cgm',
    }))
  const { accepted } = (await call<Bulk>('POST', '/glucose/bulk', MIA, { readings })).body.data
  assert.equal(accepted, readings.length)
  const url = '/glucose/daily-summary?date=2025-03-11&days=9'
  const report = (await call<Summary>('GET', url, MIA)).body.data
  const reference: [name: string, expected: number][] = [
    ['avg_glucose', metrics.mean[0].mean],
    ['std_glucose', metrics.sd[0].SD],
    ['cv', metrics.cv[0].CV],
    ['gmi', metrics.gmi[0].GMI],
    ['min_glucose', metrics.quantile[0]['0']],
    ['max_glucose', metrics.quantile[0]['100']],
    ['time_in_range_percent', metrics.in_range[0].in_range_70_180],
    ['tight_range_percent', metrics.in_range[0].in_range_70_140],
    ['time_above_range_percent', metrics.above[0].above_180],
    ['time_below_range_percent', metrics.below[0].below_70],
    ['lbgi', metrics.lbgi[0].LBGI],
    ['hbgi', metrics.hbgi[0].HBGI],
    ['adrr', metrics.adrr[0].ADRR],
    ['j_index', metrics.j_index[0].J_index],
    ['grade', metrics.grade[0].GRADE],
    ['gri', metrics.gri[0].GRI],
    ['conga_24h', metrics.conga_n24[0].CONGA],
    ['conga_1h', metrics.conga_n1[0].CONGA],
    ['modd', metrics.modd_lag1[0].MODD],
    ['mage', metrics.mage_avg[0].MAGE],
    ['wear_percent', metrics.active_percent[0].active_percent],
  ]
  for (const [name, expected] of reference) {
    const found = report[name] ?? Number.NaN
    assert.ok(
      Math.abs(found - expected) <= 1e-6 * Math.max(1, expected),
      `${name}: ${found}, not ${expected}`,
    )
  }
})

test('a correction of nothing but the scale’s end is a revision, and keeps the value', async (t) => {
  const { call } = await setup(t)
  const sent = { timestamp: AT, value: 39 }
  const { id } = (await call<Reading>('POST', '/glucose/readings', MIA, sent)).body.data
  const marked = await call<Reading>('PATCH', `/glucose/readings/${id}`, MIA, { censored: 'low' })
  const shown = ({ value, censored, revision }: Reading & { censored?: string }) => [
    value,
    censored,
    revision,
  ]
  assert.deepEqual(shown(marked.body.data), [39, 'low', 1])
  const cleared = await call<Reading>('PATCH', `/glucose/readings/${id}`, MIA, { censored: null })
  assert.deepEqual(shown(cleared.body.data), [39, undefined, 2])
  assert.equal((await call('PATCH', `/glucose/readings/${id}`, MIA, {})).status, 400)
  assert.equal((await call('PATCH', `/glucose/readings/${id}`, MIA, { unit: 'mmol/L' })).status, 400)
})

test('time in one’s own range stands beside time in the range of the consensus', async (t) => {
  const { call } = await household(t, (parts) => [
    createGlucose({ ...parts, targetOf: () => ({ minMgPerDl: 80, maxMgPerDl: 140 }) }).feature,
  ])
  for (const [minute, value] of [75, 100, 140, 160].entries())
    await call('POST', '/glucose/readings', MIA, {
      timestamp: Date.parse(AT) + minute * 300_000 - 3_600_000,
      value,
    })
  const { data } = (await call<Record<string, number>>('GET', '/glucose/daily-summary', MIA)).body
  assert.deepEqual(
    ['in', 'above', 'below'].flatMap((part) => [
      data[`time_${part}_target_percent`],
      data[`time_${part}_range_percent`],
    ]),
    [50, 100, 25, 0, 25, 0],
  )
  assert.deepEqual([data['target_glucose_min'], data['target_glucose_max']], [80, 140])
})
