import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COCO_17, type CocoJoint, type Keypoint } from '../../../../models/pose/skeleton.ts'
import { addGaits, createGait, emptyGait, kneeAsymmetry } from '../../../../models/vision/kpi/gait.ts'

/** A runner from the side, 100 px tall; each knee bends once a stride, the right one as far as told. */
function runner(seconds: number, stridesPerS: number, bend: { left: number; right: number }): Keypoint[] {
  const joints: Partial<Record<CocoJoint, { x: number; y: number }>> = {
    left_shoulder: { x: 2, y: 20 },
    right_shoulder: { x: -2, y: 20 },
    left_hip: { x: 2, y: 50 },
    right_hip: { x: -2, y: 50 },
  }
  for (const side of ['left', 'right'] as const) {
    const phase = 2 * Math.PI * stridesPerS * seconds + (side === 'left' ? 0 : Math.PI)
    const flexion = (bend[side] * (1 + Math.sin(phase)) * Math.PI) / 360
    const swing = 0.4 * Math.cos(phase)
    const hip = joints[`${side}_hip`] ?? { x: 0, y: 50 }
    const knee = { x: hip.x + 25 * Math.sin(swing), y: hip.y + 25 * Math.cos(swing) }
    joints[`${side}_knee`] = knee
    joints[`${side}_ankle`] = {
      x: knee.x + 25 * Math.sin(swing - flexion),
      y: knee.y + 25 * Math.cos(swing - flexion),
    }
  }
  return COCO_17.map((name) => ({
    x: 0,
    y: 0,
    score: 0,
    ...(joints[name] && { ...joints[name], score: 0.9 }),
  }))
}

function run(bend: { left: number; right: number }, stridesPerS = 1.4) {
  const gait = createGait()
  for (let at = 0; at < 150; at++)
    if (at % 5 !== 3) gait.add(Math.round((at * 1000) / 15), runner(at / 15, stridesPerS, bend), 100)
  return gait
}

test('cadence comes from the ankles, two steps a stride', () => {
  for (const strides of [0.9, 1.4, 1.9]) {
    const steps = run({ left: 80, right: 80 }, strides).now().cadence
    assert.ok(steps !== null && Math.abs(steps - strides * 120) <= 4, `${steps} for ${strides * 120}`)
  }
})

test('somebody who stands has angles and no cadence', () => {
  const gait = createGait()
  for (let at = 0; at < 100; at++) gait.add(at * 100, runner(0, 1, { left: 10, right: 10 }), 100)
  assert.equal(gait.now().cadence, null)
  assert.equal(gait.summary().poses, 100)
})

test('a difference between the knees shows from five repetitions on, above the noise', () => {
  const even = kneeAsymmetry(run({ left: 80, right: 80 }).summary())
  assert.deepEqual(even, { percent: null, reason: 'below_noise_floor' })
  const uneven = kneeAsymmetry(run({ left: 80, right: 60 }).summary())
  assert.ok(uneven.percent !== null && Math.abs(uneven.percent - 25) < 4, JSON.stringify(uneven))
  assert.deepEqual(kneeAsymmetry(emptyGait()), { percent: null, reason: 'too_few_repetitions' })
})

test('summaries of two tracks add up to the one of both', () => {
  const one = run({ left: 80, right: 60 }).summary()
  const both = addGaits([one, one])
  assert.equal(both.poses, 2 * one.poses)
  assert.deepEqual(kneeAsymmetry(both), kneeAsymmetry(one))
  assert.equal(both.angles.left_knee?.min, one.angles.left_knee?.min)
})
