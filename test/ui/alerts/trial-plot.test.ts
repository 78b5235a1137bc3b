import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawTrial, HOUR_MS } from '../../../daemon/ui/areas/alerts/trial-plot.ts'

const FRAME = { fromMs: 0, toMs: 10 * HOUR_MS, width: 100, height: 50 }

test('hours are strokes from their lowest to their highest value, and the limit lies inside', () => {
  const hours = [
    { atMs: 0, min: 60, max: 80 },
    { atMs: 5 * HOUR_MS, min: 70, max: 100 },
  ]
  const { strokes, limitY, low, high } = drawTrial(hours, [], 160, FRAME)!
  assert.equal(strokes, 'M5 45V35.4M55 41.2V27.8')
  assert.deepEqual([low, high, limitY], [60, 160, 6])
})

test('a span is as wide as it lasted, wide enough to be seen, and never outside', () => {
  const hours = [{ atMs: 0, min: 60, max: 80 }]
  const spans = [
    { fromMs: HOUR_MS, toMs: 3 * HOUR_MS },
    { fromMs: 5 * HOUR_MS, toMs: 5 * HOUR_MS + 1 },
    { fromMs: 10 * HOUR_MS, toMs: 10 * HOUR_MS },
    { fromMs: -5 * HOUR_MS, toMs: -HOUR_MS },
  ]
  assert.deepEqual(drawTrial(hours, spans, null, FRAME)!.spans, [
    { x: 10, width: 20 },
    { x: 50, width: 3 },
    { x: 97, width: 3 },
  ])
})

test('a course that never moves lies in the middle, and without values there is no drawing', () => {
  assert.match(drawTrial([{ atMs: 0, min: 97, max: 97 }], [], null, FRAME)!.strokes, /M5 26V24$/)
  assert.equal(drawTrial([], [{ fromMs: 0, toMs: 1 }], 100, FRAME), null)
})
