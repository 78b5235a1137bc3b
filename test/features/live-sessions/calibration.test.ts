import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createCalibrations } from '../../../daemon/features/live-sessions/calibrations.ts'
import type { LiveCamera } from '../../../daemon/features/live-sessions/cameras.ts'
import { calibrationRoutes } from '../../../daemon/features/live-sessions/routes-calibration.ts'
import type { Luma } from '../../../models/vision/kpi/moved.ts'
import { fakeClock } from '../../fakes/clock.ts'
import { openHousehold } from '../../fakes/household.ts'

const CAMERA: LiveCamera = {
  ...{ id: 'yard', name: 'Yard', kind: 'push', enabled: true, analyse: true, online: true },
  ...{ addedBy: null, personIds: ['mia'] },
}
const POINTS = [
  { pixel: { x: 60, y: 690 }, metres: { x: 0, y: 0 } },
  { pixel: { x: 1230, y: 680 }, metres: { x: 40, y: 0 } },
  { pixel: { x: 1010, y: 240 }, metres: { x: 40, y: 40 } },
  { pixel: { x: 280, y: 245 }, metres: { x: 0, y: 40 } },
]
const SIZE = { width: 1280, height: 720, pitch: { length: 40, width: 40 } }

/** Patches that a camera sees, shifted by some pixels. */
function view(dx = 0): Luma {
  const [width, height] = [160, 90]
  const data = Uint8Array.from({ length: width * height }, (_, at) => {
    const cell = Math.floor(((at % width) + dx) / 6) * 131 + Math.floor(at / width / 5) * 977
    return 60 + ((cell * cell * 31 + cell * 17) % 120)
  })
  return { width, height, data }
}

async function setup(t: TestContext) {
  const clock = fakeClock()
  const seen = { luma: view() as Luma | null }
  const made: ReturnType<typeof createCalibrations>[] = []
  const home = await openHousehold(t, {
    clock,
    more(store) {
      const calibrations = createCalibrations({ store, now: clock.now })
      made.push(calibrations)
      const cameras = { get: (id: string) => (id === 'yard' ? CAMERA : null), luma: () => seen.luma }
      return [
        {
          name: 'calibration',
          routes: (http) => calibrationRoutes(http, { calibrations, cameras, now: clock.now }),
        },
      ]
    },
  })
  const owner = await home.claimed()
  await home.people.add({ id: 'mia', name: 'Mia' })
  const put = (body: object, token = owner) => home.call('PUT', '/cameras/yard/calibration', { token, body })
  return { ...home, owner, put, seen, calibrations: made[0]! }
}

test('four points calibrate a camera, each with how far off it is, and the map can be sent back', async (t) => {
  const { put, call, owner, calibrations, store, clock } = await setup(t)
  const skewed = [...POINTS, { pixel: { x: 645, y: 345 }, metres: { x: 20, y: 20 } }]
  const { status, body } = await put({ points: skewed, ...SIZE })
  assert.equal(status, 200)
  assert.equal(body.data.points.length, 5)
  assert.ok(body.data.reprojection_error_px > 0 && body.data.reprojection_error_m > 0)
  const again = await put({ homography: body.data.homography, ...SIZE })
  assert.equal(again.status, 200, JSON.stringify(again.body))
  assert.ok(again.body.data.reprojection_error_px < 0.01)
  const shown = await call('GET', '/cameras/yard/calibration', { token: owner })
  assert.deepEqual(shown.body.data, again.body.data)
  const reopened = createCalibrations({ store, now: clock.now })
  assert.deepEqual(reopened.get('yard'), calibrations.get('yard'))
  assert.equal((await call('DELETE', '/cameras/yard/calibration', { token: owner })).status, 200)
  assert.equal((await call('GET', '/cameras/yard/calibration', { token: owner })).status, 404)
})

test('points that do not fix the ground are refused and named', async (t) => {
  const { put, calibrations } = await setup(t)
  const line = POINTS.map((point, at) =>
    at === 2 ? { pixel: { x: 645, y: 685 }, metres: { x: 20, y: 0 } } : point,
  )
  const refused = await put({ points: line, ...SIZE })
  assert.deepEqual([refused.status, refused.body.error.code], [422, 'UNCALIBRATED'])
  assert.deepEqual(
    refused.body.error.details.map(({ path }: { path: string }) => path),
    ['points[0]', 'points[1]', 'points[2]'],
  )
  assert.equal((await put({ points: POINTS.slice(1), ...SIZE })).status, 422)
  const outside = POINTS.map((point) => ({ ...point, pixel: { x: point.pixel.x + 900, y: point.pixel.y } }))
  assert.equal((await put({ points: outside, ...SIZE })).status, 400)
  const far = POINTS.map(({ pixel, metres }) => ({ pixel, metres: { x: metres.x * 1000, y: metres.y } }))
  const named = await put({ points: far, ...SIZE })
  assert.deepEqual([named.status, named.body.error.details[0].path], [400, 'points[1].metres'])
  assert.equal((await put({ ...SIZE })).status, 400)
  assert.equal(calibrations.get('yard'), null)
})

test('a camera that moved gives no metres until somebody says so or calibrates it again', async (t) => {
  const { put, call, owner, calibrations, seen } = await setup(t)
  await put({ points: POINTS, ...SIZE })
  assert.ok(calibrations.plan('yard'))
  const looks = []
  for (const dx of [0, 3, 3, 3]) looks.push(await calibrations.look('yard', view(dx), []))
  assert.deepEqual(looks, [false, false, false, true])
  assert.equal(calibrations.plan('yard'), null)
  const told = await call('GET', '/cameras/yard/calibration', { token: owner })
  assert.equal(typeof told.body.data.moved_at, 'string')
  seen.luma = view(3)
  const dismissed = await call('POST', '/cameras/yard/calibration/dismiss', { token: owner })
  assert.equal(dismissed.body.data.moved_at, null)
  for (let at = 0; at < 4; at++) assert.equal(await calibrations.look('yard', view(3), []), false)
  assert.ok(calibrations.plan('yard'))
})

test('who only sees a camera may read its calibration and not change it', async (t) => {
  const { put, call, owner, letIn } = await setup(t)
  await put({ points: POINTS, ...SIZE })
  const parent = (await letIn(owner, { role: 'caregiver', person_id: 'mia', classes: ['media'] }))
    .access_token
  assert.equal((await call('GET', '/cameras/yard/calibration', { token: parent })).status, 200)
  assert.equal((await put({ points: POINTS, ...SIZE }, parent)).status, 403)
  const other = (await letIn(owner, { role: 'caregiver', person_id: 'mia', classes: ['training'] }))
    .access_token
  assert.equal((await call('GET', '/cameras/yard/calibration', { token: other })).status, 404)
})
