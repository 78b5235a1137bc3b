import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterLong, LOST_MS, type Timers } from '../../../daemon/ui/areas/alerts/lost.ts'
import { createSiren } from '../../../daemon/ui/areas/alerts/siren.ts'
import { createLink } from '../../../daemon/ui/state/link.ts'

/** Time that is moved by hand. */
function setup() {
  let nowMs = 1_000_000
  let last = 0
  const planned = new Map<number, { atMs: number; run: () => void }>()
  const timers: Timers = {
    nowMs: () => nowMs,
    set(run, ms) {
      last += 1
      planned.set(last, { atMs: nowMs + ms, run })
      return last
    },
    clear: (id) => void planned.delete(id),
  }
  const pass = (ms: number) => {
    nowMs += ms
    for (const [id, { atMs, run }] of [...planned]) {
      if (atMs > nowMs) continue
      planned.delete(id)
      run()
    }
  }
  return { timers, pass }
}

test('a hub that is out of reach for a minute is an alarm, once and not before', () => {
  const { timers, pass } = setup()
  let rang = 0
  afterLong(timers.nowMs(), timers, () => {
    rang += 1
  })
  pass(LOST_MS - 1)
  assert.equal(rang, 0)
  pass(1)
  pass(10 * LOST_MS)
  assert.equal(rang, 1)
})

test('one that was lost before the page was drawn counts from then, and one that is back is no alarm', () => {
  const { timers, pass } = setup()
  const rang: string[] = []
  afterLong(timers.nowMs() - 10 * LOST_MS, timers, () => rang.push('long gone'))
  const stop = afterLong(timers.nowMs(), timers, () => rang.push('back'))
  pass(0)
  stop()
  pass(LOST_MS)
  assert.deepEqual(rang, ['long gone'])
})

test('the link says since when the hub is lost, and forgets it when the hub answers', () => {
  const { timers, pass } = setup()
  const link = createLink({ nowMs: timers.nowMs, later: (run, ms) => void timers.set(run, ms) })
  const sinceMs = timers.nowMs()
  link.reachable(false)
  pass(3000)
  assert.deepEqual(link.state.value, { kind: 'lost', sinceMs })
  link.reachable(true)
  assert.notEqual(link.state.value.kind, 'lost')
})

test('the sound of a lost hub is made of tones, and is silent before the page was touched', () => {
  const started: number[] = []
  const part = () => ({
    ...{ frequency: { value: 0 }, type: 'sine', start: (at: number) => started.push(at), stop() {} },
    ...{ gain: { setValueAtTime() {}, linearRampToValueAtTime() {} }, connect: (next: unknown) => next },
  })
  const context = {
    ...{ currentTime: 0, state: 'running', destination: {} },
    ...{ createOscillator: part, createGain: part, close: async () => {} },
  }
  let isTouched = false
  const siren = createSiren({
    createContext: () => context as unknown as AudioContext,
    isTouched: () => isTouched,
  })
  assert.equal(siren.sound('lost'), false)
  isTouched = true
  assert.equal(siren.sound('lost'), true)
  assert.equal(started.length, 2)
})
