import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import fc from 'fast-check'
import type { Depacketiser, Picture } from '../../../daemon/media/rtsp/assembly.ts'
import { createH264Depacketiser } from '../../../daemon/media/rtsp/depacketise-h264.ts'
import { createH265Depacketiser } from '../../../daemon/media/rtsp/depacketise-h265.ts'
import { HEVC as NALS, nalUnits } from '../../../daemon/media/rtsp/nal.ts'
import { packetiseH264 } from '../../../daemon/media/rtsp/packetise.ts'
import { packetiseH265 } from './packetise-h265.ts'

const SPS = Uint8Array.of(0x67, 0x42, 0xc0, 0x1e, 0xda, 0x05, 0x07, 0xe4)
const PPS = Uint8Array.of(0x68, 0xce, 0x3c, 0x80)

/** A slice: header byte(s), first-slice bit set, then bytes that hold no start code. */
const slice = (head: readonly number[], size: number, seed: number): Uint8Array =>
  Uint8Array.from([
    ...head,
    0x80 | (seed & 0x7f),
    ...Array.from({ length: size }, (_, at) => 1 + ((at * 7 + seed) % 255)),
  ])

interface Codec {
  create(onPicture: (picture: Picture) => void): Depacketiser
  packetise(nals: readonly Uint8Array[], mtu: number): Uint8Array[]
  keyHead: readonly number[]
  head: readonly number[]
  seiHead: readonly number[]
  sets: readonly Uint8Array[]
}

const H264: Codec = {
  create: (onPicture) => createH264Depacketiser({ parameterSets: [], onPicture }),
  packetise: packetiseH264,
  keyHead: [0x65],
  head: [0x41],
  seiHead: [0x06, 0x05],
  sets: [SPS, PPS],
}
const HEVC: Codec = {
  create: (onPicture) => createH265Depacketiser({ parameterSets: [], onPicture }),
  packetise: packetiseH265,
  keyHead: [19 << 1, 1],
  head: [1 << 1, 1],
  seiHead: [39 << 1, 1],
  sets: [
    Uint8Array.of(32 << 1, 1, 0x0c, 0x01, 0xff),
    Uint8Array.of(33 << 1, 1, 0x01, 0x01, 0x60, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0xa0),
    Uint8Array.of(34 << 1, 1, 0xc1, 0x72),
  ],
}

/** Sends pictures through packets; `lose` leaves packets out by their number. */
function transmit(
  codec: Codec,
  pictures: readonly (readonly Uint8Array[])[],
  mtu: number,
  lose = new Set<number>(),
) {
  const got: Picture[] = []
  const depacketiser = codec.create((picture) => got.push(picture))
  let number = 0
  let gap = false
  for (const [index, nals] of pictures.entries()) {
    const payloads = codec.packetise(nals, mtu)
    for (const [at, payload] of payloads.entries()) {
      if (lose.has(number++)) gap = true
      else {
        depacketiser.push({ payload, marker: at === payloads.length - 1, timestamp: index * 3000 }, gap)
        gap = false
      }
    }
  }
  return { got, dropped: depacketiser.stats().dropped, packets: number }
}

const annexB = (nals: readonly Uint8Array[]) =>
  Buffer.concat(nals.flatMap((nal) => [Uint8Array.of(0, 0, 0, 1), nal]))

for (const [name, codec] of [
  ['H.264', H264],
  ['H.265', HEVC],
] as const) {
  const key = (size: number, seed: number) => [...codec.sets, slice(codec.keyHead, size, seed)]
  const inter = (size: number, seed: number) => [slice(codec.head, size, seed)]
  const later = (nal: Uint8Array) => {
    const copy = nal.slice()
    const at = codec.head.length
    copy[at] = (copy[at] ?? 0) & 0x7f
    return copy
  }

  test(`${name}: what is packed for any packet size comes out as it was`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat({ max: 5000 }), { minLength: 1, maxLength: 5 }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.integer({ min: 16, max: 3000 }),
        (sizes, mtu) => {
          const pictures = sizes.map((slices, index) => [
            ...(index === 0 ? codec.sets : []),
            slice(codec.seiHead, 5, index),
            ...slices.map((size, at) => {
              const nal = slice(index === 0 ? codec.keyHead : codec.head, size, index + at)
              return at === 0 ? nal : later(nal)
            }),
          ])
          const { got, dropped } = transmit(codec, pictures, mtu)
          assert.equal(dropped, 0)
          assert.deepEqual(
            got.map(({ data }) => Buffer.from(data).toString('hex')),
            pictures.map((nals) => annexB(nals).toString('hex')),
          )
          assert.deepEqual(
            got.map(({ keyframe }) => keyframe),
            pictures.map((_, index) => index === 0),
          )
        },
      ),
      { numRuns: 150 },
    )
  })

  test(`${name}: after a loss nothing comes before the next keyframe, and nothing damaged ever`, () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat({ max: 120 }), { maxLength: 6 }),
        fc.integer({ min: 40, max: 900 }),
        (lost, mtu) => {
          const pictures = Array.from({ length: 12 }, (_, index) =>
            index % 4 === 0 ? key(700, index) : inter(300 + index, index),
          )
          const { got, dropped, packets } = transmit(codec, pictures, mtu, new Set(lost))
          const whole = new Map(pictures.map((nals, index) => [index * 3000, annexB(nals).toString('hex')]))
          let last = -1
          for (const { data, timestamp, keyframe } of got) {
            assert.equal(Buffer.from(data).toString('hex'), whole.get(timestamp))
            const index = timestamp / 3000
            if (!keyframe) assert.equal(last, index - 1, 'its reference came')
            last = index
          }
          if (!lost.some((number) => number < packets)) assert.equal(got.length, 12)
          assert.ok(got.length + dropped <= 12)
        },
      ),
      { numRuns: 200 },
    )
  })

  test(`${name}: random payloads never get past the depacketiser as an error`, () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.boolean(), fc.nat(3), fc.boolean()),
        ),
        (packets) => {
          const depacketiser = codec.create(({ data }) => assert.ok(data.length > 4))
          for (const [payload, marker, timestamp, gap] of packets)
            depacketiser.push({ payload, marker, timestamp }, gap)
        },
      ),
      { numRuns: 300 },
    )
  })
}

