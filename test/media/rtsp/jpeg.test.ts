import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import fc from 'fast-check'
import type { Picture } from '../../../daemon/media/rtsp/assembly.ts'
import { createJpegDepacketiser } from '../../../daemon/media/rtsp/depacketise-jpeg.ts'
import { quantTables } from '../../../daemon/media/rtsp/jpeg-tables.ts'
import { packetiseJpeg } from '../../../daemon/media/rtsp/packetise.ts'
import { jpegVideo } from '../../../daemon/media/rtsp/video.ts'
import { CLIP, camera, rtsp, watch } from './camera.ts'

/** The clip's pictures as JPEGs of ffmpeg, with the standard Huffman tables. */
function jpegs(...options: string[]): Uint8Array {
  const form = ['-pix_fmt', 'yuvj420p', '-c:v', 'mjpeg', '-huffman', 'default', '-q:v', '4', ...options]
  return execFileSync('ffmpeg', ['-v', 'error', '-i', CLIP, '-frames:v', '12', ...form, '-f', 'mjpeg', '-'])
}

function checksums(input: readonly string[], stdin?: Uint8Array): string[] {
  const args = ['-v', 'error', ...input, '-an', '-vsync', 'passthrough', '-f', 'framemd5', '-']
  return execFileSync('ffmpeg', args, stdin === undefined ? {} : { input: stdin })
    .toString()
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').at(-1)?.trim() ?? '')
}

const decoded = (stream: Uint8Array) => checksums(['-f', 'mjpeg', '-i', '-'], stream)

test('JPEGs over RTP decode to exactly what the camera made', async (t) => {
  const made = jpegs()
  const video = jpegVideo(made, 60)
  assert.equal(video.pictures.length, 12)
  const { url } = await camera(t, { video })
  const { units, facts } = await watch(rtsp(url))
  const { codec, width, height } = facts.at(-1) ?? assert.fail()
  assert.deepEqual({ codec, width, height }, { codec: 'jpeg', width: 320, height: 240 })
  assert.ok(units.every(({ keyframe }) => keyframe))
  assert.deepEqual(decoded(Buffer.concat(units.map(({ data }) => data))), decoded(made))
})

test('a JPEG comes out for any packet size, with and without restart markers, and a lost packet costs that picture only', () => {
  const [jpeg] = jpegVideo(jpegs(), 15).pictures.map(({ parts }) => parts[0])
  assert.ok(jpeg)
  const restarting = withRestartInterval(jpeg, 2)
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 3000 }), fc.boolean(), fc.nat(), (mtu, restarts, lost) => {
      const got: Picture[] = []
      const depacketiser = createJpegDepacketiser({ size: null, onPicture: (each) => got.push(each) })
      const payloads = packetiseJpeg(restarts ? restarting : jpeg, mtu) ?? assert.fail()
      let gap = false
      const send = (timestamp: number, without = -1) => {
        for (const [at, payload] of payloads.entries()) {
          if (at === without) gap = true
          else {
            depacketiser.push({ payload, marker: at === payloads.length - 1, timestamp }, gap)
            gap = false
          }
        }
      }
      send(0)
      send(1, lost % payloads.length)
      send(2)
      assert.deepEqual(
        got.map(({ timestamp }) => timestamp),
        [0, 2],
      )
      assert.deepEqual(got[0]?.data, got[1]?.data)
      const data = Buffer.from(got[0]?.data ?? [])
      assert.ok(data.includes(Buffer.from(jpeg.subarray(-1500))), 'the scan is what was sent')
      assert.equal(data.includes(Buffer.of(0xff, 0xdd, 0, 4, 0, 2)), restarts)
    }),
    { numRuns: 100 },
  )
})

/** The restart interval is declared only: what is looked at here is whether the header carries it. */
function withRestartInterval(jpeg: Uint8Array, interval: number): Uint8Array {
  const segment = Uint8Array.of(0xff, 0xdd, 0, 4, interval >> 8, interval & 0xff)
  return Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)])
}

test('tables of RFC 2435 for a quality are those of the standard at 50, and coarser below', () => {
  assert.deepEqual([...quantTables(50).subarray(0, 6)], [16, 11, 12, 14, 12, 10])
  assert.equal(quantTables(50)[64], 17)
  assert.equal(quantTables(25)[0], 32)
  assert.ok(quantTables(99).every((value) => value >= 1 && value <= 3))
})

test('random payloads are never an error of the JPEG depacketiser', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.boolean(), fc.nat(3), fc.boolean())),
      (packets) => {
        const depacketiser = createJpegDepacketiser({ size: { width: 8, height: 8 }, onPicture: () => {} })
        for (const [payload, marker, timestamp, gap] of packets)
          depacketiser.push({ payload, marker, timestamp }, gap)
      },
    ),
    { numRuns: 300 },
  )
})
