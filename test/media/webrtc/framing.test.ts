import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createUnframer, frameHead } from '../../../daemon/media/webrtc/framing.ts'

test('messages come out whole, however the pipe cuts them', () => {
  const body = Uint8Array.from({ length: 300 }, (_, index) => index & 255)
  const stream = Buffer.concat([
    frameHead({ type: 'ready' }),
    frameHead({ type: 'picture' }, 300),
    body,
    frameHead(7),
  ])
  for (const size of [1, 3, 7, 64, 299, stream.length]) {
    const heard: unknown[] = []
    const unframer = createUnframer((head, bytes) => heard.push([head, Buffer.from(bytes).toString('hex')]))
    for (let at = 0; at < stream.length; at += size) unframer.push(stream.subarray(at, at + size))
    assert.deepEqual(heard, [
      [{ type: 'ready' }, ''],
      [{ type: 'picture' }, Buffer.from(body).toString('hex')],
      [7, ''],
    ])
  }
})

test('a length beyond the limits is refused before anything is kept for it', () => {
  for (const [head, body] of [
    [0, 0],
    [0xffffffff, 0],
    [10, 0xffffffff],
  ] as const) {
    const prefix = Buffer.alloc(8)
    prefix.writeUInt32LE(head, 0)
    prefix.writeUInt32LE(body, 4)
    assert.throws(() => createUnframer(() => {}).push(prefix), /not one of ours/)
  }
})