test('every keyframe has its parameter sets in front, from the description or from the last that came', () => {
  const got: Picture[] = []
  const depacketiser = createH264Depacketiser({
    parameterSets: [SPS, PPS],
    onPicture: (each) => got.push(each),
  })
  const newer = Uint8Array.of(0x68, 0xce, 0x06, 0xe2)
  const idr = slice([0x65], 20, 1)
  depacketiser.push({ payload: idr, marker: true, timestamp: 0 }, false)
  depacketiser.push({ payload: newer, marker: false, timestamp: 3000 }, false)
  depacketiser.push({ payload: slice([0x41], 20, 2), marker: true, timestamp: 3000 }, false)
  depacketiser.push({ payload: idr, marker: true, timestamp: 6000 }, false)
  const types = got.map(({ data }) => [...nalUnits(data)].map((nal) => (nal[0] ?? 0) & 0x1f))
  assert.deepEqual(types, [
    [7, 8, 5],
    [7, 8, 1],
    [7, 8, 5],
  ])
  assert.ok(Buffer.from(got[2]?.data ?? []).includes(Buffer.from(newer)))
})

test('a picture above 8 MB is refused', () => {
  const depacketiser = createH264Depacketiser({ parameterSets: [], onPicture: () => assert.fail() })
  const start = Buffer.concat([Uint8Array.of(0x7c, 0x85), Buffer.alloc(60_000, 1)])
  const middle = Buffer.concat([Uint8Array.of(0x7c, 0x05), Buffer.alloc(60_000, 1)])
  depacketiser.push({ payload: start, marker: false, timestamp: 0 }, false)
  assert.throws(
    () => {
      for (let count = 0; count < 150; count++)
        depacketiser.push({ payload: middle, marker: false, timestamp: 0 }, false)
    },
    { code: 'too-large' },
  )
})

test('a real H.265 stream comes out whole, and its size is found', () => {
  const form = [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=none:keyint=5:repeat-headers=1',
  ]
  const source = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=15:duration=1']
  const stream = execFileSync('ffmpeg', [...source, ...form, '-f', 'hevc', '-'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const pictures: Uint8Array[][] = [[]]
  for (const nal of nalUnits(stream)) {
    const begins = NALS.role(nal) !== 'other' && (NALS.role(nal) === 'parameters' || NALS.firstSlice(nal))
    const last = pictures.at(-1) ?? assert.fail()
    const holds = last.some((each) => ['picture', 'keyframe'].includes(NALS.role(each)))
    if (begins && holds) pictures.push([nal])
    else last.push(nal)
  }
  const { got, dropped } = transmit(HEVC, pictures, 500)
  assert.deepEqual({ pictures: got.length, dropped }, { pictures: 15, dropped: 0 })
  assert.deepEqual(framesOf(Buffer.concat(got.map(({ data }) => data))), framesOf(stream))
  const sizes = [...nalUnits(got[0]?.data ?? new Uint8Array())].map((nal) => NALS.size(nal))
  assert.deepEqual(
    sizes.find((size) => size !== null),
    { width: 320, height: 180 },
  )
})

function framesOf(stream: Uint8Array): string[] {
  const decode = ['-v', 'error', '-f', 'hevc', '-i', '-', '-vsync', 'passthrough', '-f', 'framemd5', '-']
  return execFileSync('ffmpeg', decode, { input: stream })
    .toString()
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').at(-1)?.trim() ?? '')
}
