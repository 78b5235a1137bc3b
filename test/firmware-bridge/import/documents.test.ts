import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import fc from 'fast-check'
import { createJsonPieces } from '../../../firmware-bridge/import/json-pieces.ts'
import { fixturePath } from '../fixtures.ts'
import { imported, reasons } from './setup.ts'

const fixtureText = (path: string) => readFileSync(fixturePath(path), 'utf8')

test('the wanted parts of any JSON document are what parsing the whole would give', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 4 })), fc.integer({ min: 1, max: 9 }), (list, size) => {
      const found: unknown[] = []
      const broken: string[] = []
      const pieces = createJsonPieces({
        wanted: [['items', '*']],
        onPiece: (_path, value) => found.push(value),
        onBroken: (reason) => broken.push(reason),
        onSkipped: (_path, reason) => broken.push(reason),
      })
      const bytes = Buffer.from(JSON.stringify({ 'a"\\': [1, 'x'], items: list, z: { items: [0] } }, null, 1))
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
      pieces.end()
      assert.deepEqual(broken, [])
      assert.deepEqual(found, JSON.parse(JSON.stringify(list)))
    }),
    { numRuns: 200 },
  )
})

test('JSON that breaks off, nests without end or has brackets that do not match says so', async () => {
  const kind = 'health-auto-export'
  const whole = fixtureText('apple/health-auto-export.json')
  const cut = await imported(whole.slice(0, 900), { kind })
  assert.ok(cut.samples.length > 0, 'what came before the cut is there')
  assert.match(cut.skipped[0]?.reason ?? '', /breaks off/)
  assert.match((await reasons('['.repeat(100), { kind }))[0] ?? '', /nested deeper than 64/)
  assert.match((await reasons('{"data":]', { kind }))[0] ?? '', /brackets do not match/)
  assert.match((await reasons('{"data":{"metrics":[]}} {', { kind }))[0] ?? '', /more behind the end/)
  assert.match((await reasons('{}', { kind }))[0] ?? '', /nothing in it/)
  assert.match((await reasons('', { kind }))[0] ?? '', /empty/)
})

test('one record that is no JSON, or too large, costs only itself', async () => {
  const reading = (value: string) => `{"systemTime":"2026-03-14T07:00:00Z","value":${value}}`
  const large = `{"x":"${'y'.repeat(4 * 1024 * 1024)}"}`
  const document = `{"records":[${reading('{bad}')},${large},${reading('118')}]}`
  const { samples, skipped } = await imported(document, { kind: 'dexcom' })
  assert.equal(samples.length, 1)
  assert.deepEqual(
    skipped.map(({ where }) => where),
    ['records[0]', 'records[1]'],
  )
})

test('an entity that a document defines for itself is never expanded', async () => {
  const laughs = `<?xml version="1.0"?><!DOCTYPE HealthData [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><HealthData><Record value="&b;"/></HealthData>`
  const { samples, skipped } = await imported(laughs)
  assert.equal(samples.length, 0)
  assert.match(skipped[0]?.reason ?? '', /undefined entity/)
})

test('XML that breaks off keeps what came before and says where it ended', async () => {
  const whole = fixtureText('apple/export.xml')
  const cut = await imported(whole.slice(0, 5000), { kind: 'apple-health' })
  assert.ok(cut.samples.length > 5)
  assert.match(cut.skipped.at(-1)?.reason ?? '', /breaks off|unclosed|not well-formed/)
  assert.match((await reasons('<gpx><a></b></gpx>'))[0] ?? '', /not well-formed/)
  assert.match((await reasons(`<gpx>${'<a>'.repeat(40)}`))[0] ?? '', /nested deeper than 32/)
})

test('a tag of many megabytes is refused before it fills the memory', async () => {
  const endless = `<gpx><trkpt lat="${'1'.repeat(3 * 1024 * 1024)}"/></gpx>`
  assert.deepEqual(
    (await reasons(endless)).map((reason) => reason.replace(/\d+/, 'n')),
    ['byte n: no tag within a megabyte'],
  )
})

test('types that nobody keeps are counted, not listed a million times', async () => {
  const record = (type: string) =>
    `<Record type="${type}" startDate="2026-03-14 08:00:00 +0100" endDate="2026-03-14 08:00:00 +0100" value="1"/>`
  const many = Array.from({ length: 50 }, () => record('HKQuantityTypeIdentifierAppleExerciseTime')).join('')
  const { skipped } = await imported(`<HealthData>${many}${record('__proto__')}</HealthData>`)
  assert.deepEqual(skipped, [
    { where: 'HKQuantityTypeIdentifierAppleExerciseTime', reason: 'type not kept', count: 50 },
    { where: '__proto__', reason: 'type not kept', count: 1 },
  ])
})

test('units of Apple Health are converted, unknown ones refused', async () => {
  const record = (type: string, unit: string, value: string) =>
    `<Record type="HKQuantityTypeIdentifier${type}" unit="${unit}" startDate="2026-03-14 08:00:00 +0100" endDate="2026-03-14 08:00:00 +0100" value="${value}"/>`
  const { samples, skipped } = await imported(
    `<HealthData>${record('BloodGlucose', 'mmol&lt;180.1558800000541&gt;/L', '5.5')}${record('BodyMass', 'st', '10')}${record('Height', 'ft', '5')}${record('BodyMass', 'parsec', '1')}</HealthData>`,
  )
  assert.deepEqual(
    (samples as { metric: string; value: number }[]).map(({ metric, value }) => [metric, value]),
    [
      ['glucose', 99.0858],
      ['weight', 63.502932],
      ['height', 1.524],
    ],
  )
  assert.match(skipped[0]?.reason ?? '', /parsec/)
})

