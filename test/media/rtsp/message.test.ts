import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { createRtspReader } from '../../../daemon/media/rtsp/message.ts'
import { SourceFailure } from '../../../daemon/media/source.ts'

type Seen =
  | { line: string; headers: [string, readonly string[]][]; body: string }
  | { channel: number; bytes: string }

function read(chunks: readonly Uint8Array[]): Seen[] {
  const seen: Seen[] = []
  const reader = createRtspReader({
    onMessage: ({ startLine, headers, body }) =>
      seen.push({ line: startLine, headers: [...headers], body: Buffer.from(body).toString('hex') }),
    onPacket: (channel, bytes) => seen.push({ channel, bytes: Buffer.from(bytes).toString('hex') }),
  })
  for (const chunk of chunks) reader.push(chunk)
  return seen
}

const packet = (channel: number, bytes: Uint8Array) =>
  Buffer.concat([Uint8Array.of(0x24, channel, bytes.length >> 8, bytes.length & 0xff), bytes])
const message = (body: Uint8Array) =>
  Buffer.concat([Buffer.from(`RTSP/1.0 200 OK\r\nCSeq: 7\r\nContent-Length: ${body.length}\r\n\r\n`), body])

test('any mixture of answers and packets reads the same in whatever pieces it comes', () => {
  const item = fc.oneof(
    fc.tuple(fc.nat(3), fc.uint8Array({ maxLength: 400 })).map(([channel, bytes]) => packet(channel, bytes)),
    fc.uint8Array({ maxLength: 400 }).map(message),
  )
  fc.assert(
    fc.property(
      fc.array(item, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 300 })),
      (items, cuts) => {
        const all = Buffer.concat(items)
        const chunks: Uint8Array[] = []
        let at = 0
        for (const cut of cuts) {
          chunks.push(all.subarray(at, at + cut))
          at = Math.min(all.length, at + cut)
        }
        chunks.push(all.subarray(at))
        const whole = read([all])
        assert.equal(whole.length, items.length)
        assert.deepEqual(read(chunks), whole)
        assert.deepEqual(read([...all].map((byte) => Uint8Array.of(byte))), whole)
      },
    ),
    { numRuns: 150 },
  )
})

test('a packet of the largest size is taken, and lines may end with a line feed alone', () => {
  const largest = new Uint8Array(65_535).fill(7)
  assert.equal(read([packet(1, largest), packet(0, largest)]).length, 2)
  const [answer] = read([Buffer.from('RTSP/1.0 200 OK\nPublic: A\npublic: B\n\n')])
  assert.deepEqual(answer, { line: 'RTSP/1.0 200 OK', headers: [['public', ['A', 'B']]], body: '' })
})

test('random bytes are read or refused as malformed, never anything else', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
      try {
        read(chunks)
      } catch (cause) {
        assert.ok(cause instanceof SourceFailure && cause.code === 'malformed')
      }
    }),
    { numRuns: 300 },
  )
})
