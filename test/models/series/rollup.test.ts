import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  addSample,
  type Bucket,
  emptyBucket,
  median,
  mergeAll,
  type Quantum,
  quantise,
} from '../../../models/series/rollup.ts'
import { decodeBins, encodeBins } from '../../../models/series/rollup-bins.ts'

const PULSE: Quantum = { scale: 10, binWidth: 10, maxGapMs: 120_000 }

type Sample = readonly [atMs: number, scaled: number]

function bucketOf(samples: readonly Sample[], quantum = PULSE): Bucket {
  const bucket = emptyBucket()
  for (const [atMs, scaled] of samples) addSample(bucket, atMs, scaled, quantum)
  return bucket
}

function splitAt(samples: readonly Sample[], cuts: readonly number[]): Sample[][] {
  const edges = [0, ...cuts.map((cut) => cut % (samples.length + 1)).sort((a, b) => a - b), samples.length]
  return edges.slice(1).map((end, index) => samples.slice(edges[index], end))
}

/** Ascending instants with holes, values up to the largest that any metric has. */
const series = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: -1e9, max: 1e9 })), {
    maxLength: 60,
  })
  .map((steps) => {
    let atMs = Date.UTC(2026, 2, 14)
    return steps.map(([stepMs, scaled]): Sample => {
      atMs += stepMs
      return [atMs, scaled]
    })
  })

test('a roll-up of roll-ups equals the roll-up of the raw samples, however they are cut', () => {
  fc.assert(
    fc.property(series, fc.array(fc.nat(), { maxLength: 6 }), (samples, cuts) => {
      const parts = splitAt(samples, cuts).map((part) => bucketOf(part))
      assert.deepEqual(mergeAll(parts, PULSE.maxGapMs), bucketOf(samples))
    }),
    { numRuns: 300 },
  )
})

test('merging is associative', () => {
  fc.assert(
    fc.property(series, fc.nat(), fc.nat(), (samples, one, two) => {
      const [a, b, c] = splitAt(samples, [one, two]).map((part) => bucketOf(part))
      const left = mergeAll([mergeAll([a!, b!], PULSE.maxGapMs), c!], PULSE.maxGapMs)
      assert.deepEqual(left, mergeAll([a!, mergeAll([b!, c!], PULSE.maxGapMs)], PULSE.maxGapMs))
    }),
    { numRuns: 200 },
  )
})

test('every kept statistic is an integer below 2^53, or null where it would not be', () => {
  fc.assert(
    fc.property(series, (samples) => {
      const { bins: _bins, ...statistics } = bucketOf(samples)
      for (const value of Object.values(statistics)) assert.ok(value === null || Number.isSafeInteger(value))
    }),
    { numRuns: 200 },
  )
  const far = bucketOf([
    [0, 900_000_000],
    [60_000, -900_000_000],
  ])
  assert.equal(far.sumSq, null)
  assert.equal(far.sumSqDiff, null)
  assert.equal(far.sumVDt, 54_000_000_000_000)
})

test('time is covered between samples no further apart than the largest gap', () => {
  const bucket = bucketOf([
    [0, 600],
    [60_000, 700],
    [60_000 + 120_001, 800],
    [200_000, 900],
  ])
  assert.equal(bucket.coveredMs, 60_000 + 19_999)
  assert.equal(bucket.sumVDt, 600 * 60_000 + 800 * 19_999)
  assert.equal(bucket.nDiff, 2)
  assert.equal(bucket.sumSqDiff, 100 ** 2 + 100 ** 2)
})

test('extremes are remembered with the first instant they came at', () => {
  const bucket = bucketOf([
    [1, 700],
    [2, 600],
    [3, 900],
    [4, 600],
    [5, 900],
  ])
  assert.deepEqual([bucket.min, bucket.minAt, bucket.max, bucket.maxAt], [600, 2, 900, 3])
  assert.deepEqual([bucket.first, bucket.firstAt, bucket.last, bucket.lastAt], [700, 1, 900, 5])
})

test('samples out of order and overlapping stretches are refused', () => {
  assert.throws(
    () =>
      bucketOf([
        [5, 700],
        [5, 700],
      ]),
    RangeError,
  )
  assert.throws(() => mergeAll([bucketOf([[5, 700]]), bucketOf([[4, 700]])], 1000), RangeError)
})

test('the median is exact for values on the bin grid', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 20, max: 250 }), { minLength: 1, maxLength: 40 }), (values) => {
      const sorted = [...values].sort((a, b) => a - b)
      const low = sorted[Math.floor((sorted.length - 1) / 2)]!
      const high = sorted[Math.floor(sorted.length / 2)]!
      const bucket = bucketOf(values.map((value, index) => [index, quantise(value, 10)]))
      assert.equal(median(bucket, PULSE.binWidth) / 10, (low + high) / 2)
    }),
    { numRuns: 200 },
  )
})

test('a histogram survives its encoding, negative and distant bins included', () => {
  const bins = fc.uniqueArray(
    fc.tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 1, max: 2 ** 40 })),
    {
      selector: ([bin]) => bin,
      maxLength: 50,
    },
  )
  fc.assert(
    fc.property(bins, (entries) => {
      const ascending = new Map([...entries].sort((a, b) => a[0] - b[0]))
      assert.deepEqual([...decodeBins(encodeBins(new Map(entries)))], [...ascending])
    }),
    { numRuns: 200 },
  )
  assert.throws(() => decodeBins(Uint8Array.of(0x80)), RangeError)
})
