import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { boundaryOf, createMultipartReader, type Part } from '../../../daemon/media/jpeg/multipart.ts'
import { fixture } from '../clips.ts'

const JPEG = Buffer.from(
  'ffd8ffc00011080010001003012200021101031101ffda000c03010002110311003f0055ffd9',
  'hex',
)

/** What comes out when the bytes arrive in pieces of this size. */
function read(bytes: Uint8Array, boundary: string, pieceBytes: number, maxPartBytes = 100_000): Part[] {
  const parts: Part[] = []
  const reader = createMultipartReader({ boundary, maxPartBytes, onPart: (part) => parts.push(part) })
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes))
  return parts
}

test('the stream of an ESP32-CAM comes out picture by picture, however it is cut', () => {
  const expected = JSON.parse(String(fixture('esp32-stream.multipart.expected.json')))
  const boundary = boundaryOf(expected.response_headers['content-type'])
  for (const piece of [1, 7, 100, 1460, 65_536]) {
    const parts = read(fixture('esp32-stream.multipart'), boundary!, piece)
    assert.deepEqual(
      parts.map(({ body }) => ({ bytes: body.length, sha1: createHash('sha1').update(body).digest('hex') })),
      expected.jpeg,
    )
    assert.deepEqual(
      parts.map(({ headers }) => Number(headers.get('x-timestamp'))),
      expected.timestamps,
    )
  }
})

test('other cameras write it otherwise: no length, bare line ends, a preamble, dashes in the boundary', () => {
  const crlf = [
    'HTTP preamble\r\n--b1\r\nContent-Type: image/jpeg\r\n\r\n',
    '\r\n--b1\r\nX: y\r\n\r\n',
    '\r\n--b1--\r\n',
  ]
  const lf = ['--b1\nContent-Type: image/jpeg\n\n', '\n--b1\n\n', '\n--b1\n']
  for (const [before, between, after] of [crlf, lf]) {
    const bytes = Buffer.concat([
      Buffer.from(before!),
      JPEG,
      Buffer.from(between!),
      JPEG,
      Buffer.from(after!),
    ])
    for (const boundary of ['b1', '--b1']) {
      for (const piece of [1, 5, 1000]) {
        assert.deepEqual(
          read(bytes, boundary, piece).map(({ body }) => Buffer.from(body)),
          [JPEG, JPEG],
        )
      }
    }
  }
})

test('a picture without a length is there when its last byte is', () => {
  const parts = read(Buffer.concat([Buffer.from('--b\r\n\r\n'), JPEG]), 'b', 1000)
  assert.equal(parts.length, 1)
})

test('a part that does not end is refused at the limit', () => {
  const endless = Buffer.concat([Buffer.from('--b\r\n\r\n'), Buffer.alloc(300_000, 0x41)])
  assert.throws(() => read(endless, 'b', 1000), { code: 'too-large' })
  assert.throws(() => read(Buffer.alloc(300_000, 0x41), 'b', 1000), { code: 'too-large' })
  assert.throws(() => read(Buffer.from('--b\r\nContent-Length: 999999\r\n\r\n'), 'b', 1000), {
    code: 'too-large',
  })
  assert.throws(() => read(Buffer.from(`--b\r\nA: ${'x'.repeat(20_000)}`), 'b', 1000), { code: 'malformed' })
})

test('the boundary is read with and without quotes', () => {
  assert.equal(boundaryOf('multipart/x-mixed-replace; boundary="a b"'), 'a b')
  assert.equal(boundaryOf('Multipart/X-Mixed-Replace;boundary=--x; charset=utf-8'), '--x')
  assert.equal(boundaryOf('text/html; boundary=x'), null)
})
