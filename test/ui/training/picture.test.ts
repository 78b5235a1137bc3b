/** Pictures out of a stream of bytes, and how many came lately. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ageOf, silentAfterMs } from '../../../daemon/ui/areas/training/picture/age.ts'
import { boundaryOf, createParts, type Part } from '../../../daemon/ui/areas/training/picture/multipart.ts'
import { createRate } from '../../../daemon/ui/areas/training/picture/rate.ts'
import { fixturePath } from '../../firmware-bridge/fixtures.ts'

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'))
const text = ({ body }: Part) => Buffer.from(body).toString('latin1')

/** Feeds a stream in pieces of so many bytes. */
function fed(stream: Uint8Array, boundary: string, pieceBytes: number): Part[] {
  const parts = createParts(boundary)
  const found: Part[] = []
  for (let at = 0; at < stream.length; at += pieceBytes)
    found.push(...parts.push(stream.subarray(at, at + pieceBytes)))
  return found
}

test('a boundary is read with and without quotes, and its absence is told', () => {
  assert.equal(boundaryOf('multipart/x-mixed-replace; boundary=homefield-picture'), 'homefield-picture')
  assert.equal(boundaryOf('multipart/x-mixed-replace;boundary="--a b"; x=1'), '--a b')
  assert.equal(boundaryOf('image/jpeg'), null)
})

test('pictures come out whole however the bytes are cut, with and without a length', () => {
  const stream = bytes(
    '--b\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\nX-Captured-At: 2026-11-20T12:00:00.000Z\r\n\r\nA--bA\r\n' +
      '--b\r\nContent-Type: image/jpeg\r\n\r\n\r\n--\r\nB\r\n--b\r\nContent-Length: 1\r\n\r\nC\r\n',
  )
  for (const piece of [1, 2, 7, 64, 4096]) {
    const parts = fed(stream, 'b', piece)
    assert.deepEqual(parts.map(text), ['A--bA', '\r\n--\r\nB', 'C'], `in pieces of ${piece}`)
    assert.equal(parts[0]?.headers.get('x-captured-at'), '2026-11-20T12:00:00.000Z')
  }
})

test('a recorded ESP32-CAM gives whole JPEGs', () => {
  const stream = readFileSync(fixturePath('camera/esp32-stream.multipart'))
  const told = /--([^\r\n]+)\r\n/.exec(stream.toString('latin1'))?.[1] ?? ''
  const parts = fed(stream, told, 1460)
  assert.ok(parts.length > 1, `${parts.length} pictures`)
  for (const { body } of parts) {
    assert.deepEqual([...body.subarray(0, 2)], [0xff, 0xd8])
    assert.ok(Buffer.from(body.subarray(-4)).includes(Buffer.from([0xff, 0xd9])), 'ends like a JPEG')
  }
})

test('what is no stream of pictures, or too large a one, is refused instead of kept', () => {
  assert.throws(() => fed(new Uint8Array(20_000), 'b', 1000), /no pictures/)
  const endless = createParts('b', 1000)
  assert.throws(() => endless.push(bytes('--b\r\nContent-Length: 1001\r\n\r\n')), /too large/)
  const unnamed = createParts('b', 1000)
  assert.throws(() => unnamed.push(bytes(`--b\r\nX: y\r\n\r\n${'z'.repeat(1100)}`)), /too large/)
})

test('the rate counts the pictures of the last three seconds, and one picture has none', () => {
  const rate = createRate()
  rate.count(0)
  assert.equal(rate.perSecond(10), null)
  for (let atMs = 100; atMs <= 2000; atMs += 100) rate.count(atMs)
  assert.equal(rate.perSecond(2000), 10)
  assert.equal(rate.perSecond(10_000), null)
})

test('an age is in milliseconds below a second, then in tenths, and never below zero', () => {
  assert.deepEqual(ageOf(1_000, 1_234), { ms: 230 })
  assert.deepEqual(ageOf(1_000, 1_996), { seconds: 1 })
  assert.deepEqual(ageOf(1_000, 3_460), { seconds: 2.5 })
  assert.deepEqual(ageOf(1_000, 900), { ms: 0 })
})

test('a slow camera is given the time of three pictures before its stream counts as broken', () => {
  assert.equal(silentAfterMs(25), 6_000)
  assert.equal(silentAfterMs(null), 6_000)
  assert.equal(silentAfterMs(0.2), 15_000)
})
