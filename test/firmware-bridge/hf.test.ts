import assert from 'node:assert/strict'
import test from 'node:test'
import { encode } from 'cborg'
import fc from 'fast-check'
import { decodeObservations } from '../../firmware-bridge/hf/observations.ts'
import { readPayload } from '../../firmware-bridge/hf/payload.ts'

const json = (value: unknown) => Buffer.from(JSON.stringify(value))
const TS = 1773475200000

function itemsOf(value: unknown) {
  const decoded = decodeObservations(json(value))
  assert.ok('items' in decoded)
  return decoded.items
}

test('one sample is one item', () => {
  assert.deepEqual(itemsOf({ ts: TS, metric: 'heart_rate', value: 72 }), [
    { index: 0, path: '', sample: { ts: TS, metric: 'heart_rate', value: 72 } },
  ])
})

test('a list keeps its order and says where each item stood', () => {
  const items = itemsOf([
    { ts: TS, metric: 'spo2', value: 97 },
    { t: 1, metric: 'glucose', value: 5.4, unit: 'mmol/L' },
    7,
  ])
  assert.deepEqual(items, [
    { index: 0, path: '[0]', sample: { ts: TS, metric: 'spo2', value: 97 } },
    { index: 1, path: '[1]', sample: { ts: 1, metric: 'glucose', value: 5.4, unit: 'mmol/L' } },
    { index: 2, path: '[2]', refused: 'a sample is an object' },
  ])
})

test('the wide form is one item per metric, sharing time, person and quality', () => {
  assert.deepEqual(itemsOf({ ts: TS, person: 'mia', quality: 0.9, hr: 72, spo2: 98 }), [
    { index: 0, path: 'hr', sample: { ts: TS, person: 'mia', quality: 0.9, metric: 'hr', value: 72 } },
    { index: 0, path: 'spo2', sample: { ts: TS, person: 'mia', quality: 0.9, metric: 'spo2', value: 98 } },
  ])
})

test('scale in the wide form goes to the metrics that have one', () => {
  assert.deepEqual(itemsOf({ ts: TS, hr: 72, stress: 40, scale: 100 }), [
    { index: 0, path: 'hr', sample: { ts: TS, metric: 'hr', value: 72 } },
    { index: 0, path: 'stress', sample: { ts: TS, scale: 100, metric: 'stress', value: 40 } },
  ])
})

test('a unit beside several metrics is refused, because it is unclear whose it is', () => {
  const [item] = itemsOf({ ts: TS, glucose: 5.4, hr: 72, unit: 'mmol/L' })
  assert.ok(item && 'refused' in item)
  assert.match(item.refused, /unit beside several metrics/)
})

test('a position may stand in value or beside the metric', () => {
  const place = { lat: 52.5, lon: 13.4, accuracy: 8 }
  for (const sent of [{ value: place }, place]) {
    const [item] = itemsOf({ ts: TS, metric: 'position', ...sent })
    assert.ok(item && 'sample' in item)
    assert.deepEqual(item.sample.value, place)
  }
})

test('an unknown field is refused by name, for its item alone', () => {
  const items = itemsOf([
    { ts: TS, metric: 'heart_rate', value: 72, battary: 5 },
    { ts: TS, metric: 'spo2', value: 97 },
  ])
  assert.deepEqual(items[0], { index: 0, path: '[0].battary', refused: 'unknown field "battary"' })
  assert.ok(items[1] && 'sample' in items[1])
})

test('CBOR says the same as JSON', () => {
  const value = [
    { ts: TS, metric: 'heart_rate', value: 72.5 },
    { ts: TS, hr: 72 },
  ]
  assert.deepEqual(decodeObservations(encode(value)), decodeObservations(json(value)))
})

test('CBOR times may carry the tags for date-time and epoch seconds', () => {
  const tagged = Buffer.concat([
    Buffer.from('a2627473c1', 'hex'),
    encode(1773475200),
    encode('hr'),
    encode(72),
  ])
  assert.deepEqual(readPayload(tagged), { value: { ts: 1773475200, hr: 72 } })
})

test('what CBOR must not hold is refused', () => {
  for (const [hex, why] of [
    ['9f01ff', 'indefinite list'],
    ['bf616101ff', 'indefinite map'],
    ['f7', 'undefined'],
    ['f97e00', 'not a number'],
    ['f97c00', 'infinity'],
    ['a2616101616102', 'the same key twice'],
    ['a10102', 'a key that is no text'],
    ['1bffffffffffffffff', 'an integer that no double holds'],
    ['d82a00', 'a tag nobody reads'],
    ['8201', 'a list cut short'],
    ['0101', 'bytes behind the value'],
  ] as const) {
    const read = readPayload(Buffer.from(hex, 'hex'))
    assert.ok('error' in read && read.error === 'cbor', why)
  }
})

test('depth is limited in JSON and in CBOR, also behind tags', () => {
  const limits = { maxBytes: 100_000, maxDepth: 5, maxItems: 1000 }
  const deep = { error: 'too_large', detail: 'nested deeper than 5' }
  assert.deepEqual(readPayload(Buffer.from('['.repeat(60_000)), limits), deep)
  assert.deepEqual(readPayload(Buffer.alloc(60_000, 0x81), limits), deep)
  assert.deepEqual(readPayload(Buffer.alloc(60_000, 0xc1), limits), deep)
  assert.deepEqual(readPayload(json([[[[[1]]]]]), limits), { value: [[[[[1]]]]] })
  assert.deepEqual(readPayload(encode([[[[[1]]]], [[[[2]]]]]), limits), { value: [[[[[1]]]], [[[[2]]]]] })
})

test('the number of values and bytes is limited', () => {
  const many = Array.from({ length: 1001 }, () => 0)
  const limits = { maxBytes: 100_000, maxDepth: 5, maxItems: 1000 }
  const excess = { error: 'too_large', detail: 'more than 1000 values' }
  assert.deepEqual(readPayload(json(many), limits), excess)
  assert.deepEqual(readPayload(encode(many), limits), excess)
  assert.deepEqual(readPayload(Buffer.alloc(11), { ...limits, maxBytes: 10 }), {
    error: 'too_large',
    detail: '11 bytes, 10 at most',
  })
})

test('brackets and commas inside a text do not count', () => {
  const limits = { maxBytes: 1000, maxDepth: 1, maxItems: 3 }
  assert.deepEqual(readPayload(json({ a: '[[[{{{,,,:::\\"]' }), limits), { value: { a: '[[[{{{,,,:::\\"]' } })
})

test('text that is not JSON, or not UTF-8, is an error', () => {
  for (const payload of [
    Buffer.from('[{"ts":'),
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    Buffer.from('{"a":NaN}'),
  ]) {
    const read = readPayload(payload)
    assert.ok('error' in read)
    assert.equal(read.error, 'json')
  }
})

test('names of the object prototype are plain unknown names', () => {
  const decoded = decodeObservations(Buffer.from('{"ts":1,"__proto__":5,"constructor":6}'))
  assert.ok('items' in decoded)
  assert.deepEqual(
    decoded.items.map((item) => ('sample' in item ? item.sample.metric : '')),
    ['__proto__', 'constructor'],
  )
})

test('no payload makes the decoder throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (payload) => {
        decodeObservations(payload)
      },
    ),
    { numRuns: 400, seed: 20260314 },
  )
})
