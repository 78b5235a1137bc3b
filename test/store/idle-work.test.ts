import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIdleWork } from '../../daemon/store/idle-work.ts'
import type { UpkeepDone, UpkeepOrder } from '../../daemon/store/upkeep-order.ts'
import { fakeClock } from '../fakes/clock.ts'

const DONE: UpkeepDone = { sealed: { days: 1, rows: 2, bytes: 3, left: 0 }, letGo: null, freedBytes: 0 }
const HOUR = 3_600_000

/** Rounds of three steps, of which each takes `stepMs`. */
function setup(stepMs = 0) {
  const clock = fakeClock()
  const taken: number[] = []
  const orders: UpkeepOrder[] = []
  const told: { question: number | null; done: UpkeepDone | null; message: string }[] = []
  const fails = { next: false }
  const idle = createIdleWork({
    clock,
    *run(order) {
      orders.push(order)
      for (let step = 0; step < 3; step += 1) {
        if (fails.next) throw new Error('no room')
        taken.push(clock.monotonic())
        clock.advance(stepMs)
        yield
      }
      return DONE
    },
    tell: (answer) => void told.push(answer),
  })
  return { clock, idle, taken, orders, told, fails }
}

test('by itself it begins a minute after the start, with a commit, and again after six hours', () => {
  const { clock, idle, orders, told } = setup()
  idle.committed(1)
  clock.advance(61_000)
  assert.equal(orders.length, 0)
  idle.committed(2)
  clock.advance(1000)
  idle.committed(3)
  assert.deepEqual(orders, [{ nowMs: 2, limits: null }])
  assert.deepEqual(told, [{ question: null, done: DONE, message: '' }])
  clock.advance(6 * HOUR)
  idle.committed(4)
  clock.advance(1000)
  assert.equal(orders.length, 2)
})

test('it rests four times as long as a step took, and waits while commits follow each other, but not for ever', () => {
  const { clock, idle, taken } = setup(10)
  clock.advance(60_000)
  idle.committed(1)
  clock.advance(300)
  assert.deepEqual(
    taken.map((atMs, step) => atMs - (taken[step - 1] ?? atMs)),
    [0, 50, 50],
  )
  const busy = setup()
  busy.clock.advance(60_000)
  for (let commit = 0; commit < 2000; commit += 1) {
    busy.idle.committed(1)
    busy.clock.advance(2)
  }
  assert.ok(busy.taken.length >= 2 && busy.taken.length < 20, `${busy.taken.length} steps in four seconds`)
})

test('what was asked runs without rests, one after the other, and a failure is told to whoever asked', () => {
  const { clock, idle, told, orders, fails } = setup()
  const order = { nowMs: 5, limits: null }
  idle.ask(1, order)
  idle.ask(2, order)
  clock.advance(10)
  assert.deepEqual(
    told.map(({ question }) => question),
    [1, 2],
  )
  fails.next = true
  idle.ask(3, order)
  clock.advance(10)
  assert.deepEqual(told[2], { question: 3, done: null, message: 'no room' })
  fails.next = false
  clock.advance(601_000)
  idle.committed(6)
  clock.advance(1000)
  assert.equal(orders.length, 4, 'after a failure it is tried again sooner')
})

test('after it was stopped nothing more is begun', () => {
  const { clock, idle, taken } = setup()
  idle.ask(1, { nowMs: 1, limits: null })
  idle.stop()
  clock.advance(HOUR)
  assert.deepEqual(taken, [])
})
