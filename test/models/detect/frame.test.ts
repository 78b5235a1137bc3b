import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { type Frame, sampleRegion, toFrame, wholeFrame } from '../../../models/detect/frame.ts'
import { PEOPLE_SEARCH, tiles } from '../../../models/detect/people.ts'

const PLAIN = { order: 'rgb', scale: 1, offset: 0, outside: 7 } as const

/** Red grows to the right, green downwards, blue is flat: a pixel says where it was. */
function ramp(width: number, height: number): Frame {
  const data = new Uint8Array(width * height * 3)
  for (let at = 0; at < width * height; at++)
    data.set([(at % width) * 10, Math.floor(at / width) * 10, 90], at * 3)
  return { format: 'rgb24', width, height, data }
}

function sampled(frame: Frame, region: Parameters<typeof sampleRegion>[1], side: number, encoding = PLAIN) {
  const out = new Float32Array(3 * side * side)
  sampleRegion(frame, region, side, encoding, out)
  return (x: number, y: number) =>
    [0, 1, 2].map((plane) => Math.round(out[plane * side * side + y * side + x]! * 100) / 100)
}

test('a region of the same size gives the pixels as they are', () => {
  const at = sampled(ramp(8, 8), wholeFrame({ width: 8, height: 8 }), 8)
  assert.deepEqual(at(3, 5), [30, 50, 90])
  assert.deepEqual(at(0, 0), [0, 0, 90])
  assert.deepEqual(at(7, 7), [70, 70, 90])
})

test('a smaller picture takes values between pixels, and what lies outside is the outside value', () => {
  const at = sampled(ramp(8, 4), wholeFrame({ width: 8, height: 4 }), 4)
  assert.deepEqual(at(1, 0), [7, 7, 7])
  assert.deepEqual(at(1, 1), [25, 5, 90])
  assert.deepEqual(at(3, 2), [65, 25, 90])
  assert.deepEqual(at(1, 3), [7, 7, 7])
})

test('a region turned by a quarter reads columns as rows', () => {
  const at = sampled(ramp(8, 8), { cx: 4, cy: 4, size: 8, rotation: Math.PI / 2 }, 8)
  // The region's first row runs down the right edge of the frame.
  assert.deepEqual(at(0, 0), [70, 0, 90])
  assert.deepEqual(at(7, 0), [70, 70, 90])
  assert.deepEqual(at(0, 7), [0, 0, 90])
})

test('every pixel of any region is the colour of the place it looks at', () => {
  const frame = ramp(24, 24)
  const place = fc.record({
    cx: fc.double({ min: -5, max: 30, noNaN: true }),
    cy: fc.double({ min: -5, max: 30, noNaN: true }),
    size: fc.double({ min: 2, max: 60, noNaN: true }),
    rotation: fc.double({ min: -4, max: 4, noNaN: true }),
  })
  fc.assert(
    fc.property(place, fc.nat(7), fc.nat(7), (region, column, row) => {
      const [red, green] = sampled(frame, region, 8)(column, row)
      const { x, y } = toFrame(region, (column + 0.5) / 8, (row + 0.5) / 8)
      const near = (value: number) => Math.min(23, Math.max(0, value - 0.5)) * 10
      if (x < -1e-6 || y < -1e-6 || x > 24 + 1e-6 || y > 24 + 1e-6) assert.equal(red, 7)
      else if (x > 1e-6 && y > 1e-6 && x < 24 - 1e-6 && y < 24 - 1e-6) {
        assert.ok(Math.abs(red! - near(x)) < 0.05, `${red} at ${x}`)
        assert.ok(Math.abs(green! - near(y)) < 0.05, `${green} at ${y}`)
      }
    }),
    { numRuns: 300 },
  )
})

