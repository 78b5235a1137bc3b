import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import {
  type BodyModel,
  bodyModelFromNpz,
  boneLengths,
  restJoints,
} from '../../../models/vision/body/body-model.ts'
import { fitBody } from '../../../models/vision/body/fit.ts'
import { parseJoints } from '../../../models/vision/body/joints-file.ts'
import { poseAngles, smoothAngles } from '../../../models/vision/body/kpi.ts'
import { posed, uprightPose } from '../../../models/vision/body/pose.ts'
import { kinematicSkeleton } from '../../../models/vision/body/skeleton.ts'
import { rotationOf, vectorOf } from '../../../models/vision/numeric/rotation.ts'
import { createRandom, gaussian, missing, samplePath } from './samples.ts'

const FIXTURES = join('test', 'fixtures', 'smpl')

interface Expected {
  beta: number[]
  bone_lengths_m: number[]
  frames: { kpi: Record<string, number>; joints: number[][] }[]
}

function setup() {
  const npz = readFileSync(join(FIXTURES, 'synthetic-smpl.npz'))
  const model = bodyModelFromNpz(npz)
  const recording: unknown = JSON.parse(readFileSync(join(FIXTURES, 'joints3d.json'), 'utf8'))
  const expected = JSON.parse(readFileSync(join(FIXTURES, 'joints3d.json.expected.json'), 'utf8')) as Expected
  return { npz, model, frames: parseJoints(recording, model.joints).frames, expected }
}

/** Means over all joints, in mm, and all angles, in degrees; the largest difference of a bone in mm. */
function differences(fit: ReturnType<typeof fitBody>, expected: Expected) {
  const joints = fit.frames.flatMap(({ joints: found }, index) =>
    expected.frames[index % expected.frames.length]!.joints.map(
      ([x, y, z], joint) =>
        1000 * Math.hypot(found[joint * 3]! - x!, found[joint * 3 + 1]! - y!, found[joint * 3 + 2]! - z!),
    ),
  )
  const angles = fit.frames.flatMap(({ joints: found }, index) => {
    const kpi: Record<string, number | null> = { ...poseAngles(found) }
    const wanted = Object.entries(expected.frames[index % expected.frames.length]!.kpi)
    return wanted.map(([name, value]) => Math.abs(kpi[name]! - value))
  })
  const bones = expected.bone_lengths_m.map(
    (length, joint) => 1000 * Math.abs(fit.boneLengthsM[joint]! - length),
  )
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return { jointMm: mean(joints), angleDeg: mean(angles), boneMm: Math.max(...bones) }
}

function noisy(frames: Float64Array[], sdM: number, missingShare: number, copies: number): Float64Array[] {
  const random = createRandom(5)
  return Array.from({ length: copies }, () => frames)
    .flat()
    .map((places) => {
      const shaken = places.map((value) => value + sdM * gaussian(random))
      for (let joint = 0; joint < shaken.length / 3; joint++)
        if (random() < missingShare) shaken.fill(Number.NaN, joint * 3, joint * 3 + 3)
      return shaken
    })
}

/** A player in `count` random poses. */
function randomPoses(model: BodyModel, beta: Float64Array, count: number): Float64Array[] {
  const random = createRandom(9)
  const rest = restJoints(model, beta)
  return Array.from({ length: count }, () => {
    const pose = uprightPose(model)
    for (let joint = 0; joint < model.joints; joint++) {
      const [x, y, z] = [0, 0, 0].map(() => (random() - 0.5) * (joint === 0 ? 3 : 0.9)) as [
        number,
        number,
        number,
      ]
      pose.turns.set(rotationOf(x, y, z), joint * 9)
    }
    pose.root.set([3 * random(), 1, 3 * random()])
    return posed(model, rest, pose).places
  })
}

test('the joints of an SMPL-layout file are read from its arrays', () => {
  const { model } = setup()
  const described = JSON.parse(readFileSync(join(FIXTURES, 'synthetic-smpl.npz.expected.json'), 'utf8')) as {
    rest_joints: number[][]
  }
  const rest = described.rest_joints.flat()
  assert.equal(model.rest.length, rest.length)
  assert.ok(rest.every((value, index) => Math.abs(model.rest[index]! - value) < 1e-6))
  assert.deepEqual([...model.parents].slice(0, 5), [-1, 0, 0, 0, 1])
})

