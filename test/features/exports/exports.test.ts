import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Observation } from '../../../daemon/domain/observation.ts'
import { createExports } from '../../../daemon/features/exports/exports.ts'
import { fhirObservation } from '../../../daemon/features/exports/fhir.ts'
import { exported } from '../../../daemon/features/exports/value.ts'
import { household, MIA, NURSE, OWNER } from '../glucose/setup.ts'

const FIXTURES = fileURLToPath(new URL('../../fixtures/export/', import.meta.url))
const AT = Date.UTC(2026, 2, 14, 7)

const fixture = <Shape>(name: string): Shape => JSON.parse(readFileSync(FIXTURES + name, 'utf8')) as Shape

const reading = (metric: string, value: number, more: Partial<Observation> = {}): Observation => ({
  ...{ personId: 'mia', deviceId: 'watch-1', metric, atMs: AT, value, source: 'obs' },
  ...{ quality: null, extra: null, ...more },
})

async function setup(t: TestContext) {
  const home = await household(t, (parts) => [
    createExports({ ...parts, glucoseUnitOf: (userId) => (userId === 'mia-user' ? 'mg/dL' : 'mmol/L') }),
  ])
  const file = async (query: string, headers: Record<string, string> = MIA) => {
    const answer = await home.http.inject({ url: `/api/v1/people/mia/export?${query}`, headers })
    return { status: answer.statusCode, type: answer.headers['content-type'], text: answer.body }
  }
  return { ...home, file }
}

interface Sample {
  metric: string
  value: number
  t: string
  tEnd?: string
}

test('FHIR observations are those of the sample, with the second code that the profile of SpO2 asks for', () => {
  const { patient, records } = fixture<{ patient: string; records: Sample[] }>('canonical-to-fhir.json')
  const wanted = fixture<{ entry: { resource: { code: { coding: object[] } } }[] }>(
    'canonical-to-fhir.json.expected.json',
  )
  const made = records.map(({ metric, value, t, tEnd }) =>
    fhirObservation(
      exported({
        ...reading(metric, value, { atMs: Date.parse(t), source: '' }),
        extra: tEnd === undefined ? null : { t_end: tEnd },
        revision: 0,
      }),
      patient,
    ),
  )
  const saturation = wanted.entry[3]!.resource.code.coding
  saturation.push({
    system: 'http://loinc.org',
    code: '2708-6',
    display: 'Oxygen saturation in Arterial blood',
  })
  assert.deepEqual(
    made,
    wanted.entry.map(({ resource }) => resource),
  )
})

test('a bundle holds every value in order, states in words, and what lies beyond a scale with its sign', async (t) => {
  const { store, file } = await setup(t)
  await store.observations.append([
    reading('heart_rate', 72),
    reading('heart_rate', 70, { atMs: AT - 60_000 }),
    reading('glucose', 39, { extra: { censored: 'low' } }),
    reading('sleep_state', 2),
    reading('sleep_duration', 28_800),
    reading('stress', 0.4),
  ])
  const { status, type, text } = await file('format=fhir')
  const bundle = JSON.parse(text) as { entry: { resource: Record<string, unknown> }[] }
  assert.deepEqual([status, type], [200, 'application/fhir+json; charset=utf-8'])
  const values = bundle.entry.map(({ resource }) => resource['valueQuantity'] ?? resource['valueString'])
  const ucum = 'http://unitsofmeasure.org'
  const perMinute = { unit: '/min', system: ucum, code: '/min' }
  assert.deepEqual(values, [
    { value: 70, ...perMinute },
    { value: 72, ...perMinute },
    { value: 0.4, unit: '1' },
    { value: 39, comparator: '<', unit: 'mg/dL', system: ucum, code: 'mg/dL' },
    { value: 8, unit: 'h', system: ucum, code: 'h' },
    'deep',
  ])
  const night = bundle.entry[4]!.resource['effectivePeriod']
  assert.deepEqual(night, { start: '2026-03-13T23:00:00.000Z', end: '2026-03-14T07:00:00.000Z' })
})

