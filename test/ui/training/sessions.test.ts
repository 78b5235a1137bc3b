/** What the screens of sessions and of calibrating work out by themselves. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  hasBoxes,
  namedPoints,
  PITCHES,
  placed,
  pointsOf,
  spotsOf,
  tappedOf,
} from '../../../daemon/ui/areas/training/calibration/pitch.ts'
import { trackAt } from '../../../daemon/ui/areas/training/overlay/tap.ts'
import { clockOf, kmh, withPlayers } from '../../../daemon/ui/areas/training/sessions/sessions.ts'

const CALIBRATION = {
  ...{ width: 1920, height: 1080, pitch: PITCHES.futsal, moved_at: null },
  ...{ reprojection_error_px: 1, reprojection_error_m: 0.1 },
  points: [
    { pixel: { x: 960, y: 540 }, metres: { x: 20, y: 10 }, error_px: 1, error_m: 0.1, used: true },
    { pixel: { x: 0, y: 1080 }, metres: { x: 3, y: 4 }, error_px: 9, error_m: null, used: false },
  ],
}

test('every spot of a pitch lies on it once, and only a full pitch has the boxes of the laws', () => {
  for (const pitch of Object.values(PITCHES)) {
    const spots = spotsOf(pitch)
    assert.equal(new Set(spots.map(({ metres: { x, y } }) => `${x} ${y}`)).size, spots.length)
    for (const { metres } of spots) assert.ok(metres.x <= pitch.length && metres.y <= pitch.width)
  }
  assert.deepEqual(Object.values(PITCHES).map(hasBoxes), [true, false, false, false])
})

test('a kept calibration is found again in a picture of another size', () => {
  const tapped = tappedOf(CALIBRATION)
  assert.deepEqual(
    tapped.map(({ word }) => word),
    ['spot.centre', null],
  )
  assert.deepEqual(pointsOf(tapped, { width: 960, height: 540 }), [
    { pixel: { x: 480, y: 270 }, metres: { x: 20, y: 10 } },
    { pixel: { x: 0, y: 540 }, metres: { x: 3, y: 4 } },
  ])
})

test('a spot that is tapped again moves, and forgets how far off it was', () => {
  const [centre] = tappedOf(CALIBRATION)
  assert.ok(centre)
  const moved = placed([centre], centre, { x: 0.1, y: 0.2 })
  assert.equal(moved.length, 1)
  assert.deepEqual([moved[0]?.share, moved[0]?.told], [{ x: 0.1, y: 0.2 }, null])
})

test('a refusal names the points that it is about', () => {
  assert.deepEqual(
    [...namedPoints([{ path: 'points[2]' }, { path: 'points[10].pixel' }, { path: 'width' }])],
    [2, 10],
  )
})

test('a tap means the person nearest to the finger, and nobody far from everybody', () => {
  const person = (trackId: number, x: number) => ({
    ...{ trackId, joints: [] },
    box: { x, y: 100, w: 40, h: 100 },
  })
  const overlay = {
    ...{ cameraId: 'c', capturedAtMs: 0, width: 640, height: 360, ball: null },
    people: [person(3, 100), person(4, 130)],
  }
  // The frame is twice as large as the picture that was looked at, with bars above and below.
  const frame = { width: 1280, height: 920 }
  assert.equal(trackAt(overlay, frame, { x: 230, y: 400 }), 3)
  assert.equal(trackAt(overlay, frame, { x: 310, y: 400 }), 4)
  assert.equal(trackAt(overlay, frame, { x: 900, y: 400 }), null)
})

test('times are written as on a stopwatch and speeds as people speak of them', () => {
  assert.deepEqual([0, 65.9, 3725].map(clockOf), ['0:00', '1:05', '1:02:05'])
  assert.equal(kmh(7), 25.2)
})

test('what is told of one player stands beside what is known of the others', () => {
  const player = (id: string, seen: number) => ({ player_id: id, tracks: [], kpis: { seen } })
  const metrics = (...players: object[]) => ({ at: '', players, tracks: [] }) as never
  const { players } = withPlayers(
    metrics(player('mia', 1), player('leo', 1)),
    metrics(player('mia', 2)),
  ) as unknown as { players: object[] }
  assert.deepEqual(players, [player('mia', 2), player('leo', 1)])
  assert.deepEqual(withPlayers(null, metrics(player('mia', 2))), metrics(player('mia', 2)))
})
