/** Small decisions behind the screens: addresses, ages, passwords, half-hour lines, words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { en } from '../../daemon/ui/i18n/en.ts'
import { createFormat } from '../../daemon/ui/i18n/format.ts'
import { createTranslate, translateFor } from '../../daemon/ui/i18n/translate.ts'
import { match } from '../../daemon/ui/router.ts'
import { createHubClock } from '../../daemon/ui/state/hub-clock.ts'
import { readJoinFragment } from '../../daemon/ui/state/pairing.ts'
import { strengthOf } from '../../daemon/ui/state/password.ts'
import { extendTrail, mainMetric, otherMetrics, segments } from '../../daemon/ui/state/trail.ts'

const { t, locale } = translateFor(['de-DE', 'en-GB'])
const format = createFormat(locale, t)

function reading(value: number | string, ts: string) {
  return { value, unit: 'bpm', ts, source: 'gatt', device: 'watch-1' }
}

test('glucose is written in the unit that its reader chose, everything else as before', () => {
  let unit: 'mg/dL' | 'mmol/L' = 'mg/dL'
  const own = createFormat(locale, t, () => unit)
  assert.deepEqual([own.value('glucose', 126), own.measured('glucose')], ['126', 'Glucose (mg/dL)'])
  unit = 'mmol/L'
  assert.deepEqual([own.value('glucose', 126), own.measured('glucose')], ['7.0', 'Glucose (mmol/L)'])
  assert.deepEqual([own.value('heart_rate', 126), own.unit('ketone')], ['126', 'mmol/L'])
})

test('a path fits its pattern whole, with its parts decoded', () => {
  assert.deepEqual(match('/p/:id/:metric', '/p/mia/heart_rate'), { id: 'mia', metric: 'heart_rate' })
  assert.deepEqual(match('/p/:id', '/p/m%20a/'), { id: 'm a' })
  assert.equal(match('/p/:id', '/p/mia/heart_rate'), null)
  assert.equal(match('/p/:id', '/p/%E0%A4%A'), null)
  assert.deepEqual(match('/', '/'), {})
})

test('an age is short, and a clock slightly ahead is not a time traveller', () => {
  assert.equal(format.age(-900), 'now')
  assert.equal(format.age(12_400), '12 s ago')
  assert.equal(format.age(14 * 60_000), '14 min ago')
  assert.equal(format.age(26 * 3_600_000), '26 h ago')
  assert.equal(format.age(3 * 86_400_000), '3 days ago')
})

test('values are written with the decimals they mean and shares as percent', () => {
  assert.equal(format.value('heart_rate', 72.4), '72')
  assert.equal(format.value('body_temp', 36.84), '36.8')
  assert.equal(`${format.value('stress', 0.23)} ${format.unit('stress')}`, '23 %')
  assert.equal(format.value('sleep_state', 'in_bed'), 'in bed')
  assert.equal(format.metric('hrv_rmssd'), 'HRV (RMSSD)')
  assert.equal(format.metric('stride_length'), 'Stride length')
})

test('a moment names its day only when that is not today', () => {
  const noon = Date.parse('2026-11-20T11:29:00Z')
  assert.equal(format.moment(noon, 'Europe/Berlin', noon + 60_000), '12:29')
  assert.equal(format.moment(noon, 'Europe/Berlin', noon + 86_400_000), 'Fri 20 Nov, 12:29')
})

test('stretches of time are written in hours and minutes', () => {
  assert.equal(format.span(12 * 60_000), '12 min')
  assert.equal(format.span(60 * 60_000), '1 h')
  assert.equal(format.span(85 * 60_000), '1 h 25 min')
})

test('plurals follow the language', () => {
  assert.equal(t('device.aside', { count: 1 }), '1 message not readable')
  assert.equal(t('device.aside', { count: 1200 }), '1,200 messages not readable')
})

test('a value is filled in as it is, whatever it looks like', () => {
  const say = createTranslate(en, 'en-GB')
  assert.equal(say('door.title', { name: '{name} $& <b>' }), '{name} $& <b> asks to join')
})

test('every sentence with two forms names the same values in both', () => {
  const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort()
  for (const [key, sentence] of Object.entries(en)) {
    if (typeof sentence !== 'string') assert.deepEqual(names(sentence.one), names(sentence.other), key)
  }
})

test('only a complete fragment of the right version is an invitation', () => {
  assert.deepEqual(readJoinFragment('#p1.AbCdEfGh12.k3y.192-168-1-20'), { token: 'AbCdEfGh12' })
  for (const other of ['', '#main', '#p2.AbCdEfGh12.k', '#p1.', '#p1.short', '#p1.bad token here'])
    assert.equal(readJoinFragment(other), null, other)
})

test('a password needs length and variety, and length alone makes it strong', () => {
  assert.deepEqual(strengthOf('lamp'), { level: 1, enough: false, missing: 8 })
  assert.equal(strengthOf('aaaaaaaaaaaaaaaa').enough, false)
  assert.equal(strengthOf('password1234').enough, false)
  assert.equal(strengthOf('lamp river stone').level, 3)
  assert.equal(strengthOf('correct horse battery').level, 3)
})

test('the heart rate is shown big, else what there is, and never the battery as a side value', () => {
  const at = '2026-11-20T14:00:00.000Z'
  const latest = { battery: reading(80, at), spo2: reading(97, at), heart_rate: reading(72, at) }
  assert.equal(mainMetric(latest), 'heart_rate')
  assert.deepEqual(
    otherMetrics(latest, 'heart_rate', 3).map(([name]) => name),
    ['spo2'],
  )
  assert.equal(mainMetric({}), null)
})

test('the half-hour line grows by one point in ten seconds and forgets what is older', () => {
  const startMs = Date.parse('2026-11-20T14:00:00Z')
  let trail: ReturnType<typeof extendTrail> = []
  for (let second = 0; second <= 3600; second += 1) {
    trail = extendTrail(trail, reading(70, new Date(startMs + second * 1000).toISOString()))
  }
  assert.ok(trail.length <= 362, `${trail.length} points`)
  assert.ok(trail[0]!.atMs > startMs + 1_790_000)
  assert.equal(trail.at(-1)!.atMs, startMs + 3_600_000)
})

test('a line is cut where readings are missing', () => {
  const trail = [0, 60, 120, 600, 660].map((second) => ({ atMs: second * 1000, value: 70 }))
  assert.deepEqual(
    segments(trail, 120_000).map((part) => part.length),
    [3, 2],
  )
})

test('ages follow the hub, however wrong this device’s clock is', () => {
  const clock = createHubClock({ nowMs: () => 1_000_000, setInterval: () => 1, clearInterval: () => {} })
  clock.heard(1_000_000 + 3_600_000 - 80)
  clock.heard(1_000_000 + 3_600_000 - 20)
  assert.equal(clock.nowMs(), 1_000_000 + 3_600_000 - 20)
})

test('travel time alone does not move the clock', () => {
  const clock = createHubClock({ nowMs: () => 1_000_000, setInterval: () => 1, clearInterval: () => {} })
  clock.heard(999_800)
  assert.equal(clock.nowMs(), 1_000_000)
})
