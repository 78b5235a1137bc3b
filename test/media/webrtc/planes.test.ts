import assert from 'node:assert/strict'
import { test } from 'node:test'
import { i420Bytes } from '../../../daemon/media/frames.ts'
import { halfOf, halve, upright } from '../../../daemon/media/webrtc/planes.ts'

/** 4 x 2 with every sample different. */
const picture = { width: 4, height: 2, data: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 21, 22]) }

test('a picture turned clockwise has its lower left corner at the upper left', () => {
  assert.deepEqual(upright(picture, 90), {
    width: 2,
    height: 4,
    data: Uint8Array.from([5, 1, 6, 2, 7, 3, 8, 4, 11, 12, 21, 22]),
  })
  assert.deepEqual([...upright(picture, 180).data], [8, 7, 6, 5, 4, 3, 2, 1, 12, 11, 22, 21])
  assert.deepEqual([...upright(picture, 270).data], [4, 8, 3, 7, 2, 6, 1, 5, 12, 11, 22, 21])
})

test('turning a picture of odd size all the way round gives it back', () => {
  const size = { width: 5, height: 3 }
  const odd = { ...size, data: Uint8Array.from({ length: i420Bytes(size) }, (_, index) => index) }
  assert.deepEqual(upright(upright(upright(upright(odd, 90), 90), 90), 90), odd)
  assert.deepEqual(upright(upright(odd, 90), 270), odd)
})

test('half a picture is the mean of every four samples, with even edges', () => {
  const size = { width: 9, height: 7 }
  assert.deepEqual(halfOf(size), { width: 4, height: 2 })
  const data = new Uint8Array(i420Bytes(size)).fill(90)
  data.set([10, 20], 0)
  data.set([30, 41], 9)
  const out = new Uint8Array(i420Bytes(halfOf(size)))
  halve({ ...size, data }, out)
  assert.deepEqual([...out], [25, ...Array.from({ length: 11 }, () => 90)])
})
