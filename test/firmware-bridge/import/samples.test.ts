import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import type { ImportKind } from '../../../firmware-bridge/import/kinds.ts'
import { isWhoopWebhook, readWhoopTokens } from '../../../firmware-bridge/import/whoop.ts'
import { assertHolds } from '../close.ts'
import { fixture, fixturePath } from '../fixtures.ts'
import { imported } from './setup.ts'

const FILES: readonly (readonly [string, ImportKind])[] = [
  ['apple/export.xml', 'apple-health'],
  ['apple/health-auto-export.json', 'health-auto-export'],
  ['cgm/dexcom-api-v3-egvs.json', 'dexcom'],
  ['cgm/dexcom-clarity.csv', 'clarity'],
  ['cgm/libreview.csv', 'libreview'],
  ['fitbit/heart_rate-2026-03-14.json', 'fitbit'],
  ['fitbit/sleep-2026-03-01.json', 'fitbit'],
  ['oura/sleep.json', 'oura'],
  ['training/session.fit', 'fit'],
  ['training/session.gpx', 'gpx'],
  ['training/session.tcx', 'tcx'],
  ['whoop/cycle.json', 'whoop'],
  ['whoop/recovery.page1.json', 'whoop'],
  ['whoop/sleep.json', 'whoop'],
  ['whoop/workout.json', 'whoop'],
]

interface Expected {
  tolerance?: number | Record<string, number>
  zone?: string
  note?: string
  rules?: object
  [part: string]: unknown
}

const expectedOf = (file: string) => fixture(`${file}.expected.json`) as Expected

for (const [file, kind] of FILES) {
  test(`${file} becomes the records that are expected of it`, async () => {
    const { tolerance = 0.01, zone = 'UTC', note: _, rules: __, ...wanted } = expectedOf(file)
    const loose = typeof tolerance === 'number' ? tolerance : Math.max(...Object.values(tolerance))
    const got = await imported(readFileSync(fixturePath(file)), { kind, zone })
    assertHolds(got, wanted, loose, file)
  })

  test(`${file} is recognised, and reads the same however it is cut into pieces`, async () => {
    const { zone = 'UTC' } = expectedOf(file)
    const bytes = readFileSync(fixturePath(file))
    const whole = await imported(bytes, { kind, zone })
    for (const piece of [1, 7, 61]) {
      const cut = await imported(bytes, { zone, piece, fileName: file })
      assert.deepEqual(cut, whole, `pieces of ${piece}`)
    }
  })
}

test('every importer keeps what a person would call the same: total carbs, steps of phone and watch apart', async () => {
  const { samples } = await imported(readFileSync(fixturePath('apple/export.xml')))
  const of = (metric: string) =>
    (samples as { metric: string; value: number }[]).filter((one) => one.metric === metric)
  assert.equal(
    of('carbs').reduce((sum, { value }) => sum + value, 0),
    62,
  )
  assert.equal(of('steps').length, 3)
})

test("WHOOP's token answer and webhook signature are read and checked", () => {
  assert.deepEqual(readWhoopTokens(fixture('whoop/token.json')), {
    accessToken: 'at-1',
    refreshToken: 'rt-2',
    expiresInS: 3600,
  })
  assert.equal(readWhoopTokens({ access_token: 'at-1' }), null)
  const {
    headers,
    body,
    client_secret: secret,
  } = fixture('whoop/webhook.json') as {
    headers: Record<string, string>
    body: string
    client_secret: string
  }
  const signed = {
    signature: headers['X-WHOOP-Signature']!,
    timestamp: headers['X-WHOOP-Signature-Timestamp']!,
    body,
  }
  assert.equal(isWhoopWebhook(signed, secret), true)
  assert.equal(isWhoopWebhook({ ...signed, body: `${body} ` }, secret), false)
  assert.equal(isWhoopWebhook({ ...signed, signature: '' }, secret), false)
})

test('requests of Nightscout uploaders store what is expected, once, and only with the secret', async () => {
  const expected = expectedOf('nightscout/v1-requests.json') as {
    tolerance: number
    responses: { id: string; status: number; samples?: object[]; events?: object[] }[]
  }
  const got = await imported(readFileSync(fixturePath('nightscout/v1-requests.json')))
  const wanted = expected.responses.map(({ id, status, samples, events }) => ({
    id,
    status,
    ...(samples ? { samples } : {}),
    ...(events ? { events } : {}),
  }))
  assertHolds(got['responses'], wanted, expected.tolerance, 'responses')
  assert.equal(got.samples.length, 6)
  assert.deepEqual(
    got.skipped.map(({ where, reason }) => `${where}: ${reason}`),
    [
      'request unauth: the api secret is missing or wrong',
      'request xdrip-entry-repeat, document 0: the same reading once more',
    ],
  )
})
