import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { createSegment } from '../../../daemon/media/record/segment.ts'
import type { AccessUnit, Codec } from '../../../daemon/media/source.ts'
import { H264, H264_REORDERED, HEVC, JPEGS, machineDecoder, pattern, unitsOf } from '../clips.ts'

const { settings, skip } = await machineDecoder()

/** What the pictures of a stream or a file look like, one after the other. */
function pictures(bytes: Uint8Array, format: readonly string[]): string[] {
  const out = execFileSync(
    'ffmpeg',
    ['-v', 'error', ...format, '-i', 'pipe:0', '-vsync', 'passthrough', '-f', 'framemd5', 'pipe:1'],
    { input: bytes, maxBuffer: 16 * 1024 ** 2 },
  ).toString()
  return out
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').at(-1)!.trim())
}

/** Presentation times in ms, ascending. */
function shownAtMs(file: Uint8Array): number[] {
  const { stdout } = spawnSync(
    'ffprobe',
    ['-v', 'error', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', '-i', 'pipe:0'],
    { input: file, maxBuffer: 16 * 1024 ** 2 },
  )
  const times = stdout.toString().match(/[\d.]+/g) ?? []
  return times.map((time) => Math.round(Number(time) * 1000)).sort((one, other) => one - other)
}

async function recorded(units: readonly AccessUnit[]) {
  const segment = createSegment(settings, units[0]!)!
  for (const unit of units) assert.equal(segment.feed(unit), true)
  segment.end()
  return { ...segment, file: await buffer(segment.output) }
}

const CODECS: { codec: Codec; form: readonly string[]; mediaType: string; name: string }[] = [
  { name: 'H.264', codec: 'h264', form: H264, mediaType: 'video/mp4' },
  { name: 'HEVC', codec: 'hevc', form: HEVC, mediaType: 'video/mp4' },
  { name: 'JPEG', codec: 'jpeg', form: JPEGS, mediaType: 'video/x-matroska' },
]

for (const { name, codec, form, mediaType } of CODECS)
  test(`pictures of ${name} are in the file as they came, each at its own time`, { skip }, async () => {
    const stream = pattern('160x128', 30, form)
    const units = unitsOf(stream, codec, 70)
    const held = units.map((unit, at) =>
      at < 20 ? unit : { ...unit, capturedAtMs: unit.capturedAtMs + 2000 },
    )
    const made = await recorded(held)
    assert.equal(made.mediaType, mediaType)
    assert.deepEqual(pictures(made.file, []), pictures(stream, ['-f', codec === 'jpeg' ? 'mjpeg' : codec]))
    const expected = held.map(({ capturedAtMs }) => capturedAtMs - held[0]!.capturedAtMs)
    for (const [at, ms] of shownAtMs(made.file).entries())
      assert.ok(Math.abs(ms - expected[at]!) <= 1, `picture ${at}: ${ms} ms instead of ${expected[at]}`)
  })

test('pictures that are shown in another order than they come lose none', { skip }, async () => {
  const stream = pattern('160x128', 45, H264_REORDERED)
  const units = unitsOf(stream, 'h264')
  const { file } = await recorded(units)
  assert.equal(pictures(file, []).length, 45)
})

test('a file begins with a keyframe, and another size does not go on in it', { skip }, () => {
  const small = unitsOf(pattern('160x128', 2, H264), 'h264')
  const large = unitsOf(pattern('320x240', 1, H264), 'h264')
  const jpegs = unitsOf(pattern('160x128', 1, JPEGS), 'jpeg')
  assert.equal(createSegment(settings, small[1]!), null)
  const segment = createSegment(settings, small[0]!)!
  assert.deepEqual(
    [small[1]!, large[0]!, jpegs[0]!].map((unit) => segment.fits(unit)),
    [true, false, false],
  )
  segment.abandon()
})

test('a file whose writer is killed fails instead of ending early', { skip }, async () => {
  const units = unitsOf(pattern('160x128', 30, H264), 'h264')
  const segment = createSegment(settings, units[0]!)!
  for (const unit of units) segment.feed(unit)
  segment.abandon()
  await assert.rejects(buffer(segment.output), /could not finish/)
})

test('what the writer does not take in time is left out up to the next keyframe', { skip }, async () => {
  const units = unitsOf(pattern('160x128', 30, H264), 'h264')
  const padded = units.map((unit) => ({ ...unit, data: Buffer.concat([unit.data, Buffer.alloc(1024 ** 2)]) }))
  const segment = createSegment(settings, units[0]!)!
  // Nobody lets the child run between these, so that all of it waits.
  const taken = padded.map((unit) => segment.feed(unit))
  const left = taken.indexOf(false)
  assert.ok(left > 5 && left < 12, `left out from picture ${left}`)
  assert.ok(taken.slice(left).every((each) => !each))
  segment.abandon()
  await buffer(segment.output).catch(() => {})
})
