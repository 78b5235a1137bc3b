/** What a chart draws: holes stay holes, lone values are seen, scales are round. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LevelPoint } from '../../daemon/ui/net/answers.ts'
import { seriesOf, summaryOf, valueTicks } from '../../daemon/ui/state/day-series.ts'

const MINUTE = 60_000
const START = Date.parse('2026-11-20T14:00:00Z')

function minute(index: number, mean: number): LevelPoint {
  const ts = new Date(START + index * MINUTE).toISOString()
  return { ts, count: 2, min: mean - 4, max: mean + 6, mean, p50: mean }
}

test('neighbouring minutes are one line, placed at their middles', () => {
  const series = seriesOf([minute(0, 70), minute(1, 72)], MINUTE, 2 * MINUTE)
  assert.deepEqual(series.x, [(START + 30_000) / 1000, (START + 90_000) / 1000])
  assert.deepEqual(series.mid, [70, 72])
  assert.deepEqual(series.holes, [])
})

test('missing minutes are a hole with its bounds, never a slope', () => {
  const series = seriesOf([minute(0, 70), minute(1, 70), minute(30, 90), minute(31, 90)], MINUTE, 2 * MINUTE)
  assert.deepEqual(series.mid, [70, 70, null, 90, 90])
  assert.deepEqual(series.holes, [{ fromMs: START + 2 * MINUTE, toMs: START + 30 * MINUTE }])
})

test('a value alone between two holes is marked, so that it is drawn as a dot', () => {
  const series = seriesOf([minute(0, 70), minute(1, 70), minute(20, 88), minute(40, 70)], MINUTE, 2 * MINUTE)
  assert.deepEqual(
    series.lone.map((index) => series.mid[index]),
    [88, 70],
  )
})

test('the sum of a day weighs every reading, not every minute', () => {
  const few = { ...minute(0, 60), count: 1 }
  const many = { ...minute(1, 90), count: 9 }
  assert.deepEqual(summaryOf([few, many]), { count: 10, min: 56, max: 96, mean: 87 })
})

test('nothing recorded has no sum instead of zeros', () => {
  assert.equal(summaryOf([]), null)
})

test('the scale holds what was seen, is round, and stays calm for calm data', () => {
  for (const [min, max] of [
    [53, 136],
    [71, 73],
    [36.4, 38.9],
    [0.1, 0.4],
    [60, 60],
  ] as const) {
    const least = max > 50 ? 40 : 1
    const ticks = valueTicks(min, max, least)
    const [first = 0, last = 0] = [ticks[0], ticks.at(-1)]
    assert.ok(first <= min && last >= max, `${first}–${last} holds ${min}–${max}`)
    assert.ok(last - first >= least, 'a calm line looks calm')
    assert.ok(ticks.length >= 3 && ticks.length <= 9, `${ticks.length} labels`)
  }
})
