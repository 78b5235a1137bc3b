import assert from 'node:assert/strict'
import test from 'node:test'
import { lowPass } from '../../../models/vision/numeric/butterworth.ts'
import {
  type Camera,
  parseCalibration,
  projectPoint,
  undistort,
} from '../../../models/vision/triangulate/cameras.ts'
import { fillGaps } from '../../../models/vision/triangulate/gaps.ts'
import { type Sighting, TRIANGULATION, triangulatePoint } from '../../../models/vision/triangulate/point.ts'
import { parsePoses } from '../../../models/vision/triangulate/poses2d.ts'
import { triangulateRecording } from '../../../models/vision/triangulate/recording.ts'
import { parseToml } from '../../../models/vision/triangulate/toml.ts'
import { formatTrc } from '../../../models/vision/triangulate/trc.ts'
import { missing, sampleText } from './samples.ts'

const TRIAL = ['vision', 'multicam', 'pose2sim'] as const
const skip = missing(...TRIAL)

/** Four cameras in a row, two metres apart, looking along z from five metres away. */
const RIG = `
[cam_1] # left
name = "cam_1"
matrix = [ [ 1000.0, 0.0, 500.0], [ 0.0, 1000.0, 500.0], [ 0.0, 0.0, 1.0]]
rotation = [ 0.0, 0.2, 0.0]
translation = [ 3.0, 0.0, 5.0]
distortions = [ 0.1, 0.01, 0.001, 0.001]
[cam_2]
matrix = [ [ 1000.0, 0.0, 500.0],
  [ 0.0, 1000.0, 500.0],   # over several lines
  [ 0.0, 0.0, 1.0]]
rotation = [ 0.0, 0.0, 0.0]
translation = [ 1.0, 0.0, 5.0]
[cam_3]
matrix = [ [ 1000.0, 0.0, 500.0], [ 0.0, 1000.0, 500.0], [ 0.0, 0.0, 1.0]]
rotation = [ 0.0, 0.0, 0.0]
translation = [ -1.0, 0.0, 5.0]
[cam_4]
matrix = [ [ 1000.0, 0.0, 500.0], [ 0.0, 1000.0, 500.0], [ 0.0, 0.0, 1.0]]
rotation = [ 0.0, -0.2, 0.0]
translation = [ -3.0, 0.0, 5.0]
[metadata]
adjusted = false
`

function setup() {
  const cameras = parseCalibration(RIG)
  const see = (x: number, y: number, z: number): Sighting[] =>
    cameras.map((camera) => ({ camera, score: 0.9, ...projectPoint(camera, x, y, z) }))
  return { cameras, see }
}

function recorded(name: string) {
  const cameras = parseCalibration(sampleText(...TRIAL, 'Calib_qualisys.toml'))
  const poses = parsePoses(JSON.parse(sampleText(...TRIAL, 'single', 'pose-associated_2d.json')))
  const trc = sampleText(...TRIAL, 'single', 'pose-3d', name)
  const expected = trc
    .trim()
    .split('\n')
    .slice(5)
    .flatMap((line) => line.split('\t').slice(2).map(Number))
  return { cameras, poses, trc, expected }
}

function largestDifference(places: Float64Array, expected: readonly number[]): number {
  assert.equal(places.length, expected.length)
  return expected.reduce((worst, value, index) => Math.max(worst, Math.abs(places[index]! - value)), 0)
}

test('a recorded trial gives the markers of Pose2Sim to a thousandth of a millimetre', { skip }, () => {
  const { cameras, poses, trc, expected } = recorded('S00_P00_T01_BalancingTrial_0-100.trc')
  const recording = triangulateRecording(poses, cameras)
  assert.ok(largestDifference(recording.places, expected) < 1e-6)
  assert.deepEqual([recording.quality.interpolated, recording.quality.missing], [6, 0])
  const head = (text: string) => text.split('\n').slice(0, 5)
  assert.deepEqual(head(formatTrc('S00_P00_T01_BalancingTrial_0-100.trc', recording)), head(trc))
})

test('smoothed by 6 Hz it is the trial that Pose2Sim filtered', { skip }, () => {
  const { cameras, poses, expected } = recorded('S00_P00_T01_BalancingTrial_0-100_filt_butterworth.trc')
  const { places } = triangulateRecording(poses, cameras, { lowPassHz: 6 })
  assert.ok(largestDifference(places, expected) < 1e-6)
})

test('a camera that mistakes one leg for the other is left out', () => {
  const { see } = setup()
  const sightings = see(0.2, 0.5, 1)
  sightings[2]!.x += 120
  const point = triangulatePoint(sightings)!
  assert.deepEqual(point.cameras, ['cam_1', 'cam_2', 'cam_4'])
  assert.ok(Math.hypot(point.x - 0.2, point.y - 0.5, point.z - 1) < 1e-9)
  assert.ok(point.errorPx < 1e-6)
})