test('two watches that saw the same night tell it once, the one with stages', async () => {
  const sleep = (source: string, value: string, from: string, to: string) =>
    `<Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName="${source}" value="HKCategoryValueSleepAnalysis${value}" startDate="2026-03-1${from} +0100" endDate="2026-03-1${to} +0100"/>`
  const { sleep: nights, skipped } = await imported(
    `<HealthData>${sleep('App', 'Asleep', '3 22:00:00', '4 06:00:00')}${sleep('Watch', 'AsleepCore', '3 22:10:00', '4 02:00:00')}${sleep('Watch', 'AsleepREM', '4 02:00:00', '4 05:50:00')}${sleep('Watch', 'AsleepCore', '4 13:00:00', '4 13:30:00')}</HealthData>`,
  )
  assert.deepEqual(
    (nights as { start: string; night_of: string; minutes: object }[]).map(
      ({ start, night_of, minutes }) => ({
        start,
        night_of,
        minutes,
      }),
    ),
    [
      {
        start: '2026-03-13T21:10:00.000Z',
        night_of: '2026-03-14',
        minutes: { asleep: 460, light: 230, deep: 0, rem: 230, awake: 0 },
      },
      {
        start: '2026-03-14T12:00:00.000Z',
        night_of: '2026-03-14',
        minutes: { asleep: 30, light: 30, deep: 0, rem: 0, awake: 0 },
      },
    ],
  )
  assert.equal(skipped[0]?.count, 1)
})

test('Nightscout documents: error codes, calibration lines and empty treatments are told, the rest is kept', async () => {
  const documents = [
    { type: 'sgv', sgv: 5, date: 1_773_475_200_000 },
    { type: 'cal', slope: 1, date: 1_773_475_200_000 },
    { type: 'sgv', sgv: 112, date: 1_773_475_200, direction: 'NOT COMPUTABLE' },
    { eventType: 'Site Change', created_at: '2026-03-14T08:00:00Z' },
    { eventType: 'BG Check', glucose: 5.5, units: 'mmol', created_at: '2026-03-14T08:00:00Z' },
    { eventType: 'Exercise', duration: 30, created_at: '2026-03-14T08:00:00Z' },
  ]
  const { samples, events, skipped } = await imported(JSON.stringify(documents), { kind: 'nightscout' })
  assert.deepEqual(
    (samples as { metric: string; value: number; t: string }[]).map(({ metric, value, t }) => [
      metric,
      value,
      t,
    ]),
    [
      ['glucose', 112, '2026-03-14T08:00:00.000Z'],
      ['glucose_strip', 99.0858, '2026-03-14T08:00:00.000Z'],
    ],
  )
  assert.equal(events.length, 1)
  assert.deepEqual(
    skipped.map(({ reason }) => reason),
    [
      '5 is an error code of the sensor',
      'a calibration line is no reading',
      'a treatment "Site Change" without anything that is kept',
    ],
  )
})

test('words of the object prototype are plain unknown words', async () => {
  const { skipped } = await imported(
    JSON.stringify({
      data: {
        metrics: [
          { name: 'constructor', units: '', data: [{ date: '2026-03-14 08:00:00 +0100', qty: 1 }] },
          { name: 'sleep_analysis', units: 'hr', data: [{ value: 'constructor' }] },
        ],
      },
    }),
  )
  assert.deepEqual(
    skipped.map(({ reason }) => reason),
    ['the night has no start and end', 'not kept'],
  )
})

test("a mood from Apple's state of mind lies between 1 and 10", async () => {
  const stateOfMind = [-1, 0, 1, 3].map((valence) => ({ start: '2026-03-14T08:00:00+01:00', valence }))
  const { samples, skipped } = await imported(JSON.stringify({ data: { stateOfMind } }))
  assert.deepEqual(
    (samples as { value: number }[]).map(({ value }) => value),
    [1, 5.5, 10],
  )
  assert.equal(skipped.length, 1)
})

test('whatever bytes a file has, every importer ends with records or a reason', async () => {
  const kinds = [
    'apple-health',
    'health-auto-export',
    'clarity',
    'libreview',
    'dexcom',
    'fit',
    'gpx',
    'tcx',
    'fitbit',
    'oura',
    'whoop',
    'nightscout',
    'health-connect',
    'auto',
  ] as const
  const seeds = [
    'apple/export.xml',
    'cgm/libreview.csv',
    'training/session.fit',
    'whoop/sleep.json',
    'training/session.tcx',
  ].map((path) => readFileSync(fixturePath(path)))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kinds),
      fc.constantFrom(...seeds),
      fc.nat(),
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      async (kind, seed, at, noise) => {
        const bytes = Buffer.from(seed)
        bytes.set(
          noise.subarray(0, Math.min(noise.length, bytes.length)),
          at % Math.max(1, bytes.length - noise.length),
        )
        const { samples, sleep, activities, events, skipped } = await imported(bytes, { kind })
        assert.ok(samples.length + sleep.length + activities.length + events.length + skipped.length > 0)
      },
    ),
    { numRuns: 150 },
  )
})
