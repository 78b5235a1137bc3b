import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import { createDecoder } from '../../../daemon/media/decoder/decoder.ts'
import { createFrameRing, type MediaFrame } from '../../../daemon/media/frames.ts'
import type { AccessUnit, Codec, SourceFailure } from '../../../daemon/media/source.ts'
import { fixture, H264, HEVC, JPEGS, machineDecoder, pattern, unitsOf } from '../clips.ts'

const { settings, skip } = await machineDecoder()

interface Shown {
  width: number
  height: number
  capturedAtMs: number
  frame: MediaFrame
}

/** A decoder whose pictures are kept as copies. */
function setup({ codec = 'h264' as Codec, maxFps = null as number | null, ring = createFrameRing() } = {}) {
  const heard = new EventEmitter()
  const shown: Shown[] = []
  let dropped = 0
  const decoder = createDecoder({
    settings: { ...settings, maxFps },
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
