import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type HrvMetrics, hrv } from '../../../models/series/hrv.ts'
import { completeWindows, knownBeats, withoutArtefacts } from '../../../models/series/hrv-artefacts.ts'

const beats = (...ms: number[]) => Float64Array.from(ms)

function measured(intervals: Float64Array): HrvMetrics {
  const found = hrv(intervals)
  assert.ok(!('reason' in found))
  return found
}

test('four beats give the numbers that one can check by hand', () => {
  const found = measured(beats(800, 860, 800, 860))
  assert.equal(found.meanNn, 830)
  assert.equal(found.rmssd, 60)
  assert.equal(found.sdnnPopulation, 30)
  assert.equal(found.nn50, 3)
  assert.equal(found.differences, 3)
})

test('nothing is measured across a beat that is missing', () => {
  const found = measured(beats(800, 810, Number.NaN, 1200, 1210))
  assert.equal(found.n, 4)
  assert.equal(found.rmssd, 10)
  assert.equal(found.differences, 2)
})

test('too little to measure is told apart from stillness', () => {
  assert.deepEqual(hrv(beats()), { n: 0, reason: 'no_beats' })
  assert.deepEqual(hrv(beats(800)), { n: 1, reason: 'no_neighbouring_beats' })
  assert.deepEqual(hrv(beats(800, Number.NaN, 810)), { n: 2, reason: 'no_neighbouring_beats' })
  assert.equal(measured(beats(800, 800, 800)).rmssd, 0)
})

test('reading a recording backwards changes neither SDNN nor RMSSD', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 400, max: 1500 }), { minLength: 2, maxLength: 80 }),
      (intervals) => {
        const [there, back] = [measured(beats(...intervals)), measured(beats(...intervals.reverse()))]
        assert.ok(Math.abs(there.rmssd - back.rmssd) < 1e-9)
        assert.ok(Math.abs(there.sdnn - back.sdnn) < 1e-9)
      },
    ),
    { numRuns: 150 },
  )
})

test('a missed and a double-counted beat are taken out, and nothing is invented for them', () => {
  const spoilt = [...Array(6).fill(850), 1700, ...Array(6).fill(850), 425, 425, ...Array(6).fill(850)]
  const cleaned = withoutArtefacts(beats(...spoilt))
  assert.equal(cleaned.dropped, 3)
  const found = measured(cleaned.beats)
  assert.equal(found.n, spoilt.length - 3)
  assert.equal(found.rmssd, 0)
})

test('a steady rise in heart rate is not an artefact', () => {
  const rise = Float64Array.from({ length: 100 }, (_, k) => 1000 - 5 * k)
  assert.equal(withoutArtefacts(rise).dropped, 0)
})

test('what is no interval is missing, and implausible ones go with the filter only', () => {
  assert.deepEqual(
    knownBeats(beats(800, 0, -5, Number.POSITIVE_INFINITY, 100)),
    beats(800, NaN, NaN, NaN, 100),
  )
  assert.equal(withoutArtefacts(beats(100, 800, 810, 800, 5000, 805)).dropped, 2)
})

test('windows are complete, share no beat and lose none before the last one', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 300, max: 2000 }), { maxLength: 300 }), (intervals) => {
      const given = beats(...intervals)
      const windows = completeWindows(given, given, 60_000)
      const total = intervals.reduce((sum, ms) => sum + ms, 0)
      assert.equal(windows.length, Math.floor(total / 60_000))
      let next = 0
      for (const window of windows) {
        assert.equal(window.firstBeat, next)
        next += window.beats.length
      }
    }),
    { numRuns: 150 },
  )
})
