import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cellsIn,
  cornersIn,
  cornersText,
  extentOf,
  groundAround,
} from '../../../daemon/ui/areas/alerts/ground.ts'

test('a tap becomes the corner that is drawn where the finger was', () => {
  const ground = groundAround([52.5, 13.4], 2000, 320)
  const corner = ground.toCorner(40, 250)
  const { x, y } = ground.toDrawing(corner)
  assert.ok(Math.abs(x - 40) < 0.05 && Math.abs(y - 250) < 0.05, `${x} ${y}`)
  assert.ok(corner[0] < 52.5 && corner[1] < 13.4, 'below and left of the middle is south and west')
  assert.deepEqual(ground.bar, { metres: 500, length: 80 })
})

test('typed corners are read back as they were written, and nonsense is not', () => {
  const corners = [
    [52.5, 13.4],
    [52.51, 13.4],
    [52.51, -0.5],
  ] as const
  assert.deepEqual(cornersIn(cornersText(corners)), corners)
  assert.deepEqual(cornersIn(''), [])
  for (const wrong of ['52.5', '52.5 13.4 7', '91 0', 'here there']) assert.equal(cornersIn(wrong), null)
})

test('the drawing holds every corner', () => {
  const corners = [
    [52.5, 13.4],
    [52.52, 13.4],
    [52.52, 13.45],
  ] as const
  const { middle, metres } = extentOf(corners)!
  const ground = groundAround(middle, metres, 320)
  for (const corner of corners) {
    const { x, y } = ground.toDrawing(corner)
    assert.ok(x >= 0 && x <= 320 && y >= 0 && y <= 320, `${x} ${y}`)
  }
  assert.equal(extentOf([]), null)
})

test('typed cells are read in either case and with any separator, and nonsense is not', () => {
  assert.deepEqual(cellsIn('881f1d4891fffff, 881F1D4893FFFFF;'), ['881f1d4891fffff', '881f1d4893fffff'])
  assert.deepEqual([cellsIn(' '), cellsIn('52.5 13.4')], [[], null])
})
