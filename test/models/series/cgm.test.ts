import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { episodeSummaries, glucoseEpisodes } from '../../../models/series/cgm-episodes.ts'
import { glucoseGrid } from '../../../models/series/cgm-grid.ts'
import { mage } from '../../../models/series/cgm-mage.ts'
import { glucoseProfile } from '../../../models/series/cgm-profile.ts'
import { glucoseRanges, glycemiaRiskIndex, shareOf } from '../../../models/series/cgm-ranges.ts'
import { highIndex, lowIndex } from '../../../models/series/cgm-risk.ts'
import { glucoseSummary } from '../../../models/series/cgm-summary.ts'
import { type GlucoseReading, glucoseTrace } from '../../../models/series/cgm-trace.ts'
import { cvMeasures, meanUnderCurve, modd, sdMeasures } from '../../../models/series/cgm-variability.ts'
import { wear } from '../../../models/series/cgm-wear.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const MONDAY = Date.UTC(2026, 2, 2)
const utc = (atMs: number) => atMs

/** Readings every five minutes from midnight on; NaN leaves a hole. */
function everyFive(values: readonly number[], fromMs = MONDAY): GlucoseReading[] {
  return values.map((mgPerDl, index) => ({ atMs: fromMs + index * 5 * MINUTE_MS, mgPerDl }))
}

function gridOf(values: readonly number[]) {
  const grid = glucoseGrid(glucoseTrace(everyFive(values)), utc)
  assert.ok(grid)
  return grid
}

const readings = fc.array(
  fc.record({
    atMs: fc.integer({ min: MONDAY, max: MONDAY + 3 * DAY_MS }),
    mgPerDl: fc.integer({ min: 20, max: 600 }),
    nominalMin: fc.constantFrom(1, 5, 15),
  }),
  { minLength: 1, maxLength: 200 },
)

test('the five ranges of any readings add up to 100, and none is negative', () => {
  fc.assert(
    fc.property(readings, (some) => {
      const ranges = glucoseRanges(glucoseTrace(some))
      assert.ok(ranges)
      const { veryLow, low, inRange, high, veryHigh, tight } = ranges
      assert.ok(Math.abs(veryLow + low + inRange + high + veryHigh - 100) < 1e-9)
      assert.ok([veryLow, low, inRange, high, veryHigh].every((part) => part >= 0))
      assert.ok(tight <= inRange)
    }),
    { numRuns: 200 },
  )
})

test('numbers that look at values only do not depend on the order of arrival', () => {
  fc.assert(
    fc.property(readings, (some) => {
      const [one, other] = [glucoseTrace(some), glucoseTrace([...some].reverse())]
      assert.deepEqual(glucoseRanges(one), glucoseRanges(other))
      assert.ok(Math.abs((lowIndex(one.mgPerDl) ?? 0) - (lowIndex(other.mgPerDl) ?? 0)) < 1e-9)
      assert.deepEqual(wear(one), wear(other))
    }),
    { numRuns: 100 },
  )
})

test('with one sensor a share is the share of readings to the last bit', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 40, max: 400 }), { minLength: 1, maxLength: 300 }), (values) => {
      const trace = glucoseTrace(everyFive(values).map((reading) => ({ ...reading, nominalMin: 5 })))
      const inside = values.filter((value) => value >= 70 && value <= 180).length
      assert.equal(
        shareOf(trace, (v) => v >= 70 && v <= 180),
        (100 * inside) / values.length,
      )
    }),
    { numRuns: 200 },
  )
})

test('one reading of a 15-minute sensor weighs as much as three of a 5-minute sensor', () => {
  const libre = [{ atMs: MONDAY, mgPerDl: 300, nominalMin: 15 }]
  const dexcom = everyFive([100, 100, 100], MONDAY + DAY_MS).map((one) => ({ ...one, nominalMin: 5 }))
  assert.equal(
    shareOf(glucoseTrace([...libre, ...dexcom]), (v) => v > 180),
    50,
  )
})

test('the edges of the ranges are where the consensus puts them', () => {
  const ranges = glucoseRanges(glucoseTrace(everyFive([53, 54, 69, 70, 140, 141, 180, 181, 250, 251])))
  assert.deepEqual(ranges, { veryLow: 10, low: 20, inRange: 40, high: 20, veryHigh: 10, tight: 20 })
  assert.equal(ranges && glycemiaRiskIndex(ranges), 100, '30 + 48 + 16 + 16 is capped')
})

test('without readings nothing is claimed', () => {
  const nothing = glucoseTrace([{ atMs: MONDAY, mgPerDl: Number.NaN }])
  assert.equal(glucoseRanges(nothing), null)
  assert.equal(lowIndex(nothing.mgPerDl), null)
  assert.equal(highIndex(nothing.mgPerDl), null)
  assert.equal(wear(nothing), null)
  assert.equal(glucoseGrid(nothing, utc), null)
  assert.deepEqual(glucoseSummary(nothing).shortages, [
    'no_readings',
    'under_14_days',
    'under_70_percent_wear',
  ])
})

test('a summary says when the period is too short or worn too little', () => {
  const days = (count: number, keep = (_index: number) => true) =>
    glucoseSummary(
      glucoseTrace(everyFive(Array.from({ length: count * 288 }, () => 110)).filter((_, i) => keep(i))),
    )
  assert.deepEqual(days(14).shortages, [])
  assert.deepEqual(days(13).shortages, ['under_14_days'])
  assert.deepEqual(days(15, (index) => index % 10 < 6 || index > 4315).shortages, ['under_70_percent_wear'])
})

