import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDecoder } from '../../../daemon/media/decoder/decoder.ts'
import { createFrameRing, type MediaFrame } from '../../../daemon/media/frames.ts'
import type { AccessUnit, Codec, SourceFailure } from '../../../daemon/media/source.ts'
import { fixture, H264, H264_REORDERED, HEVC, JPEGS, machineDecoder, pattern, unitsOf } from '../clips.ts'

const { settings, skip } = await machineDecoder()

interface Shown {
  width: number
  height: number
  capturedAtMs: number
  frame: MediaFrame
}

/** A decoder whose pictures are kept as copies. */
function setup({
  codec = 'h264' as Codec,
  maxFps = null as number | null,
  ffmpeg = settings.ffmpeg,
  ring = createFrameRing(),
} = {}) {
  const heard = new EventEmitter()
  const shown: Shown[] = []
  let dropped = 0
  const decoder = createDecoder({
    settings: { ...settings, maxFps, ffmpeg },
    codec,
    ring,
    onPicture({ width, height }, { capturedAtMs }) {
      const held = ring.newest()!
      shown.push({ width, height, capturedAtMs, frame: { ...held, data: held.data.slice() } })
      held.release()
      heard.emit('picture')
    },
    onDropped(pictures) {
      dropped += pictures
    },
    onFailed: (cause) => heard.emit('failed', cause),
  })
  const until = async (pictures: number) => {
    while (shown.length < pictures) await once(heard, 'picture')
  }
  return {
    decoder,
    shown,
    ring,
    dropped: () => dropped,
    until,
    failed: once(heard, 'failed').then(([cause]) => cause as SourceFailure),
    /** One unit after another, each once the picture of the one before is there. */
    async stepwise(units: readonly AccessUnit[], heldBack = 0) {
      for (const [i, unit] of units.entries()) {
        decoder.feed(unit)
        await until(i + 1 - heldBack)
      }
    },
    async end() {
      decoder.stop()
      await decoder.gone
    },
  }
}

function brightCentre({ width, height, data }: MediaFrame): [number, number] {
  let [count, x, y] = [0, 0, 0]
  for (let i = 0; i < width * height; i++) {
    if (data[i]! <= 180) continue
    count++
    x += i % width
    y += Math.floor(i / width)
  }
  return [x / count, y / count]
}

test('every picture of a clip comes out at once, in order, with its own time', { skip }, async () => {
  const { stepwise, shown, end } = setup()
  const expected = JSON.parse(String(fixture('clip-320x240-15fps.h264.expected.json')))
  const units = unitsOf(fixture('clip-320x240-15fps.h264'), 'h264')
  await stepwise(units)
  await end()
  assert.equal(shown.length, expected.frames)
  for (const [i, { frame, capturedAtMs }] of shown.entries()) {
    const [x, y] = brightCentre(frame)
    const [atX, atY] = expected.box_centroid_px_luma_over_180[i]
    assert.ok(Math.hypot(x - atX, y - atY) <= expected.tolerance_px, `frame ${i}: ${x}, ${y}`)
    assert.equal(capturedAtMs, units[i]!.capturedAtMs)
  }
})

test('a picture comes out before the next one is fed, whatever the codec', { skip }, async () => {
  for (const [codec, arguments_] of [
    ['hevc', HEVC],
    ['jpeg', JPEGS],
  ] as const) {
    const { stepwise, shown, end } = setup({ codec })
    await stepwise(unitsOf(pattern('322x242', 4, arguments_), codec))
    await end()
    assert.deepEqual(
      shown.map(({ width, height, frame }) => [width, height, frame.data.length]),
      Array(4).fill([322, 242, 322 * 242 + 2 * 161 * 121]),
    )
  }
})

test('colour planes stand in the order luma, blue, red', { skip }, async () => {
  const { stepwise, shown, end } = setup()
  const blue = pattern('64x48', 1, ['-vf', 'drawbox=c=blue:t=fill', ...H264])
  await stepwise(unitsOf(blue, 'h264'))
  await end()
  const { data } = shown[0]!.frame
  const [y, u, v] = [data[10]!, data[64 * 48 + 10]!, data[64 * 48 + 32 * 24 + 10]!]
  assert.ok(y < 60 && u > 200 && v < 130, `${y} ${u} ${v}`)
})

test('pictures of a stream with B-frames keep their order and their times', { skip }, async () => {
  const { decoder, shown, until, end } = setup()
  const units = unitsOf(pattern('128x96', 30, H264_REORDERED), 'h264')
  for (const unit of units) decoder.feed(unit)
  await until(26)
  await end()
  const times = shown.map(({ capturedAtMs }) => capturedAtMs)
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  )
  assert.equal(new Set(times).size, times.length)
})

