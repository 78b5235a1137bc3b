import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeviceClock } from '../../../daemon/media/jpeg/device-clock.ts'

const HUB_MS = Date.UTC(2026, 2, 14, 8)

test('pictures late on the network keep the distances at which they were taken', () => {
  const clock = createDeviceClock()
  const late = [0, 80, 5, 120, 0]
  const captured = late.map((lateMs, i) => clock.capturedAtMs(500 + i * 100, HUB_MS + i * 100 + lateMs))
  assert.deepEqual(
    captured,
    [0, 100, 200, 300, 400].map((ms) => HUB_MS + ms),
  )
})

test('a clock that drifts is followed for a day, and none runs ahead of the hub', () => {
  const clock = createDeviceClock()
  for (let s = 0; s < 86_400; s += 60) {
    const arrivedAtMs = HUB_MS + s * 1000
    const capturedAtMs = clock.capturedAtMs(Math.round(s * 1000 * 0.9999), arrivedAtMs)
    assert.ok(capturedAtMs <= arrivedAtMs && arrivedAtMs - capturedAtMs < 100)
  }
})

test('a camera that restarts counts from anew', () => {
  const clock = createDeviceClock()
  clock.capturedAtMs(1_000_000, HUB_MS)
  assert.equal(clock.capturedAtMs(200, HUB_MS + 30_000), HUB_MS + 30_000)
})
