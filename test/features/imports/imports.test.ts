import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { BATCH_ITEMS } from '../../../daemon/features/imports/batch.ts'
import { sourceName } from '../../../daemon/features/imports/source-name.ts'
import { fixturePath } from '../../firmware-bridge/fixtures.ts'
import { zipOf } from '../../firmware-bridge/import/setup.ts'
import { GRAN, MIA, NURSE, OWNER, WATCH } from '../glucose/setup.ts'
import { type Left, setup } from './setup.ts'

const rows = (store: { get<Row>(sql: string): Row | undefined }, what: string) =>
  store.get<{ n: number }>(`SELECT count(*) AS n FROM ${what}`)?.n

const entry = (type: string, value: string, unit: string, at: string) =>
  `<Record type="HKQuantityTypeIdentifier${type}" sourceName="Uhr" unit="${unit}" startDate="${at}" endDate="${at}" value="${value}"/>`
const health = (...records: string[]) =>
  `<?xml version="1.0"?><HealthData locale="de_DE">${records.join('\n')}</HealthData>`

test('an Apple Health export lands as values, nights and activities; once more it adds nothing', async (t) => {
  const { bring, store, folder } = await setup(t)
  const file = readFileSync(fixturePath('apple/export.xml'))
  const first = await bring('kind=apple-health', file)
  assert.equal(first.status, 'finished', String(first.error))
  assert.ok(first.accepted > 10, `${first.accepted} accepted`)
  const kept = [rows(store, 'observation'), rows(store, 'record')]
  assert.ok((kept[1] ?? 0) > 0)
  const again = await bring('kind=auto', file)
  assert.deepEqual([again.accepted, again.revised], [0, 0])
  assert.equal(again.duplicates, first.accepted + first.duplicates)
  assert.deepEqual([rows(store, 'observation'), rows(store, 'record')], kept)
  assert.deepEqual(readdirSync(folder), [], 'a file that was read is gone')
})

for (const [kind, name] of [
  ['health-auto-export', 'apple/health-auto-export.json'],
  ['clarity', 'cgm/dexcom-clarity.csv'],
  ['libreview', 'cgm/libreview.csv'],
  ['dexcom', 'cgm/dexcom-api-v3-egvs.json'],
  ['fit', 'training/session.fit'],
  ['gpx', 'training/session.gpx'],
  ['tcx', 'training/session.tcx'],
  ['nightscout', 'nightscout/v1-requests.json'],
  ['health-connect', 'healthconnect/Health Connect.zip'],
  ['fitbit', 'fitbit/heart_rate-2026-03-14.json'],
] as const) {
  test(`a file of kind ${kind} is told by itself, and bringing it in twice adds nothing`, async (t) => {
    const { bring, store } = await setup(t)
    const path = fixturePath(name)
    const query = `kind=auto&date_order=DMY&file_name=${encodeURIComponent(name.replace(/^.*\//, ''))}`
    const first = await bring(query, readFileSync(path))
    assert.equal(first.status, 'finished', String(first.error))
    assert.ok(first.accepted > 0)
    const kept = [rows(store, 'observation'), rows(store, 'record'), rows(store, 'observation_revision')]
    const again = await bring(query, readFileSync(path))
    assert.deepEqual([again.status, again.accepted, again.revised], ['finished', 0, 0])
    assert.deepEqual(
      [rows(store, 'observation'), rows(store, 'record'), rows(store, 'observation_revision')],
      kept,
    )
  })
}

test('the future, the impossible and the unknown are left out one by one with their reasons', async (t) => {
  const { bring } = await setup(t)
  const done = await bring(
    'kind=apple-health',
    health(
      entry('HeartRate', '60', 'count/min', '2026-03-14 07:00:00 +0100'),
      entry('HeartRate', '900', 'count/min', '2026-03-14 07:01:00 +0100'),
      entry('HeartRate', '61', 'count/min', '2031-03-14 07:00:00 +0100'),
      entry('HeartRate', '62', 'count/min', '2026-03-14 07:00:00 +0100'),
      entry('HeartRate', '62', 'count/min', '1999-12-30 00:00:00 +0000'),
      entry('DietaryCarbohydrates', '62', 'g', '1999-12-30 00:00:00 +0000'),
    ),
  )
  assert.deepEqual([done.status, done.accepted, done.skipped], ['finished', 1, 5])
  assert.equal(done.left.filter(({ reason }) => reason.includes('before 2000-01-01')).length, 2)
  const reasons = done.left.map(({ reason }) => reason)
  assert.match(String(reasons.find((one) => one.includes('value:'))), /20.*250/)
  assert.ok(reasons.includes('the time lies in the future'))
  assert.ok(reasons.includes('this source told another value of the same instant before'))
})

