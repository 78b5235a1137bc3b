import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFrameRing, type FrameRing, i420Bytes } from '../../daemon/media/frames.ts'

const SMALL = { width: 4, height: 2 }

function put(ring: FrameRing, value: number, size = SMALL): boolean {
  const slot = ring.open(size)
  slot?.data.fill(value)
  slot?.publish({ capturedAtMs: value, arrivedAtMs: value + 1 })
  return slot !== null
}

test('an odd picture has chroma planes rounded up', () => {
  assert.equal(i420Bytes({ width: 3, height: 3 }), 9 + 2 * 4)
})

test('a reader gets the newest picture, in shared memory, with its times', () => {
  const ring = createFrameRing()
  assert.equal(ring.newest(), null)
  put(ring, 7)
  put(ring, 9)
  const frame = ring.newest()
  assert.ok(frame)
  assert.deepEqual([frame.seq, frame.data[0], frame.capturedAtMs, frame.arrivedAtMs], [2, 9, 9, 10])
  assert.ok(frame.data.buffer instanceof SharedArrayBuffer)
})

test('a held picture keeps its bytes while newer ones come', () => {
  const ring = createFrameRing()
  put(ring, 1)
  const held = ring.newest()
  for (let value = 2; value < 20; value++) assert.ok(put(ring, value))
  assert.equal(held?.data[0], 1)
  assert.equal(ring.newest()?.data[0], 19)
})

test('a picture is dropped and counted while every slot is held, and taken again after a release', () => {
  const ring = createFrameRing({ slots: 3 })
  const held = [1, 2, 3].map((value) => {
    put(ring, value)
    return ring.newest()
  })
  assert.equal(put(ring, 4), false)
  assert.deepEqual(ring.stats(), { published: 3, dropped: 1, held: 3 })
  held[0]?.release()
  held[0]?.release()
  assert.equal(ring.stats().held, 2, 'a second release counts for nothing')
  assert.equal(put(ring, 5), true)
})

test('a larger picture replaces the slots, and what is held of the old size stays readable', () => {
  const ring = createFrameRing()
  put(ring, 1)
  const old = ring.newest()
  put(ring, 2, { width: 8, height: 8 })
  assert.equal(
    old?.data.every((value) => value === 1),
    true,
  )
  const now = ring.newest()
  assert.deepEqual([now?.width, now?.height, now?.data.length], [8, 8, 96])
})

test('a listener hears of each picture until it leaves', () => {
  const ring = createFrameRing()
  let heard = 0
  const leave = ring.onFrame(() => heard++)
  put(ring, 1)
  leave()
  put(ring, 2)
  assert.equal(heard, 1)
})

test('an abandoned slot is free again and shows nothing', () => {
  const ring = createFrameRing()
  ring.open(SMALL)?.abandon()
  assert.equal(ring.newest(), null)
  assert.equal(put(ring, 3), true)
})
