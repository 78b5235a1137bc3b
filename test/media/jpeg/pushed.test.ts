import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPushedSource } from '../../../daemon/media/jpeg/pushed.ts'
import type { AccessUnit } from '../../../daemon/media/source.ts'
import { fakeClock } from '../../fakes/clock.ts'

const JPEG = Buffer.from(
  'ffd8ffc00011080010001003012200021101031101ffda000c03010002110311003f0055ffd9',
  'hex',
)

function setup() {
  const clock = fakeClock()
  const source = createPushedSource({ clock })
  const units: AccessUnit[] = []
  const close = source.start({
    described: () => {},
    unit: (unit) => units.push(unit),
    picture: () => {},
    failed: () => {},
  })
  return { clock, source, units, close }
}

test('a pushed picture goes on with the time it came, or the time that is given', () => {
  const { clock, source, units } = setup()
  source.push(JPEG)
  source.push(JPEG, { capturedAtMs: clock.now() - 40 })
  assert.deepEqual(
    units.map(({ capturedAtMs }) => clock.now() - capturedAtMs),
    [0, 40],
  )
})

test('pictures that a poor network brings in a heap keep the distances at which they were taken', () => {
  const { clock, source, units } = setup()
  const waits = [10, 100, 590, 0, 1, 1]
  for (const [at, waitMs] of waits.entries()) {
    clock.advance(waitMs)
    source.push(JPEG, { deviceMs: 5000 + at * 100 })
  }
  const [first = 0, ...others] = units.map(({ capturedAtMs }) => capturedAtMs)
  assert.deepEqual(
    others.map((atMs) => atMs - first),
    [100, 200, 300, 400, 500],
  )
})

test('what is no whole JPEG of a usable size is refused with a reason', () => {
  const { source, units } = setup()
  const huge = Buffer.from(JPEG)
  huge.writeUInt16BE(16384, 7)
  assert.throws(() => source.push(Buffer.from('hello')), { code: 'VALIDATION_ERROR' })
  assert.throws(() => source.push(JPEG.subarray(0, -2)), { code: 'VALIDATION_ERROR', message: /cut short/ })
  assert.throws(() => source.push(huge), { code: 'TOO_LARGE' })
  assert.throws(() => source.push(Buffer.alloc(5 * 1024 ** 2)), { code: 'TOO_LARGE' })
  for (let end = 0; end < JPEG.length - 1; end++) {
    assert.throws(() => source.push(JPEG.subarray(0, end)), { code: 'VALIDATION_ERROR' })
  }
  assert.equal(units.length, 0)
})
