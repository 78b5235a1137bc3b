import assert from 'node:assert/strict'
import test from 'node:test'
import {
  fitHomography,
  groundAt,
  type Homography,
  type HomographyOptions,
  type PitchPoint,
  pixelAt,
} from '../../../models/vision/calibrate/homography.ts'
import { createRandom, gaussian } from './samples.ts'

/** A camera 8 m up at the touchline, tilted down: metres of the pitch to pixels of a 1280 × 720 picture. */
function seenAt(x: number, y: number) {
  const tilt = 0.45
  const depth = (y + 10) * Math.cos(tilt) + 8 * Math.sin(tilt)
  const down = 8 * Math.cos(tilt) - (y + 10) * Math.sin(tilt)
  return { x: 640 + (900 * (x - 20)) / depth, y: 360 + (900 * down) / depth }
}

function corner(x: number, y: number): PitchPoint {
  return { metres: { x, y }, pixel: seenAt(x, y) }
}

const CORNERS = [corner(5, 0), corner(35, 0), corner(40, 25), corner(0, 25)]
const MARKS = [...CORNERS, corner(20, 0), corner(20, 12), corner(10, 8), corner(30, 16)]

function fitted(points: PitchPoint[], options?: HomographyOptions): Homography {
  const fit = fitHomography(points, options)
  assert.ok(fit.ok, fit.ok ? '' : fit.reason)
  return fit.homography
}

function refusal(points: PitchPoint[]): string {
  const fit = fitHomography(points)
  assert.ok(!fit.ok, 'expected a refusal')
  return fit.reason
}

function near(actual: number, expected: number, tolerance: number) {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`)
}

test('four clicked corners map every pixel of the pitch to its metres and back', () => {
  const homography = fitted(CORNERS)
  for (const [x, y] of [
    [12, 5],
    [20, 20],
    [33, 1],
  ] as const) {
    const place = groundAt(homography, seenAt(x, y))
    near(place!.x, x, 1e-6)
    near(place!.y, y, 1e-6)
    const pixel = pixelAt(homography, { x, y })
    near(pixel!.x, seenAt(x, y).x, 1e-6)
  }
  near(homography.rmsPx, 0, 1e-6)
})

test('nothing on the ground is seen at or above the horizon', () => {
  const homography = fitted(CORNERS)
  assert.equal(groundAt(homography, { x: 640, y: -400 }), null)
  assert.equal(pixelAt(homography, { x: 20, y: -40 }), null)
})

test('a calibration survives being stored as JSON', () => {
  const stored = JSON.parse(JSON.stringify(fitted(MARKS))) as Homography
  near(groundAt(stored, seenAt(25, 10))!.x, 25, 1e-6)
})

test('the stated uncertainty is the spread that careless clicks really cause, and grows with distance', () => {
  const random = createRandom(3)
  const jitter = (point: { x: number; y: number }) => ({
    x: point.x + 2 * gaussian(random),
    y: point.y + 2 * gaussian(random),
  })
  const errors = (x: number, y: number) => {
    let square = 0
    let stated = 0
    const runs = 300
    for (let run = 0; run < runs; run++) {
      const clicked = CORNERS.map(({ metres, pixel }) => ({ metres, pixel: jitter(pixel) }))
      const place = groundAt(fitted(clicked), jitter(seenAt(x, y)))!
      square += (place.x - x) ** 2 + (place.y - y) ** 2
      stated += place.covarianceM2.xx + place.covarianceM2.yy
    }
    return { real: Math.sqrt(square / runs), stated: Math.sqrt(stated / runs) }
  }
  const close = errors(20, 3)
  const far = errors(20, 22)
  near(close.stated / close.real, 1, 0.15)
  near(far.stated / far.real, 1, 0.15)
  assert.ok(far.stated > 1.5 * close.stated)
})

test('leftover error beyond careful clicks widens the uncertainty', () => {
  const bent = MARKS.map(({ metres, pixel }, index) => ({
    metres,
    pixel: { x: pixel.x + (index % 2 === 0 ? 25 : -25), y: pixel.y },
  }))
  const sure = groundAt(fitted(MARKS), seenAt(20, 10))!
  const unsure = groundAt(fitted(bent), seenAt(20, 10))!
  assert.ok(unsure.sdM > 1.5 * sure.sdM)
})

test('one point clicked at the wrong place is found, left out and named', () => {
  const wrong = MARKS.map((point, index) => (index === 4 ? { ...point, pixel: seenAt(28, 6) } : point))
  const robust = fitted(wrong, { robust: true })
  assert.deepEqual(robust.outliers, [4])
  assert.ok(robust.reprojectionPx[4]! > 50)
  near(groundAt(robust, seenAt(12, 20))!.x, 12, 0.01)
  assert.deepEqual(fitted(MARKS, { robust: true }).outliers, [])
})

test('points that do not fix the ground are refused with what to do', () => {
  const [a, b, c, d] = CORNERS as [PitchPoint, PitchPoint, PitchPoint, PitchPoint]
  assert.match(refusal([a, b, c]), /Four points are needed/)
  assert.match(refusal([a, b, c, c]), /some are the same/)
  assert.match(refusal([a, b, c, { ...d, metres: { x: Number.NaN, y: 0 } }]), /no finite place/)
  assert.match(refusal([corner(0, 0), corner(10, 0), corner(20, 0), corner(30, 0)]), /on one line/)
  assert.match(refusal([corner(0, 0), corner(10, 0), corner(20, 0), corner(10, 20)]), /on one line/)
  assert.match(refusal([corner(0, 0), corner(10, 0.001), corner(20, 0), corner(10, 20)]), /on one line/)
  assert.match(
    refusal([{ ...a, pixel: b.pixel }, { ...b, pixel: a.pixel }, c, d]),
    /each is at its own place on the plan/,
  )
})
