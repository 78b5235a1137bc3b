import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { crc16 } from '../../firmware-bridge/gatt/crc.ts'
import { decodeGatt } from '../../firmware-bridge/gatt/decode.ts'
import { readGattPayload } from '../../firmware-bridge/gatt/payload.ts'
import { gattFixture } from './fixtures.ts'

const { given, expected } = gattFixture()
const decode = (characteristic: string, hex: string) => decodeGatt(characteristic, Buffer.from(hex, 'hex'))

/** Equal word for word, numbers within the tolerance of the expected file. */
function assertClose(actual: unknown, wanted: unknown, tolerance: number, where: string): void {
  if (typeof wanted === 'number' && typeof actual === 'number') {
    assert.ok(Math.abs(actual - wanted) <= tolerance, `${where}: ${actual} is not ${wanted}`)
  } else if (typeof wanted === 'object' && wanted !== null && typeof actual === 'object' && actual !== null) {
    assert.deepEqual(Object.keys(actual), Object.keys(wanted), where)
    for (const [key, value] of Object.entries(wanted)) {
      assertClose((actual as Record<string, unknown>)[key], value, tolerance, `${where}.${key}`)
    }
  } else assert.deepEqual(actual, wanted, where)
}

assert.equal(given.cases.length, expected.cases.length)
given.cases.forEach(({ id, char, hex }, index) => {
  test(`the characteristic bytes ${id} decode to their expected samples`, () => {
    const wanted = expected.cases[index]!
    assert.equal(wanted.id, id)
    const decoded = decode(char, hex)
    if (wanted.error) {
      assert.ok('error' in decoded)
      assert.equal(decoded.error, wanted.error)
      return
    }
    assert.ok('samples' in decoded)
    assert.equal(decoded.reason, wanted.reason)
    assertClose(decoded.samples, wanted.samples, expected.tolerance, id)
  })
})

test('a characteristic is the same by its 16-bit number, with 0x, and by its 128-bit form', () => {
  for (const name of ['2A37', '0x2a37', '00002a37-0000-1000-8000-00805f9b34fb']) {
    assert.deepEqual(decode(name, '0048'), { samples: [{ metric: 'heart_rate', value: 72, unit: 'bpm' }] })
  }
})

test('a characteristic nobody reads is said by name', () => {
  assert.deepEqual(decode('2aff', '00'), { error: 'unsupported', detail: 'no decoder for 2aff' })
  assert.deepEqual(decode('__proto__', '00'), { error: 'unsupported', detail: 'no decoder for __proto__' })
})

test('the checksum is CRC-16/MCRF4XX', () => {
  assert.equal(crc16(Buffer.from('123456789')), 0x6f91)
})

test('every special float value drops its field, not the packet', () => {
  for (const special of ['ff07', '0008', 'fe07', '0208', '0108']) {
    assert.deepEqual(decode('2a5e', `00${special}4800`), {
      samples: [{ metric: 'pulse_rate', value: 72, unit: 'bpm' }],
    })
  }
  for (const special of ['ffff7f00', '00008000', 'feff7f00', '02008000', '01008000']) {
    assert.deepEqual(decode('2a1c', `00${special}`), { samples: [], reason: 'no_measurement' })
  }
})

test('a date that no calendar has is a range error, an unknown one is left out', () => {
  assert.deepEqual(decode('2a1c', '02b00e00fedc070d050b321b'), {
    error: 'range',
    detail: '2012-13-05T11:50:27 is no date and time',
  })
  assert.deepEqual(decode('2a1c', '02b00e00fe00000000000000'), {
    samples: [{ metric: 'body_temp', value: 37.6, unit: 'degC' }],
  })
})

test('a value longer than Bluetooth allows is refused before it is read', () => {
  assert.deepEqual(decodeGatt('2a37', new Uint8Array(513)), {
    error: 'too_large',
    detail: '513 bytes, 512 at most',
  })
})

test('no bytes make a decoder throw, and what it gives is finite', () => {
  const names = fc.constantFrom(...new Set(given.cases.map((entry) => entry.char)))
  fc.assert(
    fc.property(names, fc.uint8Array({ maxLength: 24 }), (name, bytes) => {
      const decoded = decodeGatt(name, bytes)
      if ('error' in decoded) return
      for (const { value } of decoded.samples) {
        for (const one of [value].flat()) assert.ok(typeof one !== 'number' || Number.isFinite(one))
      }
    }),
    { numRuns: 400, seed: 20260314 },
  )
})

test('cutting a valid packet short never passes for a whole one that says more', () => {
  for (const { char, hex } of given.cases) {
    const whole = decode(char, hex)
    if ('error' in whole) continue
    for (let length = 0; length < hex.length / 2; length++) {
      const cut = decode(char, hex.slice(0, length * 2))
      assert.ok('error' in cut || cut.samples.length <= whole.samples.length, `${char} cut to ${length}`)
    }
  }
})

test('a gateway may publish the bytes, their hex text, or hex with the time of receipt', () => {
  const bytes = Buffer.from('164841033303', 'hex')
  assert.deepEqual(readGattPayload(bytes), { bytes })
  assert.deepEqual(readGattPayload(Buffer.from('164841033303\n')), { bytes })
  assert.deepEqual(readGattPayload(Buffer.from('{"hex":"164841033303","ts":1773475200000}')), {
    bytes,
    ts: 1773475200000,
  })
})

test('a single battery byte is not taken for hex text', () => {
  assert.deepEqual(readGattPayload(Buffer.from([0x39])), { bytes: Buffer.from([0x39]) })
})

test('a wrapped packet with a field we do not know is refused by its name', () => {
  assert.deepEqual(readGattPayload(Buffer.from('{"hex":"0048","rssi":-60}')), {
    error: 'malformed',
    detail: 'unknown field "rssi"',
  })
  assert.deepEqual(readGattPayload(Buffer.from('{"hex":"xyz"}')), {
    error: 'malformed',
    detail: 'hex holds the bytes, two digits each',
  })
})

test('every object of BTHome has its width, so that what stands behind it is read', () => {
  const widths: readonly (readonly [string, number])[] = [
    ['00', 1],
    ['04', 3],
    ['07', 2],
    ['0f', 1],
    ['2d', 1],
    ['3a', 1],
    ['3c', 2],
    ['42', 3],
    ['46', 1],
    ['50', 4],
    ['5c', 4],
    ['60', 1],
    ['62', 4],
    ['64', 1],
    ['f0', 2],
    ['f1', 4],
    ['f2', 3],
  ]
  for (const [id, width] of widths) {
    const decoded = decode('svc:fcd2', `40${id}${'01'.repeat(width)}0161`)
    assert.ok('samples' in decoded, id)
    assert.deepEqual(decoded.samples.at(-1), { metric: 'battery', value: 97, unit: '%' }, id)
  }
  assert.deepEqual(decode('svc:fcd2', '4053034869210161'), {
    samples: [{ metric: 'battery', value: 97, unit: '%' }],
  })
  assert.deepEqual(decode('svc:fcd2', '4007e80358f6'), {
    samples: [
      { metric: 'weight', value: 4.535924, unit: 'kg' },
      { metric: 'ambient_temp', value: -3.5, unit: 'degC' },
    ],
  })
  assert.deepEqual(decode('svc:fcd2', '4001613b00'), {
    samples: [{ metric: 'battery', value: 97, unit: '%' }],
    reason: 'object_3b_unknown',
  })
})
