import assert from 'node:assert/strict'
import test from 'node:test'
import { clusterDays } from '../../../models/series/cluster-days.ts'
import { eigenvectors } from '../../../models/series/cluster-days-eigen.ts'
import { seededRandom } from '../../../models/series/cluster-days-random.ts'
import { agreement } from './agreement.ts'

/** Hourly glucose: dinner is of any size on every day, and on some days breakfast is missing. */
function glucoseDays(count: number, seed = 3) {
  const random = seededRandom(seed)
  const kinds = Array.from({ length: count }, () => (random() < 0.35 ? 1 : 0))
  const days = kinds.map((kind) => {
    const dinner = 130 + 80 * (random() + random() + random() - 1.5)
    return Float64Array.from({ length: 96 }, (_, quarter) => {
      const hour = quarter / 4
      const meal = (at: number, height: number) => height * Math.exp(-((hour - at) ** 2))
      return 100 + meal(19, dinner) + (kind === 0 ? meal(7, 30) : 0) + 6 * (random() - 0.5)
    })
  })
  return { kinds, days }
}

const group = (days: readonly Float64Array[], k: number | null, seed = 1) =>
  clusterDays(days, { k, random: seededRandom(seed) })

test('what differs on all days counts less than what tells some days apart', () => {
  const { kinds, days } = glucoseDays(120)
  const { labels, groups } = group(days, 2)
  assert.ok(agreement(labels.map(Number), kinds) > 0.9)
  assert.equal(kinds[groups[0]!.typicalDay], 0)
  assert.equal(kinds[groups[1]!.typicalDay], 1)
})

test('groups are numbered by size and the same for the same seed', () => {
  const { days } = glucoseDays(80)
  const first = group(days, 3)
  assert.deepEqual(group(days, 3), first)
  const sizes = first.groups.map(({ size }) => size)
  assert.deepEqual(
    sizes,
    [...sizes].sort((a, b) => b - a),
  )
  assert.deepEqual(
    sizes,
    sizes.map((_, label) => first.labels.filter((own) => own === label).length),
  )
})

test('a day that is mostly unknown is not put anywhere, one with a hole is', () => {
  const { days } = glucoseDays(60)
  const unknown = days[5]!.map((value, quarter) => (quarter < 30 ? value : Number.NaN))
  const holed = days[6]!.map((value, quarter) => (quarter > 40 && quarter < 60 ? Number.NaN : value))
  const { labels } = group(days.with(5, unknown).with(6, holed), 2)
  assert.equal(labels[5], null)
  assert.equal(labels[6], group(days, 2).labels[6])
})

test('days that are all alike make one group when none is asked for', () => {
  const random = seededRandom(9)
  const days = Array.from({ length: 60 }, () =>
    Float64Array.from({ length: 24 }, () => 100 + random() - random()),
  )
  assert.equal(group(days, null).groups.length, 1)
  assert.equal(group(new Array<Float64Array>(10).fill(new Float64Array(24).fill(90)), null).groups.length, 1)
})

test('more groups than days are refused', () => {
  assert.throws(() => group(glucoseDays(3).days, 4), /3 days with data cannot make 4 groups/)
  assert.throws(() => group([new Float64Array(24).fill(Number.NaN)], null), /0 days/)
})

test('eigenvectors rebuild the matrix they came from', () => {
  const random = seededRandom(4)
  const size = 6
  const matrix = new Float64Array(size * size)
  for (let a = 0; a < size; a += 1) {
    for (let b = 0; b <= a; b += 1) matrix[a * size + b] = matrix[b * size + a] = random() - 0.5
  }
  const { values, vectors } = eigenvectors(matrix, size)
  for (let a = 0; a < size; a += 1) {
    for (let b = 0; b < size; b += 1) {
      const rebuilt = vectors.reduce((sum, v, k) => sum + values[k]! * v[a]! * v[b]!, 0)
      assert.ok(Math.abs(rebuilt - matrix[a * size + b]!) < 1e-12)
    }
  }
})
