import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../daemon/kernel/clock.ts'
import { createFileSource } from '../../daemon/media/decoder/file.ts'
import { probe } from '../../daemon/media/probe.ts'
import type { Source } from '../../daemon/media/source.ts'
import { fakeClock } from '../fakes/clock.ts'
import { fixture, H264, machineDecoder, unitsOf } from './clips.ts'

const { settings: decoder, skip } = await machineDecoder()

function video(name: string, arguments_: readonly string[]): string {
  const path = join(mkdtempSync(join(tmpdir(), 'homefield-video-')), name)
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc=s=128x96:r=15',
    '-t',
    '1',
    '-pix_fmt',
    'yuv420p',
    ...arguments_,
    path,
  ])
  return path
}

test('a probe tells codec, size and when the first picture came, and closes what it opened', {
  skip,
}, async () => {
  const units = unitsOf(fixture('clip-320x240-15fps.h264'), 'h264').slice(0, 31)
  const clock = fakeClock()
  let closed = 0
  const source: Source = {
    start(sink) {
      sink.described({ codec: 'h264', width: null, height: null, declaredFps: 15, clock: 'arrival' })
      for (const unit of units) sink.unit(unit)
      return () => closed++
    },
  }
  const probing = probe({
    source,
    clock: {
      ...systemClock(),
      after: (ms, fn) => (ms === 2_500 ? systemClock().after(100, fn) : clock.after(ms, fn)),
    },
    decoder,
  })
  const keepsRunning = setInterval(() => {}, 1000)
  const { stream, frame } = await probing
  clearInterval(keepsRunning)
  assert.deepEqual([stream.codec, stream.width, stream.height, stream.declaredFps], ['h264', 320, 240, 15])
  assert.equal(frame.data.length, 320 * 240 * 1.5)
  assert.equal(closed, 1)
})

test('a probe of a silent camera ends after its time with a reason', async () => {
  const clock = fakeClock()
  let closed = 0
  const probing = probe({ source: { start: () => () => closed++ }, clock, decoder })
  clock.advance(8_000)
  await assert.rejects(probing, { code: 'stalled' })
  assert.equal(closed, 1)
})

test('video files of each kind are played; their end is told', { skip }, async () => {
  for (const [name, arguments_] of [
    ['clip.mp4', H264.slice(0, -2)],
    ['clip.mkv', H264.slice(0, -2)],
    ['clip.avi', ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p']],
  ] as const) {
    const source = createFileSource({
      path: video(name, arguments_),
      decoder,
      clock: systemClock(),
      loop: false,
      realTime: false,
    })
    const times: number[] = []
    const cause = await new Promise<{ code: string }>((resolve) => {
      source.start({
        described: () => {},
        unit: () => {},
        picture: (size, { capturedAtMs }) => {
          assert.deepEqual(size, { width: 128, height: 96 })
          times.push(capturedAtMs)
        },
        failed: resolve,
      })
    })
    assert.deepEqual([cause.code, times.length], ['ended', 15], name)
    assert.ok(Math.abs(times.at(-1)! - times[0]! - 933) <= 2, name)
  }
})

test('a text file named .mp4, a damaged one and a missing one are refused with a reason', {
  skip,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'homefield-video-'))
  writeFileSync(join(folder, 'text.mp4'), 'This is a text file and not a video at all.')
  writeFileSync(
    join(folder, 'damaged.mp4'),
    Buffer.concat([Buffer.from('00000018667479706d703432', 'hex'), Buffer.alloc(5000, 7)]),
  )
  for (const [name, code] of [
    ['text.mp4', 'unsupported'],
    ['damaged.mp4', 'malformed'],
    ['missing.mp4', 'not-found'],
  ] as const) {
    const clock = fakeClock()
    const source = createFileSource({ path: join(folder, name), decoder, clock })
    await assert.rejects(probe({ source, clock, decoder }), { code }, name)
  }
})
