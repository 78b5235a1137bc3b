/** What the comparison of two metrics says, against figures that were worked out elsewhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pairsOf, relationOf } from '../../daemon/ui/areas/health/explore/relation.ts'

const HOUR = 3_600_000
const series = (values: readonly number[]) => values.map((value, index) => ({ atMs: index * HOUR, value }))
const rounded = (value: number | null) => (value === null ? null : Math.round(value * 1e4) / 1e4)

test('Pearson and Spearman of the textbook pairs are those of the textbook', () => {
  // IQ and hours of television of ten people: rho = -29/165; r by Python's statistics.correlation.
  const a = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110]
  const b = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]
  const { pairs, pearson, spearman } = relationOf(pairsOf(series(a), series(b), 0))
  assert.deepEqual([pairs, rounded(pearson), rounded(spearman)], [10, -0.0702, -0.1758])
})

test('equal values share their place, and what does not move says nothing', () => {
  const { spearman } = relationOf(pairsOf(series([1, 2, 2, 3]), series([1, 2, 2, 3]), 0))
  assert.equal(rounded(spearman), 1)
  assert.deepEqual(relationOf(pairsOf(series([5, 5, 5, 5]), series([1, 2, 3, 4]), 0)), {
    pairs: 4,
    pearson: null,
    spearman: null,
  })
})

test('a course that follows two hours later fits at a lag of two hours alone', () => {
  const wave = Array.from({ length: 48 }, (_, hour) => Math.sin((hour / 12) * Math.PI))
  const echo = Array.from({ length: 48 }, (_, hour) => Math.sin(((hour - 2) / 12) * Math.PI))
  const at = (hours: number) => relationOf(pairsOf(series(wave), series(echo), hours * HOUR))
  assert.deepEqual([at(2).pairs, rounded(at(2).pearson)], [46, 1])
  assert.ok((at(0).pearson ?? 0) < 0.9)
})
