import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ADULT_GPS, createGpsAccumulator, gpsKpis } from '../../../models/series/gps.ts'
import { createLowPass, VIDEO_SPEED_CUTOFF_HZ } from '../../../models/series/gps-filter.ts'
import { youthThresholds } from '../../../models/series/gps-youth.ts'

const speeds = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.double({ min: 0, max: 10, noNaN: true }) },
    { weight: 1, arbitrary: fc.constant(Number.NaN) },
  ),
  { maxLength: 400 },
)

test('asked after every sample, the accumulator ends where the whole series does', () => {
  fc.assert(
    fc.property(speeds, (series) => {
      const live = createGpsAccumulator(ADULT_GPS)
      let sprints = 0
      for (const speed of series) {
        live.add(speed)
        const now = live.result()
        assert.ok(now.sprints >= sprints, 'a count never falls')
        sprints = now.sprints
      }
      assert.deepEqual(live.result(), gpsKpis(series, ADULT_GPS))
    }),
    { numRuns: 60 },
  )
})

test('the distances of the zones add up to the whole', () => {
  fc.assert(
    fc.property(speeds, (series) => {
      const { distanceM, zoneDistanceM } = gpsKpis(series, ADULT_GPS)
      assert.ok(Math.abs(zoneDistanceM.reduce((sum, metres) => sum + metres, 0) - distanceM) < 1e-6)
    }),
    { numRuns: 60 },
  )
})

test('a lost fix ends an effort and adds no distance', () => {
  const sprint = Array.from({ length: 9 }, () => 8)
  const broken = gpsKpis([...sprint, Number.NaN, ...sprint], ADULT_GPS)
  assert.equal(broken.sprints, 0)
  assert.equal(broken.samples, 18)
  assert.ok(Math.abs(broken.distanceM - 14.4) < 1e-9)
  assert.equal(gpsKpis([...sprint, 8], ADULT_GPS).sprints, 1)
})

test('one bad fix raises the highest speed but hardly the best second', () => {
  const walk = Array.from({ length: 30 }, (_, k) => (k === 15 ? 12 : 2))
  const { maxSpeedMps, bestSecondMps } = gpsKpis(walk, ADULT_GPS)
  assert.equal(maxSpeedMps, 12)
  assert.equal(bestSecondMps, 3)
})

test('nothing measured is no speed at all', () => {
  const { samples, maxSpeedMps, bestSecondMps } = gpsKpis([Number.NaN], ADULT_GPS)
  assert.deepEqual(
    { samples, maxSpeedMps, bestSecondMps },
    { samples: 0, maxSpeedMps: null, bestSecondMps: null },
  )
})

test('the low pass keeps a steady run, halves the power at its cut-off and stills the jitter of video', () => {
  const run = createLowPass(VIDEO_SPEED_CUTOFF_HZ, 15)
  assert.ok(Math.abs([4, 4, 4, 4].map(run).at(-1)! - 4) < 1e-12)
  const amplitude = (hz: number) => {
    const filter = createLowPass(VIDEO_SPEED_CUTOFF_HZ, 15)
    const out = Array.from({ length: 600 }, (_, k) => filter(Math.sin((2 * Math.PI * hz * k) / 15)))
    return Math.sqrt((2 * out.slice(300).reduce((sum, one) => sum + one * one, 0)) / 300)
  }
  assert.ok(Math.abs(amplitude(1) - Math.SQRT1_2) < 0.01)
  assert.ok(amplitude(5) < 0.02)
  assert.throws(() => createLowPass(1, 2), RangeError)
})

test('the low pass starts afresh after a loss', () => {
  const filter = createLowPass(1, 10)
  filter(0)
  assert.ok(Number.isNaN(filter(Number.NaN)))
  assert.ok(Math.abs(filter(6) - 6) < 1e-12)
})

test('a child is measured against their own best second, or against their age group until it is known', () => {
  const own = youthThresholds(12, 6)
  assert.ok(Math.abs(own.sprintMps - 4.8) < 1e-12 && Math.abs(own.highSpeedMps - 3.6) < 1e-12)
  assert.ok(Math.abs(youthThresholds(10, null).sprintMps - 0.72 * 7) < 1e-12)
  assert.deepEqual(youthThresholds(17, null), ADULT_GPS)
})
