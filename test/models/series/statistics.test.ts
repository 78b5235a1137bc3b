import assert from 'node:assert/strict'
import test from 'node:test'
import { seededRandom } from '../../../models/series/cluster-days-random.ts'
import { partialCorrelation } from '../../../models/series/partial-correlation.ts'
import { pearson, ranks, spearman } from '../../../models/series/statistics.ts'
import { falseDiscoveryRates } from '../../../models/series/statistics-discovery.ts'
import { correlationP, lnGamma, regularisedBeta } from '../../../models/series/statistics-distribution.ts'

const column = (...values: number[]) => Float64Array.from(values)

function noise(seed: number, length: number): Float64Array {
  const random = seededRandom(seed)
  return Float64Array.from({ length }, () => random() + random() + random() - 1.5)
}

test('p-values of correlations are right to ten digits far into the tail', () => {
  const known: [number, number, number][] = [
    [0.5, 10, 0.0978546142578125],
    [0.9, 40, 5.20752366333276e-16],
    [0.99, 20, 1.7317859871502002e-18],
    [0.05, 1000, 0.11371053994288459],
    [-0.3, 88, 0.004069166224275793],
    [0.999, 100, 8.748226787660965e-137],
  ]
  for (const [r, df, p] of known)
    assert.ok(Math.abs(correlationP(r, df) / p - 1) < 1e-10, `r ${r}, df ${df}: ${correlationP(r, df)}`)
  assert.equal(correlationP(1, 5), 0)
  assert.equal(correlationP(0, 5), 1)
  assert.ok(Number.isNaN(correlationP(0.5, 0)), 'two pairs say nothing')
})

test('the gamma and beta functions equal tabulated values', () => {
  const near = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual - expected) <= 1e-12 * Math.max(1, Math.abs(expected)), `${actual}`)
  near(lnGamma(0.3), 1.0957979948180756)
  near(lnGamma(2.5), 0.2846828704729192)
  near(lnGamma(12500.5), 105419.46797632978)
  near(regularisedBeta(0.9, 2.5, 7), 0.9999984479014957)
  near(regularisedBeta(0.3, 0.5, 0.5), 0.36901011956554536)
})

test('a level of a billion does not cost a small variation its correlation', () => {
  const x = noise(1, 90)
  const y = noise(2, 90).map((value, t) => value + (x[t] ?? 0))
  const lifted = y.map((value) => 1e9 + value * 1e-3)
  assert.ok(Math.abs(pearson(x, lifted) - pearson(x, y)) < 1e-4)
  assert.ok(
    Math.abs(
      pearson(
        x,
        lifted.map((value) => value - 1e9),
      ) - pearson(x, lifted),
    ) < 1e-14,
  )
})

test('a constant side has no correlation', () => {
  assert.ok(Number.isNaN(pearson(column(0.1, 0.1, 0.1, 0.1), column(1, 2, 3, 4))))
  assert.ok(Number.isNaN(spearman(column(1, 2, 3), column(7, 7, 7))))
  assert.ok(Number.isNaN(pearson(column(1), column(1))))
})

test('equal values share their mean rank', () => {
  assert.deepEqual([...ranks(column(3, 1, 3, 2, 3))], [4, 1, 4, 2, 4])
})

test('rank correlation sees any rising relation as perfect', () => {
  const x = noise(3, 40)
  assert.ok(Math.abs(spearman(x, x.map(Math.exp)) - 1) < 1e-12)
})

test('q-values follow Benjamini and Hochberg and leave out tests without a p', () => {
  const q = falseDiscoveryRates([0.01, Number.NaN, 0.04, 0.03, 0.5])
  assert.deepEqual(
    [...q].map((value) => Number(value.toFixed(6))),
    [0.04, Number.NaN, 0.053333, 0.053333, 0.5],
  )
})

test('what a common driver explains is no partial correlation', () => {
  const driver = noise(4, 400)
  const x = noise(5, 400).map((value, t) => value + 3 * (driver[t] ?? 0))
  const y = noise(6, 400).map((value, t) => value - 2 * (driver[t] ?? 0))
  assert.ok(pearson(x, y) < -0.8)
  assert.ok(Math.abs(partialCorrelation(x, y, [driver]).r) < 0.15)
})

test('a condition that repeats another changes nothing but the degrees of freedom', () => {
  const [x, y, z] = [noise(7, 60), noise(8, 60), noise(9, 60)] as const
  const once = partialCorrelation(x, y, [z])
  const twice = partialCorrelation(x, y, [z, z.map((value) => 5 - 2 * value)])
  assert.ok(Math.abs(once.r - twice.r) < 1e-12)
  assert.ok(twice.p > once.p)
})

test('a series that its conditions explain wholly has no partial correlation', () => {
  const [x, y] = [noise(10, 60), noise(11, 60)] as const
  const { r, p } = partialCorrelation(x, y, [x.map((value) => 2 * value + 1)])
  assert.ok(Number.isNaN(r) && Number.isNaN(p))
})
