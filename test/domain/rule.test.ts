import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Condition,
  freshState,
  isSilent,
  observe,
  replay,
  replaySilence,
} from '../../daemon/domain/rule.ts'

const MINUTE = 60_000
const HIGH: Condition = {
  type: 'above',
  metric: 'heart_rate',
  threshold: 120,
  for_seconds: 120,
  clear_at: 110,
}
const series = (values: readonly number[], stepMs = MINUTE) =>
  values.map((value, index) => ({ atMs: index * stepMs, value }))

test('a threshold fires after its duration and clears below its hysteresis', () => {
  const fired = replay(HIGH, series([100, 125, 126, 127, 115, 109, 125]), 2 * MINUTE)
  assert.deepEqual(fired, [{ fromMs: MINUTE, firedMs: 3 * MINUTE, toMs: 5 * MINUTE, value: 127 }])
})

test('one value back resets the duration, and so does a hole in the data', () => {
  assert.deepEqual(replay(HIGH, series([125, 100, 125, 126]), 2 * MINUTE), [])
  const points = [...series([125, 126]), { atMs: 10 * MINUTE, value: 127 }, { atMs: 11 * MINUTE, value: 127 }]
  assert.deepEqual(replay(HIGH, points, 2 * MINUTE), [])
})

test('a value that comes late changes nothing', () => {
  const state = freshState()
  observe({ ...HIGH, for_seconds: 0 }, state, { atMs: 10_000, value: 100 }, MINUTE)
  assert.equal(observe({ ...HIGH, for_seconds: 0 }, state, { atMs: 9000, value: 180 }, MINUTE), null)
})

test('a fall is counted from the highest value of its window', () => {
  const falls: Condition = { type: 'falls', metric: 'glucose', change: 50, within_seconds: 1800 }
  const fired = replay(falls, series([150, 160, 140, 120, 105, 104], 5 * MINUTE), 16 * MINUTE)
  assert.deepEqual(fired, [{ fromMs: 5 * MINUTE, firedMs: 20 * MINUTE, toMs: null, value: 105 }])
  assert.deepEqual(replay(falls, series([160, 150, 140, 130, 120, 111], 15 * MINUTE), 16 * MINUTE), [])
})

test('a rate costs the same for every value, however many there are in its window', () => {
  const state = freshState()
  const rises: Condition = { type: 'rises', metric: 'heart_rate', change: 500, within_seconds: 86_400 }
  for (const point of series(Array(5000).fill(70), 1000)) observe(rises, state, point, MINUTE)
  assert.ok(state.anchors.length <= 16)
})

test('a battery has to recover before it can be low again', () => {
  const low: Condition = { type: 'battery', below_percent: 15 }
  const fired = replay(low, series([20, 14, 16, 14, 21, 14]), 10 * MINUTE)
  assert.deepEqual(
    fired.map(({ firedMs }) => firedMs / MINUTE),
    [1, 5],
  )
})

test('nothing is silent until the hub has listened long enough', () => {
  const none: Extract<Condition, { type: 'no_data' | 'stale' }> = {
    type: 'no_data',
    metric: 'heart_rate',
    after_seconds: 600,
  }
  const restarted = { sinceMs: 100 * MINUTE, arrivedMs: null, measuredMs: 20 * MINUTE, offline: false }
  assert.equal(isSilent(none, restarted, 109 * MINUTE), false)
  assert.equal(isSilent(none, restarted, 110 * MINUTE), true)
  assert.equal(isSilent(none, { ...restarted, arrivedMs: 105 * MINUTE }, 110 * MINUTE), false)
  assert.equal(
    isSilent({ ...none, when_offline: 'wait' }, { ...restarted, offline: true }, 110 * MINUTE),
    false,
  )
  assert.equal(isSilent(none, { ...restarted, measuredMs: null }, 999 * MINUTE), false)
})

test('stale looks at when values were measured, not at when they came', () => {
  const stale: Extract<Condition, { type: 'no_data' | 'stale' }> = {
    type: 'stale',
    metric: 'heart_rate',
    after_seconds: 600,
  }
  const late = { sinceMs: 0, arrivedMs: 59 * MINUTE, measuredMs: 40 * MINUTE, offline: false }
  assert.equal(isSilent(stale, late, 60 * MINUTE), true)
  assert.equal(isSilent({ ...stale, type: 'no_data' }, late, 60 * MINUTE), false)
})

test('a silence of the past is found between two values and at the end', () => {
  const none: Extract<Condition, { type: 'no_data' | 'stale' }> = {
    type: 'no_data',
    metric: 'heart_rate',
    after_seconds: 600,
  }
  const fired = replaySilence(none, [MINUTE, 2 * MINUTE, 30 * MINUTE], { fromMs: 0, toMs: 50 * MINUTE })
  assert.deepEqual(
    fired.map(({ fromMs, toMs }) => [fromMs / MINUTE, toMs === null ? null : toMs / MINUTE]),
    [
      [2, 30],
      [30, null],
    ],
  )
})
