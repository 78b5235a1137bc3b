import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { createCameraClock } from '../../../daemon/media/rtsp/camera-clock.ts'
import { H264, HEVC } from '../../../daemon/media/rtsp/nal.ts'
import {
  createSequence,
  parseRtcp,
  parseRtp,
  rtpPacket,
  senderReport,
} from '../../../daemon/media/rtsp/rtp.ts'
import { controlUrl, parseSdp } from '../../../daemon/media/rtsp/sdp.ts'
import { SourceFailure } from '../../../daemon/media/source.ts'
import { clip } from './camera.ts'

const NOON = Date.UTC(2026, 2, 14, 12)

test('a session description gives the video track that a camera sends beside its sound', () => {
  const { tracks, control } = parseSdp(
    [
      'v=0',
      's=Session',
      'a=control:rtsp://192.168.1.9/live/',
      'm=audio 0 RTP/AVP 8',
      'a=control:track1',
      'm=video 0 RTP/AVP 96',
      'a=rtpmap:96 H264/90000',
      'a=fmtp:96 packetization-mode=1; profile-level-id=64001F;sprop-parameter-sets=Z2QAH6w=,aO48gA==',
      'a=control:track2',
      'a=framerate:12.5',
      'a=x-dimensions:1280,720',
    ].join('\r\n'),
  )
  assert.equal(control, 'rtsp://192.168.1.9/live/')
  const { parameters, ...video } = tracks[1] ?? assert.fail()
  assert.deepEqual(video, {
    media: 'video',
    payloadType: 96,
    encoding: 'H264',
    clockRate: 90_000,
    control: 'track2',
    fps: 12.5,
    size: { width: 1280, height: 720 },
  })
  assert.equal(parameters.get('sprop-parameter-sets'), 'Z2QAH6w=,aO48gA==')
})

test('text that is no session description is refused, in whatever way it is none', () => {
  for (const text of ['', '<html>', `v=0\n${'m=video 0 RTP/AVP 96\n'.repeat(17)}`, 'v=0\n'.repeat(3000)])
    assert.throws(() => parseSdp(text), { code: 'malformed' })
  fc.assert(
    fc.property(fc.array(fc.string()), (lines) => {
      try {
        parseSdp(['v=0', ...lines.map((line) => `a=${line}`)].join('\n'))
      } catch (cause) {
        assert.ok(cause instanceof SourceFailure)
      }
    }),
    { numRuns: 200 },
  )
})

test('tracks are addressed as cameras mean it', () => {
  const base = 'rtsp://192.168.1.9:554/cam?channel=1&subtype=0'
  assert.equal(controlUrl(base, 'trackID=0'), `${base}/trackID=0`)
  assert.equal(controlUrl(`${base}/`, 'trackID=0'), `${base}/trackID=0`)
  assert.equal(controlUrl(base, 'rtsp://10.0.0.1/x'), 'rtsp://10.0.0.1/x')
  assert.equal(controlUrl(base, '*'), base)
  assert.throws(() => controlUrl(base, 'x\r\nEvil: 1'), { code: 'malformed' })
})

test('RTP packets survive header extensions, sources and padding; others are none', () => {
  const plain = rtpPacket({
    payloadType: 96,
    marker: true,
    sequence: 65_535,
    timestamp: 0xfffffff0,
    ssrc: 7,
    payload: Uint8Array.of(1, 2, 3),
  })
  const read = parseRtp(plain) ?? assert.fail()
  assert.deepEqual(
    { ...read, payload: [...read.payload] },
    { payloadType: 96, marker: true, sequence: 65_535, timestamp: 0xfffffff0, ssrc: 7, payload: [1, 2, 3] },
  )
  const rich = Buffer.concat([
    Uint8Array.of(0xb1),
    plain.subarray(1, 12),
    Uint8Array.of(0, 0, 0, 9, 0xbe, 0xde, 0, 1, 5, 5, 5, 5),
    Uint8Array.of(1, 2, 3, 0, 0, 3),
  ])
  assert.deepEqual([...(parseRtp(rich)?.payload ?? [])], [1, 2, 3])
  assert.equal(parseRtp(rich.subarray(0, 20)), null)
  assert.equal(parseRtp(plain.subarray(0, 11)), null)
  assert.equal(parseRtp(Uint8Array.from([0x40, ...plain.subarray(1)])), null)
})

