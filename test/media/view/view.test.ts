import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../../daemon/kernel/clock.ts'
import { createFrameRing, i420Bytes } from '../../../daemon/media/frames.ts'
import type { SourceSink, Times } from '../../../daemon/media/source.ts'
import { createEncoder } from '../../../daemon/media/view/encoder.ts'
import { showPictures } from '../../../daemon/media/view/multipart.ts'
import { createPictures } from '../../../daemon/media/view/pictures.ts'
import { createRelay } from '../../../daemon/media/view/relay.ts'
import { i420ToRgb } from '../../../daemon/media/view/rgb.ts'
import { decodeJpeg } from '../../../models/detect/jpeg.ts'
import { fakeClock } from '../../fakes/clock.ts'

const SIZE = { width: 33, height: 17 }

function setup(t: TestContext) {
  const ring = createFrameRing()
  const real = createEncoder({ clock: systemClock() })
  t.after(() => real.stop())
  let encoded = 0
  const encoder = {
    ...real,
    encode(picture: Parameters<typeof real.encode>[0]) {
      encoded += 1
      return real.encode(picture)
    },
  }
  const jpegs = new Set<(jpeg: Uint8Array, times: Times) => void>()
  const onJpeg = (listener: (jpeg: Uint8Array, times: Times) => void) => {
    jpegs.add(listener)
    return () => void jpegs.delete(listener)
  }
  const pictures = createPictures({ ring, onJpeg, encoder })
  const show = (luma: number, atMs = 1000) => {
    const slot = ring.open(SIZE)
    assert.ok(slot)
    slot.data.fill(128)
    slot.data.fill(luma, 0, SIZE.width * SIZE.height)
    slot.publish({ capturedAtMs: atMs, arrivedAtMs: atMs })
  }
  const send = (jpeg: Uint8Array, atMs = 1000) => {
    for (const listener of jpegs) listener(jpeg, { capturedAtMs: atMs, arrivedAtMs: atMs })
  }
  return { ring, pictures, show, send, encoded: () => encoded }
}

/** Waits for the turn in which `fits` is true; a picture that never comes ends in the runner's own limit. */
async function until(fits: () => boolean): Promise<void> {
  while (!fits()) await new Promise((resolve) => setImmediate(resolve))
}

test('limited-range YUV becomes the colours that it stands for, odd sizes included', () => {
  const size = { width: 3, height: 3 }
  const cases: [number[], number[]][] = [
    [
      [16, 128, 128],
      [0, 0, 0],
    ],
    [
      [235, 128, 128],
      [255, 255, 255],
    ],
    [
      [81, 90, 240],
      [255, 0, 0],
    ],
    [
      [145, 54, 34],
      [0, 255, 0],
    ],
    [
      [41, 240, 110],
      [0, 0, 255],
    ],
  ]
  for (const [[y = 0, u = 0, v = 0], expected] of cases) {
    const i420 = new Uint8Array(i420Bytes(size)).fill(y, 0, 9).fill(u, 9, 13).fill(v, 13)
    const rgb = new Uint8Array(27)
    i420ToRgb(i420, size, rgb)
    const last = [...rgb.subarray(24)]
    for (const [at, value] of expected.entries())
      assert.ok(Math.abs((last[at] ?? -9) - value) <= 1, `${last} is ${expected}`)
  }
})

test('a picture is encoded once, however many look, and never while nobody does', async (t) => {
  const { pictures, show, encoded, ring } = setup(t)
  assert.equal(await pictures.newest(), null)
  show(200)
  show(90)
  assert.equal(encoded(), 0)
  const [one, other] = await Promise.all([pictures.newest(), pictures.newest()])
  assert.equal(one, other)
  assert.equal(await pictures.newest(), one)
  assert.equal(encoded(), 1)
  assert.equal(ring.stats().held, 0)
  const seen = decodeJpeg(one?.jpeg ?? new Uint8Array())
  assert.deepEqual([seen.width, seen.height], [33, 17])
  assert.ok(Math.abs((seen.data[0] ?? 0) - ((90 - 16) * 255) / 219) < 4)
})

test('a camera that sends JPEG is shown untouched', async (t) => {
  const { pictures, send, show, encoded } = setup(t)
  const jpeg = Uint8Array.of(0xff, 0xd8, 1, 0xff, 0xd9)
  send(jpeg, 5000)
  show(100)
  const shown = await pictures.newest()
  assert.deepEqual([shown?.jpeg, shown?.capturedAtMs, encoded()], [jpeg, 5000, 0])
})

test('a viewer gets every picture that it has time for, at most so many a second', async (t) => {
  const { pictures, send } = setup(t)
  const clock = fakeClock()
  const out = new PassThrough()
  const parts: string[] = []
  out.setEncoding('latin1').on('data', (text: string) => parts.push(text))
  const count = () => parts.join('').split('--b\r\n').length - 1
  const stop = showPictures(pictures, out, { fps: 2, boundary: 'b', clock })
  send(Buffer.from('A'))
  await until(() => count() === 1)
  send(Buffer.from('B'))
  send(Buffer.from('C'))
  clock.advance(100)
  assert.equal(count(), 1)
  clock.advance(500)
  await until(() => count() === 2)
  assert.match(
    parts.join(''),
    /Content-Length: 1\r\nX-Captured-At: 1970-01-01T00:00:01.000Z\r\n\r\nA\r\n--b\r\n.*\r\n\r\nC\r\n$/s,
  )
  stop()
  send(Buffer.from('D'))
  clock.advance(5000)
  assert.equal(count(), 2)
})

test('a viewer that does not read holds up one picture and no more', async (t) => {
  const { pictures, send } = setup(t)
  const clock = fakeClock()
  const taken: Buffer[] = []
  let go = () => {}
  const stuck = new Writable({
    highWaterMark: 1,
    writev(chunks, done) {
      for (const { chunk } of chunks) taken.push(chunk as Buffer)
      go = done
    },
  })
  showPictures(pictures, stuck, { fps: 30, boundary: 'b', clock })
  send(Uint8Array.of(1))
  await until(() => taken.length > 0)
  for (let n = 2; n < 100; n++) {
    send(Uint8Array.of(n))
    clock.advance(1000)
  }
  assert.ok(stuck.writableLength < 200, `${stuck.writableLength} bytes wait`)
  go()
  await until(() => taken.some((chunk) => chunk.length === 1 && chunk[0] === 99))
  assert.equal(taken.filter((chunk) => chunk.length === 1).length, 2)
})

test('the newest stream that is brought to a camera is the one that counts', () => {
  const relay = createRelay()
  const got: string[] = []
  const sink: SourceSink = {
    described: () => {},
    unit: ({ data }) => void got.push(String(data[0])),
    picture: () => {},
    failed: () => void got.push('failed'),
  }
  const sinks: SourceSink[] = []
  const closed: number[] = []
  const phone = (n: number) => ({
    start(to: SourceSink) {
      sinks[n] = to
      return () => void closed.push(n)
    },
  })
  const unit = (value: number) =>
    ({ codec: 'jpeg', data: Uint8Array.of(value), keyframe: true, capturedAtMs: 0, arrivedAtMs: 0 }) as const
  relay.attach(phone(0))
  const close = relay.start(sink)
  sinks[0]?.unit(unit(1))
  relay.attach(phone(1))
  sinks[1]?.unit(unit(2))
  close()
  assert.deepEqual(
    [got, closed],
    [
      ['1', '2'],
      [0, 1],
    ],
  )
})
