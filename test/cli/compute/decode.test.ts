import assert from 'node:assert/strict'
import test from 'node:test'
import { computeDecode } from '../../../daemon/cli/compute/decode.ts'
import { gattFixture } from '../../firmware-bridge/fixtures.ts'

test('compute decode answers every case in order with samples or an error', () => {
  const { given, expected } = gattFixture()
  const { cases } = computeDecode(given) as {
    cases: { id: string; samples?: object[]; error?: string; reason?: string }[]
  }
  assert.deepEqual(
    cases.map(({ id, samples, error, reason }) => ({ id, samples: samples?.length, error, reason })),
    expected.cases.map(({ id, samples, error, reason }) => ({ id, samples: samples?.length, error, reason })),
  )
})

test('a file that decode does not know is refused with what it should hold', () => {
  assert.throws(() => computeDecode({ messages: [] }), /decode reads \{"cases"/)
  assert.throws(() => computeDecode({ cases: [{ id: 'x', char: '2a37', hex: '0' }] }), /cases\[0\] needs/)
  assert.throws(() => computeDecode(null), /no list of cases/)
})
