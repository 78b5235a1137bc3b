/** The pure parts behind the pictures of days, nights and glucose. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Night, ProfileBin } from '../../daemon/ui/areas/health/answers.ts'
import { schoolMarks, thingsOf, toldOnce, unbroken, within } from '../../daemon/ui/areas/health/day/lanes.ts'
import { FACES, faceOf, ratingOf } from '../../daemon/ui/areas/health/faces.ts'
import { labelPlaces, profileShapes, stackOf } from '../../daemon/ui/areas/health/glucose/profile.ts'
import {
  dotsOf,
  hoursUpTo,
  partsOf,
  sharesOf,
  trendOf,
  windowOf,
  zoneOf,
} from '../../daemon/ui/areas/health/glucose/trace.ts'
import { mealsOnce } from '../../daemon/ui/areas/health/meals/once.ts'
import { scaleOf, wallTicks } from '../../daemon/ui/areas/health/scale.ts'
import {
  debtHours,
  needHours,
  nightsByDay,
  regularityOf,
  stagesOf,
} from '../../daemon/ui/areas/health/sleep/nights.ts'
import { glucoseText } from '../../daemon/ui/areas/health/units.ts'
import { ASLEEP, AWAKE, sleepDebt, sleepNeed, sleepRegularity, UNKNOWN } from '../../models/series/sleep.ts'

const BERLIN = 'Europe/Berlin'
const NOW = Date.parse('2026-11-20T13:37:20Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE

const bin = (minute: number, p50: number | null): ProfileBin => ({
  minute_of_day: minute,
  readings: 3,
  days: 3,
  p5: p50 && p50 - 20,
  p25: p50 && p50 - 10,
  p50,
  p75: p50 && p50 + 10,
  p95: p50 && p50 + 20,
})

test('glucose is written in the unit of the household', () => {
  assert.equal(glucoseText(180, 'mg/dL'), '180')
  assert.equal(glucoseText(180, 'mmol/L'), '10.0')
  assert.equal(glucoseText(70, 'mmol/L'), '3.9')
})

test('a profile is closed bands around its median, from the middle of each quarter of an hour', () => {
  const x = scaleOf(0, 1440, 0, 1440)
  const y = scaleOf(0, 300, 300, 0)
  const [shape, ...more] = profileShapes([bin(0, 100), bin(15, 120)], x, y)
  assert.equal(more.length, 0)
  assert.equal(shape?.median, 'M7.5 200L22.5 180')
  assert.equal(shape?.inner, 'M7.5 190L22.5 170L22.5 190L7.5 210Z')
  assert.equal(shape?.outer, 'M7.5 180L22.5 160L22.5 200L7.5 220Z')
})

test('a time of day without readings leaves the profile open', () => {
  const scale = scaleOf(0, 1440, 0, 1440)
  const shapes = profileShapes([bin(0, 100), bin(15, null), bin(30, 100), bin(45, 110)], scale, scale)
  assert.equal(shapes.length, 2)
})

test('the ranges fill the bar whole and their labels never lie over each other', () => {
  const share = fc.double({ min: 0, max: 100, noNaN: true })
  fc.assert(
    fc.property(fc.tuple(share, share, share, share, share), ([a, b, c, d, e]) => {
      fc.pre(a + b + c + d + e > 1)
      const layers = stackOf([
        ['veryHigh', a],
        ['high', b],
        ['inRange', c],
        ['low', d],
        ['veryLow', e],
      ])
      assert.ok(Math.abs((layers.at(-1)?.to ?? 0) - 1) < 1e-9)
      const places = labelPlaces(layers, 260).map(({ y }) => y)
      for (const [index, y] of places.entries()) {
        assert.ok(y >= 0 && y <= 260)
        if (index > 0) assert.ok(y - (places[index - 1] ?? 0) >= 40 - 1e-9)
      }
    }),
    { numRuns: 200 },
  )
})

test('an address means a whole local day or some hours up to an instant', () => {
  const whole = windowOf(new URLSearchParams('d=2026-10-25'), BERLIN, NOW)
  assert.equal((whole.toMs - whole.fromMs) / HOUR, 25, 'the day the clocks go back')
  const part = windowOf(new URLSearchParams('h=6&d=2026-11-19&t=16:00'), BERLIN, NOW)
  assert.equal(new Date(part.fromMs).toISOString(), '2026-11-19T09:00:00.000Z')
  assert.equal(part.search, '?h=6&d=2026-11-19&t=16%3A00')
  const now = windowOf(new URLSearchParams('h=3'), BERLIN, NOW)
  assert.deepEqual([now.toMs, now.search], [NOW, '?h=3'])
  assert.equal(windowOf(new URLSearchParams('h=5&d=2027-01-01&t=x'), BERLIN, NOW).day, '2026-11-20')
})

test('stepping back by hours and forth again comes to the same address', () => {
  const back = hoursUpTo(NOW - 3 * HOUR, 3, BERLIN, NOW)
  const read = windowOf(new URLSearchParams(back.search), BERLIN, NOW)
  assert.deepEqual(read, back)
  const midnight = hoursUpTo(Date.parse('2026-11-18T23:00:00Z'), 3, BERLIN, NOW)
  assert.deepEqual(windowOf(new URLSearchParams(midnight.search), BERLIN, NOW).fromMs, midnight.fromMs)
})

test('a trend needs two readings a quarter of an hour apart', () => {
  const readings = (...values: [minute: number, value: number][]) =>
    dotsOf(
      values.map(([minute, value]) => ({
        timestamp: new Date(NOW + minute * MINUTE).toISOString(),
        value,
        source: 'g7',
      })),
    )
  assert.equal(trendOf(readings([0, 100], [5, 110])), null)
  assert.deepEqual(trendOf(readings([0, 100], [15, 148])), {
    trend: 'risingFast',
    change: 48,
    overMs: 15 * MINUTE,
  })
  assert.equal(trendOf(readings([0, 100], [15, 85]))?.trend, 'fallingSlowly')
  assert.equal(trendOf(readings([0, 100], [15, 86]))?.trend, 'steady')
  assert.equal(trendOf(readings([0, 200], [15, 150]))?.trend, 'fallingFast')
})

test('missing readings are a gap and every reading belongs to one range', () => {
  const dots = [0, 5, 10, 40, 45].map((minute) => ({
    atMs: minute * MINUTE,
    value: 100 + minute,
    censored: null,
  }))
  assert.deepEqual(
    partsOf(dots, 16 * MINUTE).map((part) => part.length),
    [3, 2],
  )
  assert.deepEqual([53, 54, 69, 70, 180, 181, 250, 251].map(zoneOf), [
    ...['veryLow', 'low', 'low', 'inRange', 'inRange', 'high', 'high', 'veryHigh'],
  ])
  assert.equal(sharesOf([]), null)
})

const night = (day: string, fromHour: number, hours: number, id = day): Night => {
  const startMs = Date.parse(`${day}T00:00:00Z`) + fromHour * HOUR
  return {
    ...{ id, wake_date: day, duration_minutes: hours * 60, quality_score: null, source: 'watch' },
    sleep_start: new Date(startMs).toISOString(),
    sleep_end: new Date(startMs + hours * HOUR).toISOString(),
    ...{ deep_sleep_minutes: null, rem_sleep_minutes: null, light_sleep_minutes: null, awake_minutes: null },
  }
}
const day = (index: number) => new Date(Date.UTC(2026, 10, 1 + index)).toISOString().slice(0, 10)

test('a nap does not take the place of the night', () => {
  const found = nightsByDay([
    night(day(1), -1, 8, 'night'),
    night(day(1), 13, 1, 'nap'),
    night(day(0), -2, 7),
  ])
  assert.deepEqual(
    found.map(({ id }) => id),
    [day(0), 'night'],
  )
})

test('sleep need and debt are those of the hub', () => {
  for (const age of [0, 1, 2, 3, 5, 6, 12, 13, 18, 19, 64])
    assert.equal(needHours(age), sleepNeed(age)?.fromHours ?? null, `${age} years`)
  const minutes = fc.option(fc.integer({ min: 0, max: 900 }), { nil: null })
  fc.assert(
    fc.property(fc.array(minutes, { minLength: 0, maxLength: 20 }), (slept) => {
      const rows = slept.map((total, index) => ({ date: day(index), total_sleep_minutes: total }))
      const hours = slept.map((one) => (one === null ? Number.NaN : one / 60))
      const expected = sleepDebt(hours, 8)?.hours ?? null
      const found = debtHours(rows, 8)
      if (expected === null || found === null) assert.equal(found, expected)
      else assert.ok(Math.abs(found - expected) < 1e-9)
    }),
    { numRuns: 200 },
  )
})

test('regularity is the hub’s index over the same minutes', () => {
  const nights = Array.from({ length: 9 }, (_, index) =>
    night(day(index), -1 + (index % 3) * 0.75, 7 + (index % 2)),
  ).filter((_, index) => index !== 4)
  const startMs = Date.parse(nights[0]!.sleep_end) - 24 * HOUR
  const noonMs = Math.floor((startMs + 12 * HOUR) / (24 * HOUR)) * 24 * HOUR + 12 * HOUR
  const states = new Uint8Array(9 * 1440).fill(UNKNOWN)
  for (const { sleep_start: start, sleep_end: end } of nights) {
    const from = Math.floor((Date.parse(end) - noonMs) / (24 * HOUR)) * 1440
    states.fill(AWAKE, from, from + 1440)
    states.fill(ASLEEP, (Date.parse(start) - noonMs) / MINUTE, (Date.parse(end) - noonMs) / MINUTE)
  }
  const expected = sleepRegularity(states)
  assert.ok(expected !== null && expected < 100)
  assert.equal(regularityOf(nights), expected)
  assert.equal(regularityOf(nights.slice(0, 3)), null)
})

test('stages last until the next one and the last until waking', () => {
  const one = night(day(1), 0, 8)
  const at = (hour: number) => new Date(Date.parse(one.sleep_start) + hour * HOUR).toISOString()
  const point = (hour: number, value: string) => ({
    ts: at(hour),
    value,
    source: '',
    device: '',
    quality: null,
    revision: 0,
  })
  const stages = stagesOf([point(0, 'light'), point(2, 'unknown'), point(3, 'deep'), point(9, 'awake')], one)
  assert.deepEqual(
    stages.map(({ stage, fromMs, toMs }) => [stage, (toMs - fromMs) / HOUR]),
    [
      ['light', 2],
      ['deep', 5],
    ],
  )
})

test('a day is cut out of what reaches over its ends, and holes stay open', () => {
  const spans = [
    { fromMs: -5, toMs: 5, text: 'a', detail: '' },
    { fromMs: 20, toMs: 30, text: 'b', detail: '' },
  ]
  assert.deepEqual(within(spans, 0, 10), [{ fromMs: 0, toMs: 5, text: 'a', detail: '' }])
  assert.equal(unbroken([0, 15, 60].map((minute) => ({ atMs: minute * MINUTE }))).length, 2)
})

test('a school event is shown when it names itself and a time of the day', () => {
  const events = [
    'sports day',
    { title: 'Exam', date: day(3) },
    { name: 'Trip', start: `${day(3)}T09:00:00Z` },
    { title: 'Other', date: day(4) },
    null,
  ]
  assert.deepEqual(schoolMarks(events, day(3), 12), [
    { atMs: 12, text: 'Exam', detail: '' },
    { atMs: Date.parse(`${day(3)}T09:00:00Z`), text: 'Trip', detail: '' },
  ])
})

test('hours are labelled by the wall clock on the days that clocks change', () => {
  const fromMs = Date.parse('2026-10-24T22:00:00Z')
  const hours = wallTicks(fromMs, fromMs + 25 * HOUR, BERLIN, 6).map((atMs) => (atMs - fromMs) / HOUR)
  assert.deepEqual(hours, [0, 7, 13, 19, 25])
})

test('every face comes back from the rating it stands for', () => {
  assert.deepEqual(
    FACES.map((face) => faceOf(ratingOf(face))),
    [...FACES],
  )
  assert.deepEqual([1, 5, 7, 9].map(faceOf), ['awful', 'okay', 'good', 'great'])
})

test('a touch shows what lies about that instant, and all of the day where there is nothing', () => {
  const span = (fromMs: number, toMs: number, text: string) => ({ fromMs, toMs, text, detail: '' })
  const set = {
    spans: [{ kind: 'sleep' as const, items: [span(0, 6 * HOUR, 'night')] }],
    marks: [{ kind: 'meal' as const, items: [{ atMs: 6.2 * HOUR, text: 'breakfast', detail: '' }] }],
  }
  const shown = (atMs: number | null) => thingsOf(set, atMs).things.map(({ text }) => text)
  assert.deepEqual(shown(null), ['night', 'breakfast'])
  assert.deepEqual(shown(3 * HOUR), ['night'])
  assert.deepEqual(shown(6.1 * HOUR), ['night', 'breakfast'])
  assert.deepEqual(thingsOf(set, 12 * HOUR), thingsOf(set, null))
})

test('a night that began on the day before is cut with its stages', () => {
  const stage = (fromMs: number, toMs: number) => ({ stage: 'deep' as const, fromMs, toMs })
  const night = {
    fromMs: -HOUR,
    toMs: HOUR,
    text: '2 h',
    detail: '',
    stages: [stage(-HOUR, 0), stage(-5, HOUR)],
  }
  assert.deepEqual(within([night], 0, 24 * HOUR), [{ ...night, fromMs: 0, stages: [stage(0, HOUR)] }])
})

test('several who tell the same stretch of a day are one, the longest, and say how many they are', () => {
  const span = (fromMs: number, toMs: number, text: string) => ({ fromMs, toMs, text, detail: '' })
  const told = toldOnce([
    span(0, 90, 'watch'),
    span(200, 230, 'walk'),
    span(5, 99, 'strap'),
    span(80, 85, 'phone'),
  ])
  assert.deepEqual(
    told.map(({ span: { text }, tellers }) => [text, tellers]),
    [
      ['strap', 3],
      ['walk', 1],
    ],
  )
})

test('a meal that several programs tell is shown once and names the others', () => {
  const meal = (
    source: string,
    timestamp: string,
    carbs: number | null,
    description: string | null = null,
  ) => ({
    ...{ id: `${source} ${timestamp}`, timestamp, meal_type: null, carbs_grams: carbs, calories: null },
    ...{ description, source },
  })
  const shown = mealsOnce([
    meal('clarity', '2026-03-14T07:00:00.000Z', 45),
    meal('nightscout', '2026-03-14T07:06:00.000Z', 45.4, 'oats'),
    meal('manual', '2026-03-14T07:08:00.000Z', 20),
    meal('clarity', '2026-03-14T12:00:00.000Z', null),
  ])
  assert.deepEqual(
    shown.map(({ meal: { source }, alsoBy }) => [source, alsoBy]),
    [
      ['nightscout', ['clarity']],
      ['manual', []],
      ['clarity', []],
    ],
  )
})