test('insulin of the future is left out in plain words', async (t) => {
  const { bring } = await setup(t)
  const clarity = readFileSync(fixturePath('cgm/dexcom-clarity.csv'), 'utf8')
  const ahead = await bring('kind=clarity', Buffer.from(clarity.replaceAll('2026-03-14', '2031-03-14')))
  assert.equal(ahead.accepted, 0)
  assert.ok(ahead.left.some(({ where }) => where.startsWith('insulin at 2031-03-14')))
})

test('carbohydrates that Apple Health tells outside of a meal are meals, and what a meal repeats is not', async (t) => {
  const { bring, store } = await setup(t)
  const meals = () =>
    store
      .all<{ fields: string }>(`SELECT fields FROM record WHERE kind = 'meal' ORDER BY start_at`)
      .map(({ fields }) => JSON.parse(fields))
  const lunch = entry('DietaryCarbohydrates', '45', 'g', '2026-03-14 12:00:00 +0100')
  const file = health(
    entry('DietaryCarbohydrates', '62', 'g', '2026-03-14 07:00:10 +0100'),
    entry('DietaryEnergyConsumed', '410', 'kcal', '2026-03-14 07:00:10 +0100'),
    entry('DietaryCarbohydrates', '8', 'g', '2026-03-14 07:00:40 +0100'),
    lunch,
    `<Correlation type="HKCorrelationTypeIdentifierFood" sourceName="Essen" startDate="2026-03-14 12:00:00 +0100" endDate="2026-03-14 12:00:00 +0100">${lunch}</Correlation>`,
  )
  const first = await bring('kind=apple-health', file)
  assert.deepEqual([first.accepted, first.skipped], [2, 1])
  assert.deepEqual(meals(), [
    { timestamp: '2026-03-14T06:00:10.000Z', carbs_grams: 70, calories: 410 },
    { timestamp: '2026-03-14T11:00:00.000Z', carbs_grams: 45 },
  ])
  const again = await bring('kind=apple-health', file)
  assert.deepEqual([again.accepted, again.duplicates, again.revised], [0, 2, 0])
})

test('what Health Auto Export sums up as eaten is a meal', async (t) => {
  const { bring, store } = await setup(t)
  const point = (name: string, units: string, qty: number) => ({
    ...{ name, units },
    data: [{ qty, date: '2026-03-14 12:00:00 +0100', source: 'Loop' }],
  })
  const metrics = [point('carbohydrates', 'g', 45), point('dietary_energy', 'kcal', 320)]
  const done = await bring('kind=health-auto-export', JSON.stringify({ data: { metrics } }))
  assert.deepEqual([done.accepted, done.skipped], [1, 0])
  const row = store.get<{ fields: string }>(`SELECT fields FROM record WHERE kind = 'meal'`)
  assert.deepEqual(JSON.parse(String(row?.fields)), {
    ...{ timestamp: '2026-03-14T11:00:00.000Z', carbs_grams: 45, calories: 320 },
  })
})

test('a thousand faults of a kind are some lines and a number', async (t) => {
  const { bring } = await setup(t)
  const faults = Array.from({ length: 1000 }, (_, index) =>
    entry('HeartRate', '900', 'count/min', `2026-03-14 07:${String(index % 60).padStart(2, '0')}:00 +0100`),
  )
  const done = await bring(
    'kind=apple-health',
    health(entry('HeartRate', '60', 'count/min', '2026-03-14 06:00:00 +0100'), ...faults),
  )
  assert.equal(done.skipped, 1000)
  assert.equal(done.left.length, 21)
  assert.equal(
    done.left.reduce((sum: number, { count }: Left) => sum + count, 0),
    1000,
  )
})

