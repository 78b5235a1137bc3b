import assert from 'node:assert/strict'
import test from 'node:test'
import { seededRandom } from '../../../models/series/cluster-days-random.ts'
import { laggedCorrelations } from '../../../models/series/lagged-correlation.ts'
import { linkIndex, pcmci } from '../../../models/series/pcmci.ts'
import { Cancelled } from '../../../models/series/statistics-watch.ts'

const OPTIONS = { tauMin: 0, tauMax: 3, pcAlpha: 0.2 }

/** Sleep drives mood a day later, mood drives steps a day later; sleep and steps share nothing else. */
function household(days = 300) {
  const random = seededRandom(7)
  const noise = () => random() + random() + random() - 1.5
  const sleep = new Float64Array(days)
  const mood = new Float64Array(days)
  const steps = new Float64Array(days)
  for (let t = 0; t < days; t += 1) {
    sleep[t] = 0.5 * (sleep[t - 1] ?? 0) + noise()
    mood[t] = 0.9 * (sleep[t - 1] ?? 0) + noise()
    steps[t] = 0.9 * (mood[t - 1] ?? 0) + noise()
  }
  return { names: ['sleep', 'mood', 'steps'], columns: [sleep, mood, steps] }
}

test('a link through another metric is not taken for a direct one', () => {
  const table = household()
  const { q } = pcmci(table, OPTIONS)
  const rate = (i: number, j: number, lag: number) => q[linkIndex(3, 3, i, j, lag)]!
  assert.ok(rate(0, 1, 1) < 1e-6, 'sleep to mood')
  assert.ok(rate(1, 2, 1) < 1e-6, 'mood to steps')
  assert.ok(rate(0, 2, 2) > 0.05, 'sleep to steps goes through mood')
  const plain = laggedCorrelations(table, 3).find(
    (row) => row.x === 'sleep' && row.y === 'steps' && row.lag === 2,
  )
  assert.ok(plain!.pearsonQ < 1e-6, 'plain correlation cannot tell')
})

test('simultaneous links are the same in both directions and stand outside the lagged q-values', () => {
  const { value, p, q } = pcmci(household(120), OPTIONS)
  const [there, back] = [linkIndex(3, 3, 0, 1, 0), linkIndex(3, 3, 1, 0, 0)]
  assert.equal(value[there], value[back])
  assert.equal(p[there], p[back])
  assert.equal(q[there], p[there])
})

test('a constant column is linked to nothing, and the others as without it', () => {
  const { names, columns } = household(150)
  const alone = pcmci({ names, columns }, OPTIONS)
  const flat = new Float64Array(150).fill(70)
  const joined = pcmci({ names: [...names, 'weight'], columns: [...columns, flat] }, OPTIONS)
  assert.ok(Number.isNaN(joined.p[linkIndex(4, 3, 3, 0, 1)]))
  assert.ok(Number.isNaN(joined.p[linkIndex(4, 3, 0, 3, 1)]))
  assert.deepEqual(joined.parents.slice(0, 3), alone.parents)
  assert.equal(joined.value[linkIndex(4, 3, 0, 1, 1)], alone.value[linkIndex(3, 3, 0, 1, 1)])
})

test('too few rows for the lags are refused', () => {
  assert.throws(() => pcmci(household(8), OPTIONS), /at least 9 rows/)
})

test('a run tells how far it is and stops when called off', () => {
  const seen: number[] = []
  pcmci(household(60), OPTIONS, { onProgress: (share) => seen.push(share) })
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
  )
  assert.equal(seen.at(-1), 1)
  assert.throws(() => pcmci(household(60), OPTIONS, { isCancelled: () => true }), Cancelled)
})
