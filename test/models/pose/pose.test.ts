import assert from 'node:assert/strict'
import test from 'node:test'
import { jointAngles } from '../../../models/pose/angles.ts'
import { bodyBox } from '../../../models/pose/extent.ts'
import { decodeLandmarks, type Landmark } from '../../../models/pose/landmarks.ts'
import { oks } from '../../../models/pose/oks.ts'
import { createOneEuro, POSE_SMOOTHING } from '../../../models/pose/one-euro.ts'
import { BLAZEPOSE_33, COCO_17, type CocoJoint, cocoOf } from '../../../models/pose/skeleton.ts'
import { createPoseSmoother } from '../../../models/pose/smoother.ts'

function landmarksAt(place: (index: number) => [number, number]): Landmark[] {
  return BLAZEPOSE_33.map((_, index) => {
    const [x, y] = place(index)
    return { x, y, z: 0, score: 1 }
  })
}

test('each of the 17 COCO keypoints is the landmark of the same name', () => {
  const keypoints = cocoOf(landmarksAt((index) => [index, 100 - index]))
  COCO_17.forEach((joint, place) => {
    assert.equal(keypoints[place]!.x, BLAZEPOSE_33.indexOf(joint), joint)
  })
  assert.equal(keypoints.length, 17)
})

test('landmarks come back to the frame through a turned region, and say where to look next', () => {
  const values = new Float32Array(195)
  for (let index = 0; index < 39; index++) values.set([128, 128, 0, 0, 9], index * 5)
  values.set([256, 128, 25.6, 9, 9], 0)
  values.set([128, 28, 0, 0, 0], 34 * 5)
  const region = { cx: 300, cy: 200, size: 100, rotation: Math.PI / 2 }
  const world = new Float32Array(117)
  world.set([1, 0, 0.5])
  const found = decodeLandmarks({ landmarks: values, presence: Float32Array.of(0.9), world }, region)
  const nose = found.landmarks[0]!
  assert.deepEqual(
    [nose.x, nose.y, nose.z].map((value) => value.toFixed(3)),
    ['300.000', '250.000', '10.000'],
  )
  assert.equal(found.landmarks[1]!.score, 0.5, 'a landmark that may be hidden counts as half seen')
  assert.equal(found.world[0]!.y.toFixed(3), '1.000')
  assert.ok(Math.abs(found.next.size - 2 * (100 / 256) * 100 * 1.25) < 1e-3)
  assert.ok(Math.abs(found.next.rotation - Math.PI / 2) < 1e-6)
})

test('the box around a body reaches above the ears to the crown', () => {
  const standing = landmarksAt((index) => {
    const name = BLAZEPOSE_33[index]!
    if (name.endsWith('ear')) return [50, 30]
    if (name.endsWith('shoulder')) return [50, 50]
    return name.includes('foot') ? [50, 200] : [50, 100]
  })
  const { x, y, w, h } = bodyBox(standing)
  assert.equal(y, 18)
  assert.ok(y + h > 200 && x < 50 && x + w > 50)
})

test('One-Euro with no speed term is the low pass of its cut-off', () => {
  const filter = createOneEuro({ minCutoffHz: 1, beta: 0, derivativeCutoffHz: 1 })
  assert.equal(filter.smooth(0, 0, 1), 0)
  const weight = 1 / (1 + 1 / (2 * Math.PI * 0.1))
  assert.ok(Math.abs(filter.smooth(1, 100, 1) - weight) < 1e-12)
  assert.equal(filter.smooth(50, 100, 1), weight, 'the same instant again changes nothing')
})

test('a resting joint hardly trembles and a quick one hardly lags', () => {
  const step = (move: (at: number) => number) => {
    const filter = createOneEuro(POSE_SMOOTHING)
    return Array.from({ length: 30 }, (_, at) => filter.smooth(move(at), at * 33, 200))
  }
  const resting = step((at) => 100 + (at % 2 === 0 ? 0.3 : -0.3))
  const spread = Math.max(...resting.slice(10)) - Math.min(...resting.slice(10))
  assert.ok(spread < 0.3, `trembles by ${spread}`)
  const quick = step((at) => at * 20)
  assert.ok(Math.abs(quick[29]! - 29 * 20) < 10, `lags by ${29 * 20 - quick[29]!}`)
})

test('after a long gap smoothing starts afresh instead of dragging from the old place', () => {
  const smoother = createPoseSmoother()
  smoother.smooth(
    landmarksAt(() => [0, 0]),
    0,
    100,
  )
  const soon = smoother.smooth(
    landmarksAt(() => [1, 1]),
    33,
    100,
  )[0]!
  assert.ok(soon.x < 1)
  assert.equal(
    smoother.smooth(
      landmarksAt(() => [500, 1]),
      5000,
      100,
    )[0]!.x,
    500,
  )
})

test('joint angles say that they are projections, and are null where a joint is not seen', () => {
  const places: Partial<Record<CocoJoint, [number, number]>> = {
    left_hip: [0, 0],
    left_knee: [0, 10],
    left_ankle: [10, 10],
    right_hip: [5, 0],
    right_knee: [5, 10],
    right_ankle: [5, 20],
  }
  const keypoints = COCO_17.map((joint) => {
    const [x, y] = places[joint] ?? [0, 0]
    return { x, y, score: places[joint] ? 0.9 : 0.1 }
  })
  const angle = (name: string) => jointAngles(keypoints).find((found) => found.name === name)!
  assert.deepEqual(angle('left_knee'), { name: 'left_knee', degrees: 90, score: 0.9, kind: '2d-projection' })
  assert.equal(angle('right_knee').degrees, 180)
  assert.equal(angle('left_elbow').degrees, null)
})

test('OKS is 1 on the spot, falls with distance, and is null for a person without keypoints', () => {
  const keypoints = Array.from({ length: 17 }, (_, at) => ({ x: at * 10, y: 50, labelled: at !== 3 }))
  assert.equal(oks(keypoints, { keypoints, areaPx: 10_000 }), 1)
  const moved = keypoints.map(({ x, y }) => ({ x: x + 2 * 0.026 * 100, y }))
  const nose = { areaPx: 10_000, keypoints: keypoints.map((point, at) => ({ ...point, labelled: at === 0 })) }
  assert.ok(Math.abs(oks(moved, nose)! - Math.exp(-0.5)) < 1e-9)
  assert.equal(
    oks(keypoints, { areaPx: 1, keypoints: keypoints.map((point) => ({ ...point, labelled: false })) }),
    null,
  )
})
