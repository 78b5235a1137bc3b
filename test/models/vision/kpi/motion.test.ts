import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADULT_GPS } from '../../../../models/series/gps.ts'
import { fitHomography, pixelAt } from '../../../../models/vision/calibrate/homography.ts'
import { type GroundPlan, placeOf } from '../../../../models/vision/kpi/ground.ts'
import { createMotion, type MotionSample } from '../../../../models/vision/kpi/motion.ts'
import { createPlayerPace, paceOf as paceOfColumns } from '../../../../models/vision/kpi/pace.ts'

/** The same from samples as rows. */
const paceOf = (tracks: readonly MotionSample[][], settings: Parameters<typeof paceOfColumns>[1]) =>
  paceOfColumns(
    tracks.map((samples) => ({
      slots: samples.map(({ slot }) => slot),
      speedsMps: samples.map(({ speedMps }) => speedMps),
    })),
    settings,
  )
const START_MS = Date.UTC(2026, 2, 14, 8)

/** A camera at the side line, 1280 × 720, that sees half a pitch. */
function plan(): GroundPlan {
  const fit = fitHomography([
    { pixel: { x: 60, y: 690 }, metres: { x: 0, y: 0 } },
    { pixel: { x: 1230, y: 680 }, metres: { x: 40, y: 0 } },
    { pixel: { x: 1010, y: 240 }, metres: { x: 40, y: 40 } },
    { pixel: { x: 280, y: 245 }, metres: { x: 0, y: 40 } },
  ])
  assert.ok(fit.ok)
  return { homography: fit.homography, width: 1280, height: 720, pitch: { length: 40, width: 40 } }
}

/** Repeatable noise of a normal distribution. */
function noise(seed: number): () => number {
  let state = seed
  const uniform = () => {
    state = (state * 1103515245 + 12345) % 2147483648
    return (state + 1) / 2147483649
  }
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}

interface Scene {
  where: (seconds: number) => { x: number; y: number }
  speed: (seconds: number) => number
  seconds: number
}

const constant: Scene = { where: (t) => ({ x: 5 + 3 * t, y: 15 }), speed: () => 3, seconds: 10 }
/** From 1 m/s with 0.8 m/s² to 6.6 m/s. */
const accelerating: Scene = {
  where: (t) => ({ x: 3 + t + 0.4 * t * t, y: 12 }),
  speed: (t) => 1 + 0.8 * t,
  seconds: 7,
}
/** 4 m/s on a circle of 8 m. */
const turning: Scene = {
  where: (t) => ({ x: 20 + 8 * Math.cos(t / 2), y: 18 + 8 * Math.sin(t / 2) }),
  speed: () => 4,
  seconds: 20,
}

/** Plays a scene through the camera: 15 pictures a second of which some are dropped, feet off by some pixels. */
function play(scene: Scene, { sdPx, dropped }: { sdPx: number; dropped: number }): MotionSample[] {
  const calibrated = plan()
  const motion = createMotion()
  const random = noise(7)
  const samples: MotionSample[] = []
  for (let at = 0; at < scene.seconds * 15; at++) {
    if ((at * 7919) % 100 < dropped * 100) continue
    const seconds = at / 15
    const foot = pixelAt(calibrated.homography, scene.where(seconds))
    assert.ok(foot)
    const x = foot.x + sdPx * random()
    const y = foot.y + sdPx * random()
    const seen = { box: { x: x - 20, y: y - 100, w: 40, h: 100 }, keypoints: [], width: 1280, height: 720 }
    const place = placeOf(calibrated, seen)
    samples.push(
      ...motion.add(START_MS + Math.round(seconds * 1000), 'ground' in place ? place.ground : null),
    )
  }
  return samples
}

/** Root mean square and mean of the speed's error; the filter's delay is a property, not an error. */
function errorOf(scene: Scene, samples: readonly MotionSample[]): { rms: number; bias: number } {
  const delayS = 0.22
  const errors = samples
    .map(({ slot, speedMps }) => speedMps - scene.speed((slot * 100 - START_MS) / 1000 - delayS))
    .slice(8)
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length
  return { rms: Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length), bias: mean }
}