test('a short hole is bridged by a straight line, a long one stays a hole', () => {
  const hole = (minutes: number) => [
    ...everyFive([100, 100, 100]),
    ...everyFive([145, 145, 145], MONDAY + (10 + minutes) * MINUTE_MS),
  ]
  const at = (minutes: number, index: number) => glucoseGrid(glucoseTrace(hole(minutes)), utc)?.mgPerDl[index]
  assert.equal(at(45, 2), 105, 'five minutes into 45')
  assert.ok(Number.isNaN(at(50, 2)), 'five minutes into 50')
})

test('a day of 25 hours is one day, and its second 02:30 shows the same time of day', () => {
  const changeMs = Date.UTC(2025, 9, 26, 1)
  const berlin = (atMs: number) => atMs + (atMs < changeMs ? 2 : 1) * 3_600_000
  const fromMs = Date.UTC(2025, 9, 25, 22)
  const trace = glucoseTrace(
    everyFive(
      Array.from({ length: 26 * 12 + 1 }, (_, k) => 100 + (k % 7)),
      fromMs,
    ),
  )
  const grid = glucoseGrid(trace, berlin)
  assert.ok(grid)
  assert.equal(grid.day.filter((day) => day === 0).length, 300)
  const half = grid.slot.indexOf(29)
  assert.equal(grid.slot[half + 12], 29)
})

test('a daily rhythm that repeats differs from itself by nothing a day later', () => {
  const grid = gridOf(Array.from({ length: 3 * 288 }, (_, k) => 120 + 40 * Math.sin((2 * Math.PI * k) / 288)))
  const day = modd(grid)
  assert.ok(day !== null && day < 1e-9)
  const { betweenDaysSameTime, withinDays } = sdMeasures(grid)
  assert.ok(betweenDaysSameTime !== null && betweenDaysSameTime < 1e-9)
  assert.ok(Math.abs((withinDays ?? 0) - 40 / Math.SQRT2) < 0.2)
  assert.ok(Math.abs((meanUnderCurve(grid) ?? 0) - 120) < 0.1)
})

test('one day has no difference between days', () => {
  const grid = gridOf([110, 120, 130, 120])
  assert.equal(modd(grid), null)
  assert.equal(cvMeasures(grid).sd, null)
  assert.equal(sdMeasures(grid).betweenDailyMeans, null)
})

test('MAGE of even waves is their height, in whichever direction', () => {
  const wave = Array.from({ length: 2 * 288 }, (_, k) => 150 - 60 * Math.cos((2 * Math.PI * k) / 72))
  const { plus, minus, average, largest } = mage(gridOf(wave))
  for (const amplitude of [plus, minus, average, largest]) assert.ok(Math.abs((amplitude ?? 0) - 120) < 0.5)
})

test('MAGE says nothing about a flat or a short trace', () => {
  assert.deepEqual(mage(gridOf(Array.from({ length: 288 }, () => 100))).average, null)
  assert.deepEqual(mage(gridOf([100, 180, 90, 200, 80])).average, null)
})

test('an episode needs 15 minutes to begin and 15 to end, and a hole ends it', () => {
  const starts = [100, 65, 65, 100, 100, 100]
  assert.equal(glucoseEpisodes(gridOf(starts), 'hypo', 70).length, 0, 'ten minutes are none')
  const once = [100, 65, 65, 65, 90, 90, 65, 90, 90, 90, 90]
  const [episode, ...more] = glucoseEpisodes(gridOf(once), 'hypo', 70)
  assert.equal(more.length, 0, 'ten minutes back do not end it')
  assert.equal(episode?.minutes, 30)
  const open = [100, 65, 65, 65]
  assert.equal(glucoseEpisodes(gridOf(open), 'hypo', 70)[0]?.minutes, 15)
})

test('level 1 without level 2 leaves out the episodes that went deeper', () => {
  const values = [
    ...Array(6).fill(65),
    ...Array(6).fill(100),
    ...Array(3).fill(65),
    ...Array(4).fill(50),
    ...Array(6).fill(100),
  ]
  const totals = Object.fromEntries(
    episodeSummaries(gridOf(values)).map((row) => [`${row.kind} ${row.level}`, row.total]),
  )
  assert.deepEqual(
    [totals['hypo lv1'], totals['hypo lv2'], totals['hypo lv1_excl'], totals['hyper lv1']],
    [2, 1, 1, 0],
  )
})

test('the profile counts days per time of day and leaves empty times without percentiles', () => {
  const trace = glucoseTrace([...everyFive([100, 110, 120]), ...everyFive([200, 210, 220], MONDAY + DAY_MS)])
  const bins = glucoseProfile(trace, utc)
  assert.equal(bins.length, 96)
  assert.deepEqual(bins[0], {
    minuteOfDay: 0,
    readings: 6,
    days: 2,
    p5: 102.5,
    p25: 112.5,
    p50: 160,
    p75: 207.5,
    p95: 217.5,
  })
  assert.equal(bins[1]?.p50, null)
})

test('a trace that spans a century is a wrong clock, not a grid', () => {
  const trace = glucoseTrace([
    ...everyFive([100, 101, 102, 103]),
    { atMs: MONDAY + 36_500 * DAY_MS, mgPerDl: 100 },
  ])
  assert.throws(() => glucoseGrid(trace, utc), /too many/)
})
