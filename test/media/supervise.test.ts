import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SourceFailure } from '../../daemon/media/source.ts'
import {
  dueAtMs,
  next,
  STOPPED,
  type Supervision,
  type SupervisionEvent,
} from '../../daemon/media/supervise.ts'

const GONE = new SourceFailure('unreachable', 'Nothing answers.')
const SILENT = new SourceFailure('stalled', 'No picture comes.')

/** A supervised camera on a hand-moved clock. */
function setup() {
  let nowMs = 0
  let state: Supervision = STOPPED
  const tell = (event: SupervisionEvent) => {
    state = next(state, event, nowMs, () => SILENT)
  }
  const advance = (ms: number) => {
    const endMs = nowMs + ms
    for (let due = dueAtMs(state); due !== null && due <= endMs; due = dueAtMs(state)) {
      nowMs = Math.max(nowMs, due)
      tell({ kind: 'time' })
    }
    nowMs = endMs
  }
  return {
    tell,
    advance,
    state: () => state,
    now: () => nowMs,
    frames(count: number, everyMs: number) {
      for (let i = 0; i < count; i++) {
        advance(everyMs)
        tell({ kind: 'frame' })
      }
    },
  }
}

test('a camera of 15 pictures a second is gone after 5 s without one', () => {
  const { tell, frames, advance, state } = setup()
  tell({ kind: 'start' })
  frames(30, 66)
  advance(4_999)
  assert.equal(state().kind, 'online')
  advance(1)
  assert.equal(state().kind, 'waiting')
})

test('one picture every 8 s is left alone, from the first on', () => {
  const { tell, frames, advance, state } = setup()
  tell({ kind: 'start' })
  tell({ kind: 'described' })
  for (let i = 0; i < 20; i++) {
    frames(1, 8_000)
    assert.equal(state().kind, 'online')
  }
  advance(23_999)
  assert.equal(state().kind, 'online', 'three of its intervals')
  advance(1)
  assert.equal(state().kind, 'waiting')
})

test('retries come after 1, 2 and 4 s, then every 5 s', () => {
  const { tell, advance, state, now } = setup()
  const tries: number[] = []
  tell({ kind: 'start' })
  for (let i = 0; i < 6; i++) {
    const failedAtMs = now()
    tell({ kind: 'failed', cause: GONE })
    while (state().kind === 'waiting') advance(100)
    tries.push(now() - failedAtMs)
  }
  assert.deepEqual(tries, [1_000, 2_000, 4_000, 5_000, 5_000, 5_000])
})

test('a camera that hangs is asked every 5 s all the same', () => {
  const { tell, advance, state, now } = setup()
  tell({ kind: 'start' })
  const began: number[] = []
  for (let was = state().kind; now() < 60_000; was = state().kind) {
    advance(100)
    if (was === 'waiting' && state().kind === 'trying') began.push(now())
  }
  const gaps = began.slice(4).map((atMs, i) => atMs - began[i + 3]!)
  assert.ok(gaps.length > 5)
  assert.deepEqual([...new Set(gaps)], [5_000])
})

test('pictures that return clear the failures that were', () => {
  const { tell, frames, advance, state } = setup()
  tell({ kind: 'start' })
  for (let i = 0; i < 4; i++) {
    tell({ kind: 'failed', cause: GONE })
    advance(5_000)
  }
  frames(3, 66)
  tell({ kind: 'failed', cause: GONE })
  const waiting = state()
  assert.equal(waiting.kind === 'waiting' && waiting.failures, 1)
})

test('a camera that became slow is learnt anew instead of restarted for ever', () => {
  const { tell, frames, advance, state } = setup()
  tell({ kind: 'start' })
  frames(30, 66)
  let restarts = 0
  for (let i = 0; i < 40; i++) {
    advance(8_000)
    if (state().kind === 'waiting') restarts++
    if (state().kind === 'trying') restarts++
    tell({ kind: 'frame' })
  }
  assert.equal(state().kind, 'online')
  assert.ok(restarts <= 3, `${restarts}`)
})

test('whatever happens, a started camera always has a next moment, and never waits longer than 5 s', () => {
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return seed % below
  }
  for (let run = 0; run < 200; run++) {
    const { tell, advance, state, now } = setup()
    tell({ kind: 'start' })
    for (let i = 0; i < 50; i++) {
      const kinds: SupervisionEvent[] = [
        { kind: 'frame' },
        { kind: 'described' },
        { kind: 'failed', cause: GONE },
        { kind: 'time' },
      ]
      tell(kinds[random(4)]!)
      const due = dueAtMs(state())
      assert.ok(due !== null && Number.isFinite(due))
      if (state().kind === 'waiting') assert.ok(due - now() <= 5_000, `${due - now()}`)
      advance(random(9_000))
    }
    tell({ kind: 'stop' })
    assert.equal(dueAtMs(state()), null)
    tell({ kind: 'frame' })
    assert.equal(state().kind, 'stopped')
  }
})
