import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { clampHlc, createHybridClock, hlcAt, hlcMs, MAX_AHEAD_MS } from '../../sync/clock.ts'

const YEAR_MS = 365 * 86_400_000

test('readings only grow, although the wall clock jumps years back and forth', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -10 * YEAR_MS, max: 10 * YEAR_MS }), { maxLength: 40 }),
      (jumps) => {
        let wallMs = Date.UTC(2026, 2, 14)
        const clock = createHybridClock({ now: () => wallMs, node: 'hub-a' })
        let before = clock.tick()
        for (const jump of jumps) {
          wallMs += jump
          const reading = clock.tick()
          assert.ok(reading > before, `${reading} after ${before}`)
          before = reading
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('more readings than a millisecond counts run over into the next one', () => {
  const clock = createHybridClock({ now: () => 5, node: 'a', last: '000000000005ffff-a' })
  assert.equal(clock.tick(), '0000000000060000-a')
})

test('an edit made after one was seen is later than it', () => {
  const clock = createHybridClock({ now: () => 1000, node: 'hub-a' })
  const seen = hlcAt(2000, 'cloud')
  assert.equal(clock.follow(seen), true)
  assert.ok(clock.tick() > seen)
})

test('a peer ten years ahead is not followed, and its edits are dated to what is believed', () => {
  const nowMs = Date.UTC(2026, 2, 14)
  const clock = createHybridClock({ now: () => nowMs, node: 'hub-a' })
  const wild = hlcAt(nowMs + 10 * YEAR_MS, 'hub-b')
  assert.equal(clock.follow(wild), false)
  assert.equal(hlcMs(clock.tick()), nowMs)
  assert.equal(hlcMs(clampHlc(wild, nowMs)), nowMs + MAX_AHEAD_MS)
  assert.equal(clampHlc(hlcAt(nowMs, 'hub-b'), nowMs), hlcAt(nowMs, 'hub-b'))
})

test('a clock goes on from where it was before the restart', () => {
  const first = createHybridClock({ now: () => 1000, node: 'hub-a' })
  first.tick()
  const again = createHybridClock({ now: () => 10, node: 'hub-a', last: first.last() })
  assert.ok(again.tick() > (first.last() ?? ''))
})
