import assert from 'node:assert/strict'
import test from 'node:test'
import { hourlyHighest, populationOf, rarity } from '../../../models/series/anomaly-odds.ts'
import { createDraw } from '../../../models/training/random.ts'

test('of ordinary hours, as many are as rare as stated: conformal over people who were not used', () => {
  const draw = createDraw(11)
  const hours = (count: number) => Array.from({ length: count }, () => draw.normal(0, 1))
  const population = populationOf(hours(20_000))
  const later = hours(40_000)
  for (const p of [0.5, 0.1, 0.01, 1 / 240]) {
    const share = later.filter((score) => rarity(score, population, []) <= p).length / later.length
    assert.ok(share <= p * 1.25 && share >= p * 0.7, `${share} hours at p ${p}`)
  }
})

test('somebody who is often odd is judged by their own hours, but nothing they did before counts as rare for ever', () => {
  const population = populationOf(Array.from({ length: 2000 }, (_, at) => -2 * Math.log((at + 0.5) / 2000)))
  const own = Array.from({ length: 71 }, (_, at) => 5 + at / 7)
  assert.ok(rarity(9.5, population, []) < 0.02)
  assert.ok(rarity(9.5, population, own) > 0.5)
  assert.equal(
    rarity(20, population, own),
    rarity(20, population, []),
    'above everything that was seen of them',
  )
  assert.ok(rarity(30, population, []) < rarity(20, population, []), 'beyond the table it goes on falling')
})

test('an hour counts by its highest minute, and only when half of it was judged', () => {
  const scores = new Float64Array(180).fill(Number.NaN)
  scores.fill(1, 0, 60)
  scores[30] = 4
  scores.fill(9, 60, 80)
  scores.fill(2, 120, 160)
  assert.deepEqual(hourlyHighest(scores), [2, 4])
})
