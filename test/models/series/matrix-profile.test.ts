import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../../../models/series/cluster-days-random.ts'
import { exclusionZone, matrixProfile } from '../../../models/series/matrix-profile.ts'
import { topDiscords, topMotif } from '../../../models/series/matrix-profile-findings.ts'
import { Cancelled } from '../../../models/series/statistics-watch.ts'

/** The definition, pair by pair. */
function slowProfile(values: Float64Array, m: number): number[] {
  const windows = Array.from({ length: values.length - m + 1 }, (_, start) =>
    shape(values.slice(start, start + m)),
  )
  return windows.map((a, i) => {
    let nearest = Number.POSITIVE_INFINITY
    for (const [j, b] of windows.entries()) {
      if (!a || !b || Math.abs(i - j) <= exclusionZone(m)) continue
      nearest = Math.min(nearest, apart(a, b, m))
    }
    return nearest
  })
}

type Shape = 'constant' | Float64Array

function shape(window: Float64Array): Shape | null {
  if (!window.every(Number.isFinite)) return null
  if (window.every((value) => value === window[0])) return 'constant'
  const level = window.map((value) => value - window[0]!)
  const mean = level.reduce((sum, value) => sum + value, 0) / level.length
  const deviation = Math.sqrt(level.reduce((sum, value) => sum + (value - mean) ** 2, 0) / level.length)
  return level.map((value) => (value - mean) / deviation)
}

function apart(a: Shape, b: Shape, m: number): number {
  if (a === 'constant' || b === 'constant') return a === b ? 0 : Math.sqrt(m)
  return Math.sqrt(a.reduce((sum, value, k) => sum + (value - b[k]!) ** 2, 0))
}

function assertExact(values: Float64Array, m: number, tolerance = 1e-6) {
  const { distance } = matrixProfile(values, m)
  for (const [i, expected] of slowProfile(values, m).entries()) {
    const actual = distance[i]!
    if (actual === expected) continue
    const allowed = expected < 0.01 ? 1e-4 : tolerance
    assert.ok(Math.abs(actual - expected) <= allowed, `window ${i}: ${actual}, expected ${expected}`)
  }
}

function walk(length: number, seed = 1): Float64Array {
  const random = seededRandom(seed)
  let level = 0
  return Float64Array.from({ length }, () => {
    level = 0.9 * level + random() - 0.5
    return level
  })
}

test('the profile equals the definition on series with plateaus, holes, infinities and tiny steps', () => {
  const value = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: -3, max: 3 }) },
    { weight: 2, arbitrary: fc.integer({ min: -5000, max: 5000 }).map((v) => v / 1000) },
    { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1e6) },
  )
  const stretch = fc
    .tuple(value, fc.integer({ min: 1, max: 7 }))
    .map(([v, times]) => new Array<number>(times).fill(v))
  const series = fc
    .array(stretch, { minLength: 10, maxLength: 25 })
    .map((parts) => Float64Array.from(parts.flat()))
  fc.assert(
    fc.property(series, fc.integer({ min: 3, max: 9 }), (values, m) => assertExact(values, m)),
    { numRuns: 200, seed: 5 },
  )
})

test('a spike a billion times larger than the rest does not spoil the windows after it', () => {
  const values = walk(400)
  values[150] = 1e9
  assertExact(values, 20)
})

test('a level of a billion does not cost the shapes of a small noise', () => {
  const values = walk(300).map((value) => 1e9 + value)
  assertExact(values, 16)
})

test('the nearest window is the nearer one of those before and after', () => {
  const { nearest, left, right } = matrixProfile(walk(300), 20)
  for (const [i, at] of nearest.entries()) assert.ok(at === left[i] || at === right[i])
  assert.equal(left[0], -1)
  assert.equal(right[280], -1)
})

test('a series without two windows that may be compared has no motif and no discord', () => {
  const profile = matrixProfile(walk(12), 10)
  assert.ok(profile.distance.every((value) => value === Number.POSITIVE_INFINITY))
  assert.equal(topMotif(profile), null)
  assert.deepEqual(topDiscords(profile, 3), [])
})

test('discords do not overlap', () => {
  const values = walk(600).map((value, t) => 0.1 * value + Math.sin(t / 5))
  for (let k = 0; k < 10; k += 1) values[300 + k] = 8 * (k % 2)
  const [first, second] = topDiscords(matrixProfile(values, 30), 2)
  assert.ok(first!.i > 270 && first!.i < 310)
  assert.ok(Math.abs(first!.i - second!.i) >= 30)
})

test('windows that do not fit the series are refused', () => {
  assert.throws(() => matrixProfile(walk(20), 2), RangeError)
  assert.throws(() => matrixProfile(walk(20), 21), RangeError)
})

test('a run tells how far it is and stops when called off', () => {
  let last = 0
  matrixProfile(walk(500), 20, {
    onProgress: (share) => {
      assert.ok(share >= last && share <= 1)
      last = share
    },
  })
  assert.ok(last > 0.9)
  assert.throws(() => matrixProfile(walk(500), 20, { isCancelled: () => last > 0 }), Cancelled)
})
