/** What is drawn over a live picture: where it lies, what an event says, where faces are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { poseEvent } from '../../../daemon/media/vision/pose-event.ts'
import type { SeenPerson, VisionResult } from '../../../daemon/media/vision/result.ts'
import { contain, placer } from '../../../daemon/ui/areas/training/overlay/geometry.ts'
import { BONES, faceOf, overlayOf } from '../../../daemon/ui/areas/training/overlay/pose.ts'
import { COCO_17, COCO_BONES } from '../../../models/pose/skeleton.ts'

const ATM = Date.parse('2026-11-20T12:00:00.250Z')

function joints(score: number) {
  return Array.from({ length: 17 }, (_, index) => ({ x: 100 + index, y: 50 + 2 * index, score }))
}

function result(people: Omit<SeenPerson, 'landmarks'>[], ball: VisionResult['ball'] = null): VisionResult {
  return {
    ...{ cameraId: 'north', frameSeq: 7, capturedAtMs: ATM, analysedAtMs: ATM + 90, width: 640, height: 360 },
    people: people.map((person) => ({ ...person, landmarks: null })),
    ...{ ball, models: { detector: { name: 'd', version: '1' }, pose: null } },
  }
}

/** As the socket hands an event on. */
function heard(seen: VisionResult) {
  const { data, numbers } = poseEvent(seen)
  return { type: 'pose', topic: 'camera:north', seq: 1, ts: '', data, joints: numbers }
}

test('a picture lies in the middle of its frame, with bars where the shapes differ', () => {
  assert.deepEqual(contain({ width: 400, height: 400 }, { width: 1600, height: 800 }), {
    ...{ x: 0, y: 100, width: 400, height: 200 },
  })
  assert.deepEqual(contain({ width: 400, height: 200 }, { width: 100, height: 100 }), {
    ...{ x: 100, y: 0, width: 200, height: 200 },
  })
  assert.deepEqual(contain({ width: 400, height: 200 }, { width: 0, height: 0 }), {
    ...{ x: 0, y: 0, width: 0, height: 0 },
  })
})

test('places of the picture that was looked at land on the larger one that is shown', () => {
  const fit = contain({ width: 800, height: 800 }, { width: 1920, height: 1080 })
  const place = placer(fit, { width: 640, height: 360 })
  assert.deepEqual(place(0, 0), [0, 175])
  assert.deepEqual(place(640, 360), [800, 625])
  assert.deepEqual(place(320, 180), [400, 400])
})

test('an event gives back what the models saw, people in their order', () => {
  const people = [
    { trackId: 3, box: { x: 10, y: 20, w: 30, h: 60 }, score: 0.9, keypoints: joints(0.75) },
    { trackId: 12, box: { x: 200, y: 20, w: 40, h: 80 }, score: 0.8, keypoints: [] },
    { trackId: 4, box: { x: 300, y: 20, w: 40, h: 80 }, score: 0.7, keypoints: joints(0.25) },
  ]
  const overlay = overlayOf(
    heard(result(people, { trackId: 2, box: { x: 1, y: 2, w: 3, h: 4 }, score: 0.5 })),
  )
  assert.ok(overlay)
  assert.deepEqual([overlay.capturedAtMs, overlay.width, overlay.height], [ATM, 640, 360])
  assert.deepEqual(
    overlay.people.map(({ trackId, joints: { length } }) => [trackId, length]),
    [
      [3, 17],
      [12, 0],
      [4, 17],
    ],
  )
  assert.deepEqual(overlay.people[2]?.joints[16], { x: 116, y: 82, score: 0.25 })
  assert.deepEqual(overlay.ball, { trackId: 2, box: { x: 1, y: 2, w: 3, h: 4 } })
})

test('an event that does not hold together is not drawn', () => {
  const whole = heard(
    result([{ trackId: 1, box: { x: 1, y: 2, w: 3, h: 4 }, score: 1, keypoints: joints(1) }]),
  )
  assert.ok(overlayOf(whole))
  assert.equal(overlayOf({ ...whole, type: 'vitals_update' }), null)
  assert.equal(overlayOf({ ...whole, joints: whole.joints.slice(0, 50) }), null)
  assert.equal(overlayOf({ ...whole, data: { ...whole.data, width: 0 } }), null)
  assert.equal(overlayOf({ ...whole, data: { ...whole.data, captured_at: 'soon' } }), null)
  assert.equal(overlayOf({ ...whole, data: null }), null)
})

test('the drawn skeleton has the bones that the models speak of', () => {
  const named = COCO_BONES.map(([a, b]) =>
    [COCO_17.indexOf(a), COCO_17.indexOf(b)].sort((x, y) => x - y).join('-'),
  )
  const drawn = BONES.map((pair) => [...pair].sort((x, y) => x - y).join('-'))
  assert.deepEqual(drawn.sort(), named.sort())
})

test('a face is round the joints of the head, and the upper part of the box when they are not sure', () => {
  const box = { x: 100, y: 100, w: 100, h: 300 }
  const head = joints(0.9).map((joint, index) => ({ ...joint, x: 140 + 5 * index, y: 130 }))
  const seen = faceOf({ trackId: 1, box, joints: head })
  for (const { x, y } of head.slice(0, 5)) {
    assert.ok(seen.x < x && x < seen.x + seen.w, `${x} is covered`)
    assert.ok(seen.y < y && y < seen.y + seen.h, `${y} is covered`)
  }
  const guessed = faceOf({ trackId: 1, box, joints: joints(0.1) })
  assert.ok(guessed.y <= box.y && guessed.y + guessed.h >= box.y + 0.25 * box.h)
  assert.ok(guessed.x + guessed.w / 2 === 150)
})
