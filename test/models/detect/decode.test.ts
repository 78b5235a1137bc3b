import assert from 'node:assert/strict'
import test from 'node:test'
import { anchorCentres, decodeCircles } from '../../../models/detect/blazepose.ts'
import { suppress } from '../../../models/detect/suppress.ts'
import { decodeYolox, yoloxRegion, yoloxRows } from '../../../models/detect/yolox.ts'
import { regionOfBox, regionOfCircle } from '../../../models/pose/region.ts'

test('a cell of the YOLOX grid becomes a box where the frame has it', () => {
  const side = 64
  assert.equal(yoloxRows(side), 64 + 16 + 4)
  const output = new Float32Array(yoloxRows(side) * 7)
  // Second row, third column of the middle grid (stride 16), which follows the 64 cells of the fine one.
  const row = 64 + 1 * 4 + 2
  output.set([0.5, 0.25, Math.log(2), Math.log(3), 0.8, 0.5, 0.9], row * 7)
  const region = yoloxRegion({ width: 128, height: 96 })
  const found = decodeYolox(output, side, region, { minScore: 0.3, kinds: [0, 1] })
  assert.deepEqual(
    found.map(({ kind, score }) => [kind, score.toFixed(2)]),
    [
      [0, '0.40'],
      [1, '0.72'],
    ],
  )
  const { x, y, w, h } = found[0]!
  assert.deepEqual(
    [x + w / 2, y + h / 2, w, h].map((value) => value.toFixed(3)),
    ['80.000', '40.000', '64.000', '96.000'],
  )
})

test('BlazePose has 2254 anchors, and a raw anchor is a person at its cell', () => {
  const centres = anchorCentres()
  assert.equal(centres.length / 2, 2254)
  const anchor = 2 * (28 * 3 + 5)
  assert.deepEqual([...centres.subarray(anchor * 2, anchor * 2 + 2)], [5.5 / 28, 3.5 / 28].map(Math.fround))
  const boxes = new Float32Array(2254 * 12)
  const scores = new Float32Array(2254).fill(-9)
  boxes.set([0, 0, 10, 10, 0, 0, 0, -22.4], anchor * 12)
  scores[anchor] = 2
  const region = { cx: 112, cy: 112, size: 224, rotation: 0 }
  const [circle, ...others] = decodeCircles(boxes, scores, centres, region, 0.5)
  assert.equal(others.length, 0)
  assert.ok(Math.abs(circle!.score - 0.8808) < 1e-4)
  assert.deepEqual(
    [circle!.hips.x, circle!.hips.y, circle!.top.y].map((v) => v.toFixed(2)),
    ['44.00', '28.00', '5.60'],
  )
  const body = regionOfCircle(circle!.hips, circle!.top)
  assert.ok(Math.abs(body.size - 2 * 22.4 * 1.25) < 1e-3 && Math.abs(body.rotation) < 1e-6)
})

test('a body lying to the right is looked at with its head up', () => {
  assert.ok(Math.abs(regionOfCircle({ x: 0, y: 0 }, { x: 10, y: 0 }).rotation - Math.PI / 2) < 1e-9)
  assert.deepEqual(regionOfBox({ x: 10, y: 20, w: 20, h: 80 }), { cx: 20, cy: 60, size: 100, rotation: 0 })
})

test('of things that are the same the surest stays, and no more than asked', () => {
  const near = (a: { at: number }, b: { at: number }) => Math.abs(a.at - b.at) < 2
  const found = [
    { at: 0, score: 0.5 },
    { at: 1, score: 0.9 },
    { at: 5, score: 0.4 },
    { at: 9, score: 0.3 },
  ]
  assert.deepEqual(
    suppress(found, near, 2).map(({ at }) => at),
    [1, 5],
  )
})
