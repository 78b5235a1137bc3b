import assert from 'node:assert/strict'
import test from 'node:test'
import { interleaved, median, pairedRatio, quantile, type Row } from '../../../scripts/bench/row.ts'
import { shortNumber, tableOf } from '../../../scripts/bench/table.ts'

const row = (rest: Partial<Row> = {}): Row => ({
  name: 'start to ready',
  hub: '900 ms',
  beside: 'bare Node: 45 ms',
  ratio: 20,
  target: '<= 1500 ms',
  met: true,
  ...rest,
})

test('the median of an even count lies between the middle two, and of nothing is no number', () => {
  assert.equal(median([9, 1, 5]), 5)
  assert.equal(median([9, 1, 5, 7]), 6)
  assert.ok(Number.isNaN(median([])))
})

test('a quantile is a value that was measured', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  assert.equal(quantile(values, 0.99), 100)
  assert.equal(quantile(values, 0.5), 51)
  assert.ok(Number.isNaN(quantile([], 0.5)))
})

test('a ratio is taken pair by pair, so a slow minute that meets both leaves it alone', () => {
  assert.equal(pairedRatio([10, 2, 10], [20, 4, 20]), 0.5)
})

test('configurations take turns and change the order each round', async () => {
  const ran: string[] = []
  const run = (name: string) => async () => {
    ran.push(name)
    return ran.length
  }
  const results = await interleaved(3, { hub: run('hub'), peer: run('peer') })
  assert.deepEqual(ran, ['hub', 'peer', 'peer', 'hub', 'hub', 'peer'])
  assert.deepEqual(results, { hub: [1, 4, 5], peer: [2, 3, 6] })
})

test('the table lines its columns up and says what was missed', () => {
  const lines = tableOf([row(), row({ name: 'memory', met: false, ratio: null }), row({ met: null })]).split(
    '\n',
  )
  assert.equal(new Set(lines.map((line) => line.length)).size, 1)
  assert.match(lines[2] ?? '', /\| 20\.0 +\| <= 1500 ms \| met {4}\|$/)
  assert.match(lines[3] ?? '', /^\| memory .*\| MISSED \|$/)
  assert.doesNotMatch(lines[4] ?? '', /met|MISSED/i)
})

test('numbers keep two or three digits', () => {
  assert.deepEqual([12_345, 1234, 12.34, 0.123, Number.NaN].map(shortNumber), [
    '12.3k',
    '1234',
    '12.3',
    '0.12',
    '?',
  ])
})