test('the order of packets is followed through the wrap, losses are counted, and a camera that restarts is let in', () => {
  const order = createSequence()
  const kinds = [65_534, 65_535, 0, 3, 2, 4].map((sequence) => order({ sequence, ssrc: 1 }))
  assert.deepEqual(kinds, [
    { kind: 'next' },
    { kind: 'next' },
    { kind: 'next' },
    { kind: 'gap', missing: 2 },
    { kind: 'late' },
    { kind: 'next' },
  ])
  assert.equal(order({ sequence: 50_000, ssrc: 1 }).kind, 'late')
  assert.equal(order({ sequence: 50_001, ssrc: 1 }).kind, 'gap', 'two in a row from elsewhere')
  assert.equal(order({ sequence: 9, ssrc: 2 }).kind, 'gap', 'another sender')
})

test('sender reports are read to the millisecond, farewells too, and rubbish is passed over', () => {
  const given = { ssrc: 5, ntpMs: NOON + 123.5, timestamp: 77 }
  const { report, bye } = parseRtcp(senderReport(given, { packets: 1, bytes: 2 }, true))
  assert.equal(bye, true)
  assert.ok(Math.abs((report?.ntpMs ?? 0) - given.ntpMs) < 0.001)
  assert.deepEqual(parseRtcp(Uint8Array.of(0x80, 200, 0xff, 0xff, 1)), { report: null, bye: false })
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseRtcp(bytes)))
})

test('a camera that is set by the same time says when a picture was taken', () => {
  const clock = createCameraClock(90_000)
  clock.report({ ntpMs: NOON - 100, timestamp: 90_000 }, NOON)
  assert.equal(clock.capturedAtMs(90_000 + 9000, NOON + 80), NOON)
  assert.equal(clock.quality(), 'synchronised')
})

test('a camera with a clock of its own gives differences, anchored to the picture that came fastest', () => {
  for (const ntpMs of [NOON - 3_600_000, NOON + 5000, Date.UTC(1970)]) {
    const clock = createCameraClock(90_000)
    clock.report({ ntpMs, timestamp: 0 }, NOON)
    const captured = [0, 40, 15, 90].map((delay, index) =>
      clock.capturedAtMs((index * 9000) >>> 0, NOON + index * 100 + delay),
    )
    assert.equal(clock.quality(), 'relative')
    assert.deepEqual(captured, [NOON, NOON + 100, NOON + 200, NOON + 300])
  }
})

test('RTP time wraps without a jump, and drift of the camera is followed', () => {
  const clock = createCameraClock(90_000)
  let worst = 0
  for (let second = 0; second < 3600; second++) {
    const timestamp = (0xffff0000 + second * 90_000 * 0.9999) >>> 0
    const atMs = NOON + second * 1000
    worst = Math.max(worst, atMs - clock.capturedAtMs(timestamp, atMs))
  }
  assert.ok(worst < 20, `a clock that is 100 ppm slow is at most two windows behind: ${worst} ms`)
})

test('RTP time that stands still or leaps about is given up', () => {
  const clock = createCameraClock(90_000)
  for (let second = 0; second < 120; second++) clock.capturedAtMs(5, NOON + second * 1000)
  assert.equal(clock.quality(), 'arrival')
  assert.equal(clock.capturedAtMs(5, NOON + 121_000), NOON + 121_000)
})

test('the size of the picture is read from parameter sets, and rubbish gives none', () => {
  const [sps] = clip().parameterSets
  assert.deepEqual(H264.size(sps ?? new Uint8Array()), { width: 320, height: 240 })
  const cropped = Buffer.from('67640028acd940780227e5c044000003000400000300f03c60c658', 'hex')
  assert.deepEqual(H264.size(cropped), { width: 1920, height: 1080 })
  const hevc = Buffer.from(
    '420101016000000300900000030000030078a003c08010e596566924caf01680800001f480003a9804',
    'hex',
  )
  assert.deepEqual(HEVC.size(hevc), { width: 1920, height: 1080 })
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (bytes) => {
      const size =
        H264.size(Uint8Array.from([0x67, ...bytes])) ?? HEVC.size(Uint8Array.from([0x42, 1, ...bytes]))
      assert.ok(size === null || (size.width > 0 && size.width <= 16_384 && size.height <= 16_384))
    }),
    { numRuns: 300 },
  )
})