test('exact joints give back pose, shape and bone lengths', () => {
  const { model, frames, expected } = setup()
  const { jointMm, angleDeg, boneMm } = differences(fitBody(model, frames), expected)
  assert.ok(jointMm < 0.2 && angleDeg < 0.05 && boneMm < 0.2, `${jointMm} mm, ${angleDeg} deg, ${boneMm} mm`)
})

test('joints that tremble by 10 mm and are hidden at times are smoothed and completed', () => {
  const { model, frames, expected } = setup()
  const all = fitBody(model, noisy(frames, 0.01, 0, 2))
  const clear = differences(all, expected)
  assert.ok(clear.jointMm < 14 && clear.angleDeg < 3 && clear.boneMm < 8, JSON.stringify(clear))
  assert.ok(Math.abs(all.noiseM - 0.01) < 0.004, `noise ${all.noiseM}`)
  const hidden = differences(fitBody(model, noisy(frames, 0.01, 0.1, 2)), expected)
  assert.ok(hidden.jointMm < 16 && hidden.angleDeg < 4 && hidden.boneMm < 8, JSON.stringify(hidden))
})

test('joints that were not seen are named, and a frame with hardly any is not made up', () => {
  const { model, frames } = setup()
  const [first, second] = frames as [Float64Array, Float64Array]
  const partly = first.slice()
  partly.fill(Number.NaN, 20 * 3, 21 * 3)
  const hardly = second.slice().fill(Number.NaN, 6)
  const fit = fitBody(model, [partly, hardly])
  assert.deepEqual(fit.frames[0]!.inferred, [20])
  assert.ok(fit.frames[1]!.joints.every(Number.isNaN))
  assert.equal(poseAngles(fit.frames[1]!.joints).trunk_lean, null)
})

test('one joint thrown off by metres does not drag the body along', () => {
  const { model, frames, expected } = setup()
  const thrown = frames.map((places) => places.slice())
  thrown[2]![21 * 3] = thrown[2]![21 * 3]! + 2
  const fit = fitBody(model, thrown)
  const { jointMm, boneMm } = differences(fit, expected)
  assert.ok(jointMm < 1 && boneMm < 1, `${jointMm} mm, ${boneMm} mm`)
  assert.deepEqual(fit.frames[2]!.inferred, [21])
})

test('an open model fits children and adults in any pose', { skip: missing('body') }, () => {
  const model = bodyModelFromNpz(readFileSync(samplePath('body', 'open24.npz')))
  for (const size of [-2, 1.5]) {
    const beta = new Float64Array(model.shapes)
    beta.set([size, 0.5])
    const fit = fitBody(model, randomPoses(model, beta, 6))
    const lengths = boneLengths(model, restJoints(model, beta))
    assert.ok(lengths.every((length, joint) => Math.abs(length - fit.boneLengthsM[joint]!) < 1e-3))
    assert.ok(fit.frames.every(({ errorM }) => errorM < 1e-3))
  }
})

test("the hub's own skeleton needs no file and comes close to a body it was not made from", () => {
  const { frames, expected } = setup()
  const { jointMm, angleDeg } = differences(fitBody(kinematicSkeleton(), frames), expected)
  assert.ok(jointMm < 6 && angleDeg < 1, `${jointMm} mm, ${angleDeg} deg`)
})

test('the own skeleton stands upright with the proportions it names', () => {
  const model = kinematicSkeleton()
  const lengths = boneLengths(model, model.rest)
  assert.ok(Math.abs(lengths[4]! - 0.245 * 1.7) < 1e-9 && Math.abs(lengths[5]! - 0.245 * 1.7) < 1e-9)
  const angles = poseAngles(model.rest)
  assert.ok(Math.abs(angles.knee_flexion_l!) < 1e-6 && Math.abs(angles.trunk_lean!) < 1e-6)
})

