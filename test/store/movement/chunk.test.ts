import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { JOINTS, packChunk, type TrackSample, unpackChunk } from '../../../daemon/store/movement/chunk.ts'
import { DamagedChunk } from '../../../daemon/store/movement/columns.ts'

const HALF_PLACE = 1 / 16 + 1e-9
const place = fc.double({ min: -3000, max: 9000, noNaN: true })
const score = fc.double({ min: 0, max: 1, noNaN: true })
const joint = fc.record({ x: place, y: place, score })
const samples = fc
  .array(
    fc.record({
      gapMs: fc.integer({ min: 0, max: 2000 }),
      box: fc.record({ x: place, y: place, w: place, h: place }),
      score,
      joints: fc.option(fc.array(joint, { minLength: JOINTS, maxLength: JOINTS })),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => {
    let atMs = 1_770_000_000_000
    return steps.map(({ gapMs, ...sample }): TrackSample => {
      atMs += gapMs
      return { atMs, ...sample }
    })
  })

function assertClose(got: TrackSample, want: TrackSample): void {
  assert.equal(got.atMs, want.atMs)
  for (const side of ['x', 'y', 'w', 'h'] as const)
    assert.ok(Math.abs(got.box[side] - want.box[side]) <= HALF_PLACE)
  assert.ok(Math.abs(got.score - want.score) <= 0.5 / 63 + 1e-9)
  assert.equal(got.joints === null, want.joints === null)
  want.joints?.forEach((joint, at) => {
    const other = got.joints![at]!
    assert.ok(Math.abs(other.x - joint.x) <= HALF_PLACE && Math.abs(other.y - joint.y) <= HALF_PLACE)
    assert.ok(Math.abs(other.score - joint.score) <= 0.5 / 15 + 1e-9)
  })
}

test('a stretch comes back with its times exact and every place within half of an eighth of a pixel', () => {
  fc.assert(
    fc.property(samples, (wanted) => {
      const { fromMs, toMs, boxes, joints } = packChunk(wanted)
      assert.equal(fromMs, wanted[0]!.atMs)
      assert.equal(toMs, wanted.at(-1)!.atMs)
      const got = unpackChunk(fromMs, boxes, joints)
      assert.equal(got.length, wanted.length)
      got.forEach((sample, at) => {
        assertClose(sample, wanted[at]!)
      })
    }),
    { numRuns: 150 },
  )
})

test('packing what was unpacked changes nothing any more', () => {
  fc.assert(
    fc.property(samples, (wanted) => {
      const once = packChunk(wanted)
      const again = packChunk(unpackChunk(once.fromMs, once.boxes, once.joints))
      assert.deepEqual(again, once)
    }),
    { numRuns: 50 },
  )
})

test('damaged bytes are told apart from a stretch', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        unpackChunk(0, bytes, bytes)
      } catch (cause) {
        assert.ok(cause instanceof DamagedChunk, String(cause))
      }
    }),
    { numRuns: 200 },
  )
})

test('places that no camera has are cut, not wrapped round', () => {
  const odd = { x: Number.NaN, y: 1e9, w: -1e9, h: Number.POSITIVE_INFINITY }
  const { fromMs, boxes, joints } = packChunk([{ atMs: 5, box: odd, score: 7, joints: null }])
  const [sample] = unpackChunk(fromMs, boxes, joints)
  assert.deepEqual(sample, {
    atMs: 5,
    box: { x: 0, y: 65_536, w: -65_536, h: 65_536 },
    score: 1,
    joints: null,
  })
})
