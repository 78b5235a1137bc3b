/** How fast the models look: said once it is known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPace } from '../../../daemon/media/vision/statistics.ts'

test('a rate is said after two seconds of pictures, and not of a few that had waited', () => {
  const pace = createPace()
  for (const atMs of [0, 10, 20]) pace.add(atMs, 30)
  assert.equal(pace.fps(20), null)
  for (let atMs = 120; atMs <= 2020; atMs += 100) pace.add(atMs, 30)
  const fps = pace.fps(2020) ?? 0
  assert.ok(fps > 9 && fps < 12, `${fps}`)
  assert.equal(pace.fps(60_000), null)
})

test('a slow camera has a rate too', () => {
  const pace = createPace()
  for (const atMs of [0, 2000, 4000]) pace.add(atMs, 30)
  assert.equal(pace.fps(4000), 0.5)
})