test('a rotation vector survives the way through its matrix, half turns included', () => {
  const vectors: [number, number, number][] = [
    [0.3, -0.2, 0.9],
    [1e-9, 0, 0],
    [Math.PI, 0, 0],
    [0, 2.2, 2.2],
  ]
  for (const vector of vectors) {
    const matrix = rotationOf(...vector)
    const again = rotationOf(...vectorOf(matrix, 0))
    assert.ok(
      matrix.every((value, index) => Math.abs(value - again[index]!) < 1e-7),
      `${vector}`,
    )
  }
})

test('angles over time lose their tremble and keep their holes', () => {
  const frame = { ...poseAngles(kinematicSkeleton().rest), trunk_lean: null }
  const frames = Array.from({ length: 60 }, (_, index) => ({
    ...frame,
    knee_flexion_l: index % 2 === 0 ? 31 : 29,
  }))
  const smooth = smoothAngles(frames, 6, 60)
  assert.ok(Math.abs(smooth[30]!.knee_flexion_l! - 30) < 0.1)
  assert.equal(smooth[30]!.trunk_lean, null)
})

/** A .npy of float64 zeros, or of what `descr` says. */
function npy(shape: string, values: number, descr = "'<f8'", order = 'False'): Buffer {
  const header = Buffer.from(`{'descr': ${descr}, 'fortran_order': ${order}, 'shape': (${shape}), }\n`)
  const head = Buffer.from([
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    1,
    0,
    header.length & 255,
    header.length >> 8,
  ])
  return Buffer.concat([head, header, Buffer.alloc(values * 8)])
}

/** A zip with stored entries: what numpy.savez writes. */
function zip(entries: Record<string, Buffer>): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(entries)) {
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt32LE(content.length, 20)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    parts.push(local, Buffer.from(name), content)
    directory.push(entry, Buffer.from(name))
    offset += 30 + name.length + content.length
  }
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Object.keys(entries).length, 10)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, ...directory, end])
}

test('a body model with odd arrays is refused by the array', () => {
  const arrays = {
    'v_template.npy': npy('2, 3', 6),
    'shapedirs.npy': npy('2, 3, 1', 6),
    'J_regressor.npy': npy('24, 2', 48),
    'kintree_table.npy': npy('2, 24', 48),
  }
  const refused = (change: Record<string, Buffer>, reason: RegExp) =>
    assert.throws(() => bodyModelFromNpz(zip({ ...arrays, ...change })), reason)
  refused({ 'v_template.npy': npy('2, 3', 6, "'|O'") }, /Array v_template holds \|O; only plain numbers/)
  refused({ 'v_template.npy': npy('2, 3', 6, "[('a', '<f8')]") }, /Array v_template holds objects/)
  refused({ 'shapedirs.npy': npy('2, 3, 1', 6, "'<f8'", 'True') }, /shapedirs is column-major/)
  refused({ 'shapedirs.npy': npy('9, 3, 1', 27) }, /shapedirs has shape \(9, 3, 1\), not \(2, 3, 1\)/)
  refused({ 'J_regressor.npy': npy('24, 2', 10) }, /J_regressor is cut short/)
  refused({ 'kintree_table.npy': npy('2, 5', 10), 'J_regressor.npy': npy('5, 2', 10) }, /has 5 joints/)
  refused({}, /kintree_table must begin with the root/)
  assert.throws(() => bodyModelFromNpz(zip({})), /no array v_template/)
})

test('files that are not what they should be are refused by name', () => {
  const { npz } = setup()
  assert.throws(() => bodyModelFromNpz(Buffer.from('not a zip')), /not an .npz file/)
  assert.throws(() => bodyModelFromNpz(npz.subarray(0, npz.length / 2)), /not an .npz file/)
  assert.throws(() => parseJoints({ frames: [] }, 24), /1 to 100000 "frames" of 24 joints/)
  assert.throws(() => parseJoints({ frames: [[[1, 2, 3]]] }, 24), /Frame 0 needs 24 joints/)
  const frame = Array.from({ length: 24 }, () => [0, 0, 0] as unknown[])
  frame[5] = [0, 'x', 0]
  assert.throws(() => parseJoints({ frames: [frame] }, 24), /Frame 0, joint 5 needs x, y, z/)
  assert.throws(() => parseJoints({ frames: [frame], up: 'north' }, 24), /"up" is one of/)
})
