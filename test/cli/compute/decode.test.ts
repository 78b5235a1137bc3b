import assert from 'node:assert/strict'
import test from 'node:test'
import { computeDecode } from '../../../daemon/cli/compute/decode.ts'
import { assertHolds } from '../../firmware-bridge/close.ts'
import { fixture, gattFixture } from '../../firmware-bridge/fixtures.ts'

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
  assert.throws(() => computeDecode({ packets: [] }), /decode reads \{"cases"/)
  assert.throws(() => computeDecode({ messages: [] }), /received_at/)
  assert.throws(
    () => computeDecode({ received_at: 1_773_475_200_000, messages: [{}] }),
    /messages\[0\] needs/,
  )
  assert.throws(() => computeDecode({ cases: [{ id: 'x', char: '2a37', hex: '0' }] }), /cases\[0\] needs/)
  assert.throws(() => computeDecode(null), /no list of cases/)
})

const captured = fixture('mqtt/messages.json')
const expectedMessages = fixture('mqtt/messages.json.expected.json') as {
  tolerance: number
  messages: { id: string }[]
}
const decodedMessages = (computeDecode(captured) as { messages: object[] }).messages

assert.equal(decodedMessages.length, expectedMessages.messages.length)
expectedMessages.messages.forEach((wanted, index) => {
  test(`the captured message ${wanted.id} decodes as expected after those before it`, () => {
    const { detail: _, ...got } = decodedMessages[index] as Record<string, unknown>
    assert.deepEqual(Object.keys(got).sort(), Object.keys(wanted).sort())
    assertHolds(got, wanted, expectedMessages.tolerance, wanted.id)
  })
})