test('what is no export fails with the reason, and leaves nothing', async (t) => {
  const { bring, store } = await setup(t)
  const bomb = `<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><HealthData>&b;</HealthData>`
  for (const [file, reason] of [
    ['just some words', /none of the exports/],
    [bomb, /entity|well-formed/i],
    [
      zipOf([
        { name: 'inner.zip', content: zipOf([{ name: 'export.xml', content: Buffer.from(health()) }]) },
      ]),
      /no export/,
    ],
    [Buffer.from('PK\u0003\u0004 and no more'), /zip/i],
  ] as const) {
    const done = await bring('kind=auto', file)
    assert.equal(done.status, 'failed')
    assert.match(String(done.error), reason)
    assert.match(String(done.error), /[^.]\.$/, 'a sentence ends once')
  }
  assert.equal(rows(store, 'observation'), 0)
})

test('a table in another language lands as what it says, its bad rows are named, and twice is once', async (t) => {
  const { bring, store } = await setup(t)
  const german = [
    'Index;Zeitstempel (JJJJ-MM-TTThh:mm:ss);Ereignistyp;Ereignissubtyp;Patienteninfo;Geräteinfo;ID des Quellgeräts;Glukosewert (mmol/L);Insulinwert (E);Kohlenhydratwert (Gramm);Dauer (hh:mm:ss);Glukoseänderungsrate (mmol/L/min);Transmitterzeit;Transmitter-ID',
    '1;2026-03-14T08:00:00;EGV;;;;iPhone;5,6;;;;;;',
    '2;2026-03-14T08:05:00;EGV;;;;iPhone;5600,5;;;;;;',
    '3;14.03.2026 8 Uhr;EGV;;;;iPhone;5,6;;;;;;',
    '4;2027-03-14T08:00:00;EGV;;;;iPhone;5,6;;;;;;',
    '5;2026-03-14T08:10:00;EGV;;;;iPhone;Niedrig;;;;;;',
  ].join('\n')
  const done = await bring('kind=clarity', german)
  assert.deepEqual([done.status, done.accepted, done.skipped], ['finished', 2, 3])
  assert.ok(done.left.every(({ where, reason }) => where !== '' && reason !== ''))
  assert.ok(done.left.some(({ reason }) => reason === 'the time lies in the future'))
  const again = await bring('kind=clarity', german)
  assert.deepEqual([again.accepted, again.duplicates], [0, 2])
  assert.equal(rows(store, 'observation'), 2)
})

test('a file breaks off in the middle: what stood before it is kept, and the job says so', async (t) => {
  const { bring, jobs } = await setup(t)
  const whole = health(entry('HeartRate', '60', 'count/min', '2026-03-14 07:00:00 +0100'))
  const done = await bring('kind=apple-health', whole.replace('</HealthData>', '<Record'))
  assert.deepEqual([done.status, done.accepted], ['finished', 1])
  const { complete, reason } = Object(jobs.find(done.jobId)?.result) as { complete: boolean; reason: string }
  assert.equal(complete, false)
  assert.match(reason, /breaks off|unclosed/)
})

test('an upload is refused without a grant, without room, and when it is too large', async (t) => {
  const { upload, folder } = await setup(t, { maxBytes: 1000 })
  assert.equal((await upload('kind=auto', 'x', NURSE)).status, 403)
  assert.equal((await upload('kind=auto', 'x', WATCH)).status, 403)
  assert.equal((await upload('kind=auto', 'x'.repeat(1001))).status, 413)
  assert.equal((await upload('kind=auto', '')).status, 400)
  assert.deepEqual(readdirSync(folder), [])
  const full = await setup(t, { freeBytes: async () => -1 })
  assert.equal((await full.upload('kind=auto', 'x')).body.error.code, 'DISK_FULL')
})

test('a caregiver for wellness brings in no glucose', async (t) => {
  const { upload, ended, call, store } = await setup(t)
  const { body } = await upload('kind=clarity', readFileSync(fixturePath('cgm/dexcom-clarity.csv')), GRAN)
  await ended(body.data.job_id)
  const shown = await call<Left[]>('GET', `/imports/${body.data.import_id}/skipped`, GRAN)
  assert.ok(shown.body.data.some(({ reason }) => reason === 'your access to this person does not cover it'))
  assert.equal(rows(store, 'observation'), 0)
  assert.equal((await call('GET', '/imports/nothing', MIA)).status, 404)
})