test('a point that no two cameras agree on is not made up', () => {
  const { see } = setup()
  const sightings = see(0, 0, 1).map((sighting, index) => ({ ...sighting, y: sighting.y + index * 200 }))
  assert.equal(triangulatePoint(sightings), null)
  assert.equal(triangulatePoint(see(0, 0, 1).slice(0, 1)), null)
  assert.equal(triangulatePoint(see(0, 0, 1).map((sighting) => ({ ...sighting, score: 0.2 }))), null)
})

test('reweighting lessens what one slightly wrong camera does', () => {
  const { see } = setup()
  const sightings = see(0.2, 0.5, 1)
  sightings[1]!.x += 20
  const off = (reweightPx: number | null) => {
    const { x, y, z } = triangulatePoint(sightings, { ...TRIANGULATION, reweightPx, maxErrorPx: 100 })!
    return Math.hypot(x - 0.2, y - 0.5, z - 1)
  }
  assert.ok(off(2) < 0.6 * off(null), `${off(2)} against ${off(null)}`)
})

test('lens distortion is taken out of a sighting', () => {
  const { cameras } = setup()
  const [camera] = cameras as [Camera]
  const [k1, k2, p1, p2] = camera.distortion
  const [x, y] = [0.2, -0.15]
  const square = x * x + y * y
  const radial = 1 + k1 * square + k2 * square * square
  const bent = {
    x: 500 + 1000 * (x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x)),
    y: 500 + 1000 * (y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y),
  }
  const straight = undistort(camera, bent)
  assert.ok(Math.hypot(straight.x - 700, straight.y - 350) < 1e-3)
})

test('short gaps are filled by a cubic, long ones and the ends are not', () => {
  const cubic = (t: number) => 1 + 2 * t - 0.5 * t ** 2 + 0.01 * t ** 3
  const unknown = new Set([0, 5, 6, 10, 11, 12, 13, 19])
  const samples = Float64Array.from({ length: 20 }, (_, t) => (unknown.has(t) ? Number.NaN : cubic(t)))
  const filled = fillGaps(samples, 3)
  assert.ok(Math.abs(filled[5]! - cubic(5)) < 1e-9 && Math.abs(filled[6]! - cubic(6)) < 1e-9)
  assert.ok([0, 10, 11, 12, 13, 19].every((t) => Number.isNaN(filled[t]!)))
})

test('the low-pass keeps what is slow, takes what is fast, and does not reach across a hole', () => {
  const wave = (hz: number) =>
    Float64Array.from({ length: 240 }, (_, t) => Math.sin((2 * Math.PI * hz * t) / 60))
  const middle = (samples: Float64Array) => Math.max(...samples.subarray(60, 180).map(Math.abs))
  assert.ok(middle(lowPass(wave(1), 6, 60)) > 0.99)
  assert.ok(middle(lowPass(wave(24), 6, 60)) < 0.01)
  const holed = wave(1)
  holed[100] = Number.NaN
  const smooth = lowPass(holed, 6, 60)
  assert.deepEqual(
    [...smooth.keys()].filter((t) => Number.isNaN(smooth[t]!)),
    [100],
  )
})

test('calibrations and poses of another shape are refused by name', () => {
  assert.throws(
    () => parseCalibration('[cam_1]\nmatrix = [1, 2]\n'),
    /Camera cam_1 needs 9 numbers in matrix/,
  )
  assert.throws(() => parseCalibration('title = "none"\n'), /two or more cameras/)
  assert.throws(
    () => parseCalibration(RIG.replace('rotation', 'fisheye = true\nrotation')),
    /cam_1 is a fisheye/,
  )
  assert.throws(() => parseToml('[a]\nb = [1, 2\n'), /Line 2/)
  assert.throws(() => parseToml('just words\n'), /Line 1/)
  assert.throws(() => parseToml(`a = ${'['.repeat(50)}${']'.repeat(50)}\n`), /Line 1/)
  assert.throws(() => parsePoses([]), /one list of frames per camera/)
  assert.throws(
    () => parsePoses({ cam01: [{ people: [{ pose_keypoints_2d: [1, 2] }] }] }),
    /cam01, frame 0 needs x, y and score/,
  )
  const { cameras } = setup()
  const three = parsePoses({ a: [], b: [], c: [] })
  assert.throws(() => triangulateRecording(three, cameras), /poses have cameras a, b, c/)
  const nobody = parsePoses({ cam_1: [{ people: [{}] }], cam_2: [{ people: [{}] }] })
  assert.throws(() => triangulateRecording(nobody, cameras), /No camera sees person 0/)
})