for (const [name, scene] of Object.entries({ constant, accelerating, turning }))
  test(`the speed of a ${name} runner is right, with pixel noise and dropped pictures too`, (t) => {
    const clean = errorOf(scene, play(scene, { sdPx: 0, dropped: 0 }))
    const real = errorOf(scene, play(scene, { sdPx: 2, dropped: 0.25 }))
    t.diagnostic(
      `speed error m/s: clean rms ${clean.rms.toFixed(3)} bias ${clean.bias.toFixed(3)}; 2 px noise, a quarter of the pictures dropped: rms ${real.rms.toFixed(3)} bias ${real.bias.toFixed(3)}`,
    )
    assert.ok(clean.rms < 0.1, `clean ${clean.rms}`)
    assert.ok(real.rms < 0.4, `noisy ${real.rms}`)
    assert.ok(Math.abs(real.bias) < 0.1, `bias ${real.bias}`)
  })

test('somebody who stands covers no distance, however the feet jitter', () => {
  const standing = play(
    { where: () => ({ x: 20, y: 10 }), speed: () => 0, seconds: 20 },
    { sdPx: 2, dropped: 0 },
  )
  const pace = paceOf([standing], ADULT_GPS)
  assert.ok(pace.distanceM < 2, `${pace.distanceM} m`)
  assert.ok(pace.seenS > 19)
})

test('a silence is a hole: nothing is made up across it', () => {
  const motion = createMotion()
  const run = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => from + at).flatMap((at) =>
      motion.add(START_MS + at * 100, { x: at * 0.3, y: 0, sdM: 0.01 }),
    )
  const pace = paceOf([[...run(0, 50), ...run(80, 130)]], ADULT_GPS)
  assert.ok(Math.abs(pace.distanceM - 29) < 1, `${pace.distanceM} m`)
  assert.ok(Math.abs(pace.missedS - 3) < 0.3, `${pace.missedS} s`)
})

test('a mistaken identity is no sprint', () => {
  const motion = createMotion()
  const samples = Array.from({ length: 60 }, (_, at) => at).flatMap((at) =>
    motion.add(START_MS + at * 100, { x: at === 30 ? 30 : at * 0.2, y: 0, sdM: 0.05 }),
  )
  assert.equal(motion.jumps(), 1)
  assert.ok(Math.max(...samples.map(({ speedMps }) => speedMps)) < 2.5)
})

test('what two cameras saw of one player counts once, live and read back alike', () => {
  const one = play(constant, { sdPx: 0, dropped: 0 })
  const other = one.slice(20).map((sample) => ({ ...sample }))
  const live = createPlayerPace(ADULT_GPS)
  for (const { slot, speedMps } of [...one, ...other].sort((a, b) => a.slot - b.slot))
    live.add(slot, speedMps)
  assert.deepEqual(live.result(), paceOf([one, other], ADULT_GPS))
  assert.ok(Math.abs(live.result().distanceM - 30) < 1)
})

test('there are no metres without calibration, with hidden feet, far away or beside the pitch', () => {
  const calibrated = plan()
  const at = (x: number, y: number, size = { width: 1280, height: 720 }) => {
    const place = placeOf(calibrated, {
      box: { x: x - 20, y: y - 100, w: 40, h: 100 },
      keypoints: [],
      ...size,
    })
    return 'reason' in place ? place.reason : 'metres'
  }
  assert.equal(at(640, 500), 'metres')
  assert.equal(at(640, 720), 'feet_hidden')
  assert.equal(at(640, 60), 'off_pitch')
  assert.equal(at(320, 250, { width: 640, height: 360 }), 'metres')
  assert.equal(at(640, 400, { width: 1280, height: 960 }), 'uncalibrated')
  assert.deepEqual(placeOf(null, { box: { x: 0, y: 0, w: 1, h: 1 }, keypoints: [], width: 9, height: 9 }), {
    reason: 'uncalibrated',
  })
})
