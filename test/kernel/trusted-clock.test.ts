import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTrustedClock } from '../../daemon/kernel/trusted-clock.ts'
import { fakeClock } from '../fakes/clock.ts'

const BUILT = Date.UTC(2026, 10, 1)
const DAY = 86_400_000
const HOUR = 3_600_000

/** A machine whose clock can be set while its timers go on. */
function setup(wallMs: number, synchronised: boolean | null = null) {
  const timers = fakeClock()
  const machine = { aheadMs: wallMs - timers.now(), synchronised }
  const clock = createTrustedClock({
    clock: { ...timers, now: () => timers.now() + machine.aheadMs },
    builtAtMs: BUILT,
    synchronised: () => machine.synchronised,
  })
  const learnt: { stretch: number; byMs: number }[] = []
  clock.onLearnt((one) => void learnt.push(one))
  const set = (toMs: number) => {
    machine.aheadMs = toMs - timers.now()
  }
  return { clock, machine, timers, learnt, set }
}

test('a clock in 1970 goes on from where no true clock stands before, until it is set', () => {
  const { clock, timers, learnt, set } = setup(5000)
  clock.notBefore(BUILT + 3 * DAY)
  assert.equal(clock.state(), 'unset')
  assert.equal(clock.now(), BUILT + 3 * DAY)
  assert.equal(clock.latestMs(), Number.MAX_SAFE_INTEGER)
  timers.advance(HOUR)
  assert.equal(clock.now(), BUILT + 3 * DAY + HOUR)
  assert.equal(clock.stretch(), 0)
  set(BUILT + 10 * DAY)
  assert.equal(clock.now(), BUILT + 10 * DAY)
  assert.deepEqual([clock.state(), clock.stretch()], ['guessed', null])
  assert.equal(clock.latestMs(), BUILT + 10 * DAY)
  assert.deepEqual(learnt, [{ stretch: 0, byMs: 7 * DAY - HOUR }])
  assert.deepEqual(clock.jumps(), [{ atMs: BUILT + 10 * DAY, byMs: 7 * DAY - HOUR }])
})

test('where the time service says so a plausible clock is a guess until it is content, and set from then on', () => {
  const { clock, machine, timers, learnt, set } = setup(BUILT + DAY, false)
  assert.deepEqual([clock.state(), clock.stretch()], ['guessed', 0])
  timers.advance(10_000)
  set(BUILT + 2 * DAY)
  timers.advance(1000)
  assert.equal(learnt.length, 1)
  machine.synchronised = true
  timers.advance(1000)
  assert.deepEqual([clock.state(), clock.stretch()], ['set', null])
})

test('a clock that was right is believed: small steps are none, large ones are noticed and nothing is dated anew', () => {
  const { clock, timers, learnt, machine } = setup(BUILT + DAY)
  assert.deepEqual([clock.state(), clock.stretch()], ['guessed', null])
  for (const byMs of [500, -1500, 3000, -7 * HOUR]) {
    machine.aheadMs += byMs
    timers.advance(1000)
  }
  assert.deepEqual(
    clock.jumps().map(({ byMs }) => byMs),
    [3000, -7 * HOUR],
  )
  assert.deepEqual(learnt, [])
})

test('a time service that is content, or years of difference, outweigh what was believed before', () => {
  const content = setup(BUILT + DAY, true)
  content.clock.notBefore(BUILT + 30 * DAY)
  assert.deepEqual([content.clock.state(), content.clock.now()], ['set', BUILT + DAY])
  const { clock } = setup(BUILT + DAY)
  clock.notBefore(BUILT + 20_000 * DAY)
  assert.deepEqual([clock.state(), clock.now()], ['guessed', BUILT + DAY])
})

test('a clock that falls back to 1970 while the hub runs takes nothing back', () => {
  const { clock, timers, set } = setup(BUILT + DAY)
  timers.advance(HOUR)
  set(0)
  assert.ok(clock.now() >= BUILT + DAY + HOUR - 1000)
  assert.equal(clock.state(), 'unset')
})
