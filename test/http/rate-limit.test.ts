import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRateLimiter } from '../../daemon/http/rate-limit.ts'
import { fakeClock } from '../fakes/clock.ts'

test('exactly the limit passes in a minute, and the refusal says when it is over', () => {
  const clock = fakeClock()
  const limiter = createRateLimiter(clock)
  for (let i = 0; i < 100; i += 1) assert.ok(limiter.take('user:anna', 100).allowed)
  clock.advance(20_000)
  assert.deepEqual(limiter.take('user:anna', 100), { allowed: false, limit: 100, remaining: 0, resetS: 40 })
  assert.ok(limiter.take('user:ben', 100).allowed, 'another caller is not held back')
  clock.advance(40_000)
  assert.ok(limiter.take('user:anna', 100).allowed)
})

test('made-up callers push out the one seen longest ago and are counted', () => {
  const limiter = createRateLimiter(fakeClock())
  for (let i = 0; i < 10_003; i += 1) limiter.take(`address:${i}`, 1)
  assert.equal(limiter.forgotten(), 3)
  assert.ok(limiter.take('address:0', 1).allowed, 'forgotten')
  assert.ok(!limiter.take('address:10002', 1).allowed, 'remembered')
})
