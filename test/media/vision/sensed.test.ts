import assert from 'node:assert/strict'
import test from 'node:test'
import type { LandmarkBatch } from '../../../daemon/domain/landmarks.ts'
import type { VisionResult } from '../../../daemon/media/vision/result.ts'
import { createSensed } from '../../../daemon/media/vision/sensed.ts'
import { fakeClock } from '../../fakes/clock.ts'

/** A phone's clock is its own: hours off. */
const OFF_MS = 7_200_000
const STEP_MS = 70

function setup({ firstTrackId = 1 } = {}) {
  const clock = fakeClock()
  const results: VisionResult[] = []
  const changes: boolean[] = []
  const sensed = createSensed({
    ...{ cameraId: 'tripod', clock, firstTrackId: () => firstTrackId },
    onResult: (result) => results.push(result),
    onChange: () => changes.push(sensed.state() !== null),
  })
  const batch = (ats: readonly number[], x = 100): LandmarkBatch => ({
    ...{ camera_id: 'tripod', sent_at: clock.now() + OFF_MS, width: 640, height: 360 },
    models: { detector: { name: 'detector', version: '1' }, pose: { name: 'lite', version: '1' } },
    frames: ats.map((at) => ({ at: at + OFF_MS, people: [body(x)] })),
  })
  return { clock, results, changes, sensed, batch }
}

/** Thirty-three landmarks of somebody who stands upright. */
function body(x: number): [number, number, number, number][] {
  return Array.from({ length: 33 }, (_, index) => [x + (index % 2) * 30, 100 + index * 5, 0, 0.9])
}

test('what a phone found is a result with a lasting track, at the hub’s time of the picture', () => {
  const { clock, results, sensed, batch, changes } = setup({ firstTrackId: 41 })
  for (let step = 0; step < 5; step += 1) {
    clock.advance(STEP_MS)
    const verdict = sensed.take(batch([clock.now() - 30], 100 + step), 'one')
    assert.deepEqual(verdict, { taken: 1, outOfOrder: 0, tooOld: 0, tooFast: 0 })
  }
  assert.deepEqual(
    results.map(({ people }) => people[0]?.trackId),
    [41, 41, 41, 41, 41],
  )
  const last = results.at(-1)
  assert.deepEqual(
    [last?.capturedAtMs, last?.width, last?.models.pose?.name],
    [clock.now() - 30, 640, 'lite'],
  )
  assert.deepEqual([last?.people[0]?.keypoints.length, last?.people[0]?.landmarks?.length], [17, 33])
  assert.deepEqual(changes, [true])
  assert.equal(sensed.state()?.people, 1)
})

test('pictures that are late, too many or out of order are refused, each counted by why', () => {
  const { clock, results, sensed, batch } = setup()
  clock.advance(60_000)
  const now = clock.now()
  assert.deepEqual(sensed.take(batch([now - 6000, now - 200, now - 300, now - 180, now - 100]), 'one'), {
    ...{ taken: 2, outOfOrder: 1, tooOld: 1, tooFast: 1 },
  })
  assert.deepEqual(sensed.take(batch([now - 200]), 'one').outOfOrder, 1)
  assert.equal(results.length, 2)
  assert.throws(() => sensed.take(batch([now + 1000]), 'one'), { code: 'VALIDATION_ERROR' })
})

test('a phone that falls silent is gone within seconds, and may come back', () => {
  const { clock, sensed, batch, changes } = setup()
  sensed.take(batch([clock.now()]), 'one')
  clock.advance(2500)
  assert.ok(sensed.state())
  clock.advance(1500)
  assert.equal(sensed.state(), null)
  sensed.take(batch([clock.now()]), 'one')
  assert.deepEqual(changes, [true, false, true])
})

test('the phone that connected last is the camera, the one before hears that it no longer is', () => {
  const { clock, sensed, batch } = setup()
  sensed.take(batch([clock.now()]), 'a')
  sensed.take(batch([clock.now()]), 'b')
  assert.throws(() => sensed.take(batch([clock.now()]), 'a'), { code: 'CONFLICT' })
  clock.advance(STEP_MS)
  assert.equal(sensed.take(batch([clock.now()]), 'b').taken, 1)
})
