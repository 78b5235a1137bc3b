import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mean, median, populationSd, quantile, sampleSd } from '../../../models/series/moments.ts'

test('missing numbers count for nothing, and nothing gives null', () => {
  assert.equal(mean([1, Number.NaN, 3]), 2)
  assert.equal(mean([Number.NaN]), null)
  assert.equal(sampleSd([5]), null)
  assert.equal(populationSd([5]), 0)
  assert.equal(median([]), null)
})

test('a spread of a thousandth around a thousand million is not lost', () => {
  const numbers = Array.from({ length: 100 }, (_, k) => 1e9 + (k % 2) * 2e-3)
  assert.ok(Math.abs((populationSd(numbers) ?? 0) - 1e-3) < 1e-6)
})

test('quantiles lie on the line between order statistics', () => {
  assert.equal(quantile([10, 20, 30, 40], 0.25), 17.5)
  assert.equal(quantile([40, 10, 30, 20], 1), 40)
})