test('a stream that changes size goes on in the new size', { skip }, async () => {
  for (const [codec, arguments_] of [
    ['h264', H264],
    ['jpeg', JPEGS],
  ] as const) {
    const { stepwise, shown, end } = setup({ codec })
    const small = unitsOf(pattern('160x120', 3, arguments_), codec)
    const large = unitsOf(pattern('320x180', 3, arguments_), codec, 66, 2000)
    const again = unitsOf(pattern('160x120', 2, arguments_), codec, 66, 3000)
    await stepwise([...small, ...large, ...again])
    await end()
    assert.deepEqual(
      shown.map(({ width, height, frame }) => [width, height, frame.data.length]),
      [
        [160, 120],
        [160, 120],
        [160, 120],
        [320, 180],
        [320, 180],
        [320, 180],
        [160, 120],
        [160, 120],
      ].map(([width = 0, height = 0]) => [width, height, width * height * 1.5]),
    )
  }
})

test('the planes keep their full range of colours across a change of size', { skip }, async () => {
  const { stepwise, shown, end } = setup()
  await stepwise([
    ...unitsOf(pattern('64x48', 1, ['-vf', 'drawbox=c=white:t=fill', ...H264]), 'h264'),
    ...unitsOf(pattern('80x64', 1, ['-vf', 'drawbox=c=black:t=fill', ...H264]), 'h264', 66, 2000),
  ])
  await end()
  assert.ok(shown[0]!.frame.data[100]! > 220)
  assert.ok(shown[1]!.frame.data[100]! < 30)
})

test('a picture of 16384 × 16384 is refused before it reaches the decoder', async () => {
  const { decoder, end } = setup({ codec: 'jpeg' })
  const [unit] = unitsOf(hugeJpeg(), 'jpeg')
  assert.throws(() => decoder.feed(unit!), { code: 'too-large' })
  await end()
})

test('bytes that are no video cost no more than themselves', { skip }, async () => {
  const { decoder, shown, stepwise, end } = setup()
  const units = unitsOf(fixture('clip-320x240-15fps.h264'), 'h264')
  const noise = Uint8Array.from({ length: 4000 }, (_, i) => (i * 7919) & 255)
  decoder.feed(units[0]!)
  decoder.feed({ ...units[1]!, data: noise })
  await stepwise(units.slice(2), 2)
  await end()
  assert.equal(shown[0]!.capturedAtMs, units[0]!.capturedAtMs)
  assert.ok(shown.at(-1)!.capturedAtMs >= units.at(-6)!.capturedAtMs)
})

test('a decoder that dies says so', async () => {
  const { decoder, failed } = setup({ ffmpeg: 'false' })
  decoder.feed(unitsOf(fixture('clip-320x240-15fps.h264'), 'h264')[0]!)
  const cause = await failed
  assert.equal(cause.code, 'malformed')
  assert.match(cause.message, /The decoder stopped/)
  await decoder.gone
})

test('a decoder runs in the session of the hub and behind it', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-decoder-'))
  t.after(() => rmSync(folder, { recursive: true }))
  // It may run as another user, who looks into the folder.
  chmodSync(folder, 0o755)
  const ffmpeg = join(folder, 'ffmpeg')
  writeFileSync(ffmpeg, '#!/bin/sh\ncat /proc/$$/stat >&2\nexit 1\n', { mode: 0o755 })
  const { decoder, failed } = setup({ ffmpeg })
  decoder.feed(unitsOf(fixture('clip-320x240-15fps.h264'), 'h264')[0]!)
  const { message } = await failed
  const session = (stat: string) => Number(stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[3])
  const nice = Number(message.slice(message.lastIndexOf(') ') + 2).split(' ')[16])
  assert.equal(session(message), session(readFileSync('/proc/self/stat', 'utf8')))
  assert.equal(nice, Math.min(19, getPriority() + 5))
  await decoder.gone
})

test('a decoder that lags loses whole groups and goes on at a keyframe', { skip }, async () => {
  const { decoder, shown, dropped, until, end } = setup()
  const units = unitsOf(fixture('clip-320x240-15fps.h264'), 'h264')
  const rounds = Array.from({ length: 6 }, (_, round) =>
    units.map((unit) => ({
      ...unit,
      capturedAtMs: unit.capturedAtMs + round * 3000,
      arrivedAtMs: unit.arrivedAtMs,
    })),
  ).flat()
  for (const unit of rounds) decoder.feed(unit)
  assert.ok(dropped() > 0, 'fed faster than a child starts')
  const fed = rounds.length - dropped()
  await until(fed)
  await end()
  assert.equal(shown.length, fed)
})

test('pictures above the rate that is wanted are left out, counted', { skip }, async () => {
  const { decoder, shown, dropped, until, end } = setup({ maxFps: 5 })
  const units = unitsOf(fixture('clip-320x240-15fps.h264'), 'h264').slice(0, 31)
  for (const unit of units) decoder.feed(unit)
  await until(11)
  await end()
  assert.equal(shown.length, 11)
  assert.equal(dropped(), 20)
})

/** A whole JPEG by its markers, 16384 pixels wide and high. */
function hugeJpeg(): Buffer {
  return Buffer.from('ffd8ffc00011084000400003012200021101031101ffda000c03010002110311003f00ffd9', 'hex')
}
