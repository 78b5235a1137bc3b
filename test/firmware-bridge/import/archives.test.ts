import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { fixturePath } from '../fixtures.ts'
import { imported, reasons, zipOf } from './setup.ts'

const apple = readFileSync(fixturePath('apple/export.xml'))
const fitbitSleep = readFileSync(fixturePath('fitbit/sleep-2026-03-01.json'))
const fit = readFileSync(fixturePath('training/session.fit'))

test("Apple's export is found in its zip under whatever name its language gives it", async () => {
  const archive = zipOf([
    { name: 'apple_health_export/export_cda.xml', content: '<ClinicalDocument/>'.repeat(2000) },
    { name: 'apple_health_export/Exportieren.xml', content: apple },
    { name: 'apple_health_export/workout-routes/route.gpx', content: '<gpx/>' },
  ])
  const { samples, sleep } = await imported(archive)
  assert.equal(samples.length, 15)
  assert.equal(sleep.length, 1)
})

test('every file of a Fitbit Takeout that is kept is read, each by its name', async () => {
  const archive = zipOf(
    [
      {
        name: 'Takeout/Fitbit/Global Export Data/steps-2026-03-14.json',
        content:
          '[{"dateTime":"03/14/26 07:00:00","value":"12"},{"dateTime":"03/14/26 07:01:00","value":"many"}]',
      },
      { name: 'Takeout/Fitbit/Global Export Data/sleep-2026-03-01.json', content: fitbitSleep, stored: true },
      { name: 'Takeout/Fitbit/Global Export Data/badge-2026.json', content: 'not even JSON' },
    ],
    'made by a packer that leaves a comment',
  )
  const { samples, sleep, skipped } = await imported(archive, { zone: 'Europe/Berlin' })
  assert.deepEqual(samples, [
    { kind: 'sample', metric: 'steps', value: 12, unit: 'count', t: '2026-03-14T07:00:00.000Z' },
  ])
  assert.equal(sleep.length, 1)
  assert.deepEqual(
    skipped.map(({ reason }) => reason),
    ['the value is no number'],
  )
})

test('a zip bomb is stopped while it inflates, long before it is done', async () => {
  const bomb = zipOf([{ name: 'export.xml', content: `<HealthData>${'<X/>'.repeat(8 * 1024 * 1024)}` }])
  assert.ok(bomb.length < 100_000)
  assert.deepEqual(await reasons(bomb, { kind: 'apple-health' }), [
    'zip: export.xml inflates more than 250 times: a bomb',
  ])
  const zipLimits = { maxEntries: 10, maxEntryBytes: 1000, maxRatio: 250 }
  const large = zipOf([{ name: 'export.xml', content: apple }])
  assert.match((await reasons(large, { zipLimits })).at(-1) ?? '', /larger than 1000 bytes/)
})

test('archives in archives, encrypted, with too many entries, or of nothing known are refused', async () => {
  const inner = zipOf([{ name: 'export.xml', content: apple }])
  assert.deepEqual(await reasons(zipOf([{ name: 'inner.zip', content: inner }])), [
    'zip: the archive holds no export that is read',
  ])
  const disguised = await imported(zipOf([{ name: 'export.xml', content: inner }]))
  assert.equal(disguised.samples.length, 0)
  assert.match(disguised.skipped[0]?.reason ?? '', /not UTF-8 text|not well-formed/)
  assert.deepEqual(await reasons(zipOf([{ name: 'export.xml', content: apple, flags: 1 }])), [
    'zip: export.xml is encrypted',
  ])
  assert.deepEqual(await reasons(zipOf([{ name: 'export.xml', content: apple, method: 14 }])), [
    'zip: export.xml is packed in a way that is not read (method 14)',
  ])
  const many = zipOf(Array.from({ length: 11 }, (_, at) => ({ name: `${at}`, content: '' })))
  const zipLimits = { maxEntries: 10, maxEntryBytes: 1000, maxRatio: 250 }
  assert.deepEqual(await reasons(many, { zipLimits }), ['zip: the archive has 11 entries, 10 at most'])
})

test('a damaged or truncated archive says so', async () => {
  const archive = zipOf([{ name: 'export.xml', content: apple }])
  assert.deepEqual(await reasons(archive.subarray(0, 1000)), ['zip: not a zip archive, or cut short'])
  const scratched = Buffer.from(archive)
  scratched.fill(0xff, 60, 400)
  assert.match((await reasons(scratched)).at(-1) ?? '', /is damaged/)
  const lying = zipOf([{ name: 'export.xml', content: apple, crc: 1 }])
  assert.match((await reasons(lying)).at(-1) ?? '', /its checksum is wrong/)
})

test('a FIT file with a wrong checksum, cut short, or with a message nobody defined says so', async () => {
  const scratched = Buffer.from(fit)
  scratched[600] = (scratched[600] ?? 0) ^ 0xff
  assert.match(
    (await reasons(scratched)).at(-1) ?? '',
    /checksum is wrong|longer than|without its definition/,
  )
  const cut = await imported(fit.subarray(0, 700))
  assert.ok(cut.samples.length > 0, 'what was measured before the cut is kept')
  assert.deepEqual(cut.activities, [], 'half an activity does not stand in for the whole one')
  assert.match(cut.skipped[0]?.reason ?? '', /the file breaks off/)
  const undefinedMessage = Buffer.from(fit)
  undefinedMessage[fit[0] ?? 14] = 0x0f
  assert.match((await reasons(undefinedMessage))[0] ?? '', /a message without its definition/)
})