test('I420 gives the colours of BT.601, and BGR swaps the outer planes', () => {
  // A red picture of odd size: its colour planes are rounded up.
  const data = new Uint8Array([...new Array(9).fill(81), ...new Array(4).fill(90), ...new Array(4).fill(240)])
  const frame: Frame = { format: 'i420', width: 3, height: 3, data }
  const [red, green, blue] = sampled(frame, wholeFrame(frame), 3)(2, 2)
  assert.ok(red! > 250 && green! < 5 && blue! < 5, `${red} ${green} ${blue}`)
  const out = new Float32Array(27)
  sampleRegion(frame, wholeFrame(frame), 3, { ...PLAIN, order: 'bgr' }, out)
  assert.ok(out[0]! < 5 && out[18]! > 250)
})

test('the squares that people are searched in cover the whole frame and stay inside it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 64, max: 4000 }), fc.integer({ min: 64, max: 4000 }), (width, height) => {
      const squares = tiles({ width, height })
      for (const { cx, cy, size } of squares) {
        assert.ok(cx - size / 2 > -1e-6 && cx + size / 2 < width + 1e-6)
        assert.ok(cy - size / 2 > -1e-6 && cy + size / 2 < height + 1e-6)
      }
      const finest = Math.min(width, height) * Math.min(...PEOPLE_SEARCH.tileParts)
      for (const x of [1, width / 3, width / 2, width - 1])
        for (const y of [1, height / 2, height - 1])
          assert.ok(
            squares.some(
              ({ cx, cy, size }) =>
                Math.abs(size - finest) < 1e-6 &&
                Math.abs(x - cx) <= size / 2 &&
                Math.abs(y - cy) <= size / 2,
            ),
          )
    }),
    { numRuns: 100 },
  )
})

test('a picture in planes gives the colours of the same picture in RGB, to the bit that it is rounded to', () => {
  const width = 64
  const height = 48
  const data = new Uint8Array(width * height * 1.5)
  for (let at = 0; at < data.length; at++) data[at] = 16 + ((at * 37 + (at >> 5) * 11) % 220)
  const planar: Frame = { format: 'i420', width, height, data }
  const place = fc.record({
    cx: fc.double({ min: -5, max: 70, noNaN: true }),
    cy: fc.double({ min: -5, max: 55, noNaN: true }),
    size: fc.double({ min: 2, max: 120, noNaN: true }),
    rotation: fc.double({ min: -4, max: 4, noNaN: true }),
  })
  fc.assert(
    fc.property(place, fc.nat(15), fc.nat(15), (region, column, row) => {
      const out = new Float32Array(3 * 256)
      sampleRegion(planar, region, 16, PLAIN, out)
      const { x, y } = toFrame(region, (column + 0.5) / 16, (row + 0.5) / 16)
      if (x < 0.01 || y < 0.01 || x > width - 0.01 || y > height - 0.01) return
      const inX = Math.max(0, Math.min(x - 0.5, width - 1))
      const inY = Math.max(0, Math.min(y - 0.5, height - 1))
      const [left, top] = [Math.floor(inX), Math.floor(inY)]
      const luma = (dx: number, dy: number) =>
        data[Math.min(top + dy, height - 1) * width + Math.min(left + dx, width - 1)]!
      const along = (a: number, b: number, part: number) => a + (b - a) * part
      const upper = along(luma(0, 0), luma(1, 0), inX - left)
      const lower = along(luma(0, 1), luma(1, 1), inX - left)
      const bright = 1.164 * (along(upper, lower, inY - top) - 16)
      const near = (value: number) =>
        Math.abs(((value / 2) % 1) - 0.75) < 0.01 || Math.abs(((value / 2) % 1) - 0.25) < 0.01
      if (near(inX) || near(inY)) return
      const colour = ((inY + 0.5) >> 1) * 32 + ((inX + 0.5) >> 1)
      const u = data[width * height + colour]! - 128
      const v = data[width * height * 1.25 + colour]! - 128
      const expected = [bright + 1.596 * v, bright - 0.392 * u - 0.813 * v, bright + 2.017 * u]
      expected.forEach((value, plane) => {
        const wanted = Math.max(0, Math.min(255, value))
        const got = out[plane * 256 + row * 16 + column]!
        assert.ok(Math.abs(got - wanted) < 3, `${got} instead of ${wanted} at ${inX}, ${inY}`)
      })
    }),
    { numRuns: 300 },
  )
})