test('an import that was cancelled goes on where it was', async (t) => {
  const { upload, ended, call, jobs, store } = await setup(t)
  const beats = Array.from({ length: 20_000 }, (_, index) =>
    entry(
      'HeartRate',
      String(60 + (index % 40)),
      'count/min',
      new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString(),
    ),
  )
  const { body } = await upload('kind=apple-health', health(...beats))
  while ((rows(store, 'observation') ?? 0) === 0) await new Promise(setImmediate)
  await jobs.cancel(body.data.job_id)
  while (jobs.stats().running > 0) await new Promise(setImmediate)
  const before = rows(store, 'observation') ?? 0
  assert.ok(before > 0 && before < 20_000, `${before} before the cancel`)
  assert.equal((await call('POST', `/jobs/${body.data.job_id}/retry`, OWNER)).status, 200)
  await ended(body.data.job_id)
  const { accepted, duplicates } = (
    await call<{ accepted: number; duplicates: number }>('GET', `/imports/${body.data.import_id}`, MIA)
  ).body.data
  assert.equal(rows(store, 'observation'), 20_000)
  assert.equal(accepted + duplicates, 20_000)
  assert.ok(duplicates <= 2 * BATCH_ITEMS, 'at most what was on its way is told twice')
})

test('a file may come in a form, as browsers and share sheets send it', async (t) => {
  const { home, ended, call } = await setup(t)
  const file = readFileSync(fixturePath('apple/export.xml'))
  const head = '--Edge\r\nContent-Disposition: form-data; name="file"; filename="Export.xml"\r\n\r\n'
  const answer = await home.http.inject({
    method: 'POST',
    url: '/api/v1/imports?person_id=mia',
    headers: { ...MIA, 'content-type': 'multipart/form-data; boundary=Edge' },
    payload: Buffer.concat([Buffer.from(head), file, Buffer.from('\r\n--Edge--\r\n')]),
  })
  assert.equal(answer.statusCode, 202)
  const { data } = answer.json<{ data: { job_id: string; import_id: string } }>()
  await ended(data.job_id)
  const { body } = await call<{ file_name: string; bytes: number; accepted: number }>(
    'GET',
    `/imports/${data.import_id}`,
    MIA,
  )
  assert.deepEqual([body.data.file_name, body.data.bytes], ['Export.xml', file.length])
  assert.ok(body.data.accepted > 10)
})

test('what HealthKit recorded lands item by item', async (t) => {
  const { call } = await setup(t)
  const body = {
    glucose_readings: [
      { timestamp: '2026-03-14T07:00:00Z', value: 110 },
      { timestamp: '2026-03-14T07:05:00Z', value: 5000 },
    ],
    sleep_sessions: [
      { sleep_start: '2026-03-13T22:00:00Z', sleep_end: '2026-03-14T06:00:00Z', source: 'apple_watch' },
    ],
    activities: [
      { timestamp: '2026-03-14T16:00:00Z', activity_type: 'running', duration_minutes: 30 },
      { activity_type: 'x' },
    ],
    samples: [{ ts: '2026-03-14T07:00:00Z', metric: 'heart_rate', value: 61 }],
  }
  const synced = await call<{
    accepted: number
    records_synced: number
    rejected: { path: string; code: string }[]
  }>('POST', '/integrations/apple-health', MIA, body)
  assert.equal(synced.status, 200)
  assert.deepEqual([synced.body.data.accepted, synced.body.data.records_synced], [4, 4])
  assert.deepEqual(
    synced.body.data.rejected.map(({ path }) => path),
    ['glucose_readings[1].value', 'activities[1]'],
  )
  const again = await call<{ accepted: number; duplicates: number }>(
    'POST',
    '/integrations/apple-health',
    MIA,
    body,
  )
  assert.deepEqual([again.body.data.accepted, again.body.data.duplicates], [0, 4])
  assert.equal(
    (await call('POST', '/integrations/apple-health', GRAN, { ...body, person_id: 'mia' })).status,
    403,
  )
})

test('an app is called by its own name, in any script', () => {
  assert.equal(sourceName('Apple Watch von Zoë', 'apple-health'), 'Apple Watch von Zoe')
  assert.equal(sourceName(undefined, 'clarity'), 'clarity')
  assert.match(sourceName('Часы Маши', 'apple-health'), /^apple-health-[0-9a-f]{8}$/)
  assert.notEqual(sourceName('Часы Маши', 'apple-health'), sourceName('Часы Пети', 'apple-health'))
})
