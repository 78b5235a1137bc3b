import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSize, pictureSize } from '../../../daemon/media/decoder/picture-size.ts'
import type { Codec } from '../../../daemon/media/source.ts'
import { H264, HEVC, JPEGS, machineDecoder, pattern, unitsOf } from '../clips.ts'

const { skip } = await machineDecoder()

test('the size that a stream declares is read, cropping included', { skip }, () => {
  const cases: [Codec, string, readonly string[]][] = [
    ['h264', '322x242', H264],
    ['h264', '1920x1080', ['-profile:v', 'high', ...H264]],
    ['h264', '320x240', ['-flags', '+ildct+ilme', ...H264]],
    ['h264', '134x70', ['-profile:v', 'high422', '-vf', 'format=yuv422p', '-pix_fmt', 'yuv422p', ...H264]],
    ['hevc', '322x242', HEVC],
    ['jpeg', '321x241', JPEGS],
  ]
  for (const [codec, size, arguments_] of cases) {
    const [unit] = unitsOf(pattern(size, 1, arguments_), codec)
    const [width, height] = size.split('x').map(Number)
    assert.deepEqual(pictureSize(codec, unit!.data), { width, height }, `${codec} ${size}`)
  }
})

test('a picture without parameter sets declares nothing', () => {
  assert.equal(pictureSize('h264', Uint8Array.of(0, 0, 1, 0x41, 0x9a)), null)
})

test('a damaged parameter set is refused, whatever its bytes', () => {
  for (let seed = 1; seed < 300; seed++) {
    const body = Array.from({ length: seed % 40 }, (_, i) => (seed * 31 + i * seed * 17) & 255)
    for (const [codec, head] of [
      ['h264', [0x67]],
      ['hevc', [0x42, 1]],
    ] as const) {
      try {
        const size = pictureSize(codec, Uint8Array.of(0, 0, 1, ...head, ...body))
        if (size) assert.ok(Number.isInteger(size.width) && Number.isInteger(size.height))
      } catch (cause) {
        assert.equal((cause as { code?: string }).code, 'malformed')
      }
    }
  }
})

test('pictures beyond 4096 pixels a side are refused, and those too small to show', () => {
  assert.doesNotThrow(() => checkSize({ width: 4096, height: 4096 }))
  assert.throws(() => checkSize({ width: 4097, height: 16 }), { code: 'too-large' })
  assert.throws(() => checkSize({ width: 16384, height: 16384 }), { code: 'too-large' })
  assert.throws(() => checkSize({ width: 0, height: -3 }), { code: 'malformed' })
})