test('Open mHealth points carry schema, provenance and an id that stays', async (t) => {
  const { store, file } = await setup(t)
  await store.observations.append([
    reading('steps', 900, { extra: { t_end: '2026-03-14T07:10:00.000Z' } }),
    reading('glucose', 94, { source: 'manual' }),
  ])
  const points = JSON.parse((await file('format=omh')).text) as {
    header: Record<string, unknown>
    body: object
  }[]
  assert.deepEqual(
    points.map(({ body }) => body),
    [
      {
        step_count: { value: 900, unit: 'steps' },
        effective_time_frame: {
          time_interval: {
            start_date_time: '2026-03-14T07:00:00.000Z',
            end_date_time: '2026-03-14T07:10:00.000Z',
          },
        },
      },
      {
        blood_glucose: { value: 94, unit: 'mg/dL' },
        specimen_source: 'interstitial fluid',
        effective_time_frame: { date_time: '2026-03-14T07:00:00.000Z' },
      },
    ],
  )
  const [steps, glucose] = points.map(({ header }) => header)
  assert.deepEqual(steps?.['schema_id'], { namespace: 'omh', name: 'step-count', version: '3.0' })
  assert.deepEqual(glucose?.['acquisition_provenance'], { source_name: 'manual', modality: 'self-reported' })
  assert.deepEqual(JSON.parse((await file('format=omh')).text)[0].header.id, steps?.['id'])
})

test('a table of many pages has every value once, and no cell that a spreadsheet would run', async (t) => {
  const { store, file } = await setup(t)
  const many = Array.from({ length: 12_345 }, (_, index) =>
    reading('heart_rate', 60 + (index % 40), { atMs: AT - index * 1000 }),
  )
  await store.observations.append(many)
  await store.observations.append([reading('mood', 7, { source: '=1+1' })])
  const lines = (await file('metric=heart_rate,mood&from=2026-03-14&to=2026-03-14')).text
    .trimEnd()
    .split('\r\n')
  assert.equal(lines[0], 'timestamp,end,metric,value,unit,source,device,quality,revision,censored')
  assert.equal(new Set(lines).size, 12_347)
  assert.equal(lines.at(-1), "2026-03-14T07:00:00.000Z,,mood,7,1,'=1+1,watch-1,,0,")
})

test('an export holds the classes that its reader may see, and a metric beyond them is refused', async (t) => {
  const { store, file } = await setup(t)
  await store.observations.append([reading('heart_rate', 72), reading('glucose', 94)])
  const metrics = (text: string) =>
    text
      .trimEnd()
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(',')[2])
  assert.deepEqual(metrics((await file('')).text), ['heart_rate', 'glucose'])
  assert.deepEqual(metrics((await file('', NURSE)).text), ['glucose'])
  assert.equal((await file('metric=heart_rate', NURSE)).status, 403)
  assert.equal((await file('metric=joy')).status, 400)
  assert.equal((await file('from=2026-03-16&to=2026-03-14')).status, 400)
})

test('asking for nothing but the headers starts no export', async (t) => {
  const { http, file } = await setup(t)
  for (let times = 0; times < 5; times += 1)
    assert.equal(
      (await http.inject({ method: 'HEAD', url: '/api/v1/people/mia/export', headers: MIA })).statusCode,
      200,
    )
  assert.equal((await file('')).status, 200)
})

test('a table has glucose in the unit that its reader chose, with the unit beside it', async (t) => {
  const { file, store } = await setup(t)
  await store.observations.append([reading('glucose', 100), reading('heart_rate', 70)])
  const lines = async (query: string, headers = MIA) =>
    (await file(`format=csv&${query}`, headers)).text
      .split('\r\n')
      .map((line) => line.split(',').slice(2, 5).join(' '))
  const window = `from=${AT - 1000}&to=${AT + 1000}`
  assert.ok((await lines(window)).includes('glucose 100 mg/dL'))
  assert.ok((await lines(window, OWNER)).includes('glucose 5.6 mmol/L'))
  assert.ok((await lines(window, OWNER)).includes('heart_rate 70 bpm'))
  assert.ok((await lines(`${window}&glucose_unit=mg/dL`, OWNER)).includes('glucose 100 mg/dL'))
})
