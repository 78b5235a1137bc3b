import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { packRollups, unpackRollups } from '../../sync/pack.ts'
import { BODIES, bodyFault, LANE_OF, type Rollup, seriesKey } from '../../sync/rows.ts'
import { openJson, sealJson } from '../../sync/seal.ts'
import { answerText, isSignedBy, newSigningKey, requestText, signText } from '../../sync/signing.ts'

const whole = fc.integer({ min: -1_000_000, max: 1_000_000 })
const count = fc.nat(1_000_000)
const rollup: fc.Arbitrary<Rollup> = fc.record({
  subject: fc.constantFrom('mia', 'ben'),
  device: fc.constant('watch-1'),
  metric: fc.constantFrom('heart_rate', 'glucose'),
  scale: fc.constantFrom(1, 100),
  start: fc.nat(500_000).map((hour) => hour * 3_600_000),
  n: count,
  sum: whole,
  sum_sq: fc.option(count),
  min: whole,
  min_at: count,
  max: whole,
  max_at: count,
  first: whole,
  first_at: count,
  last: whole,
  last_at: count,
  covered_ms: count,
  sum_v_dt: fc.option(whole),
  n_diff: count,
  sum_sq_diff: fc.option(count),
  bins: fc.constantFrom('', 'AQID'),
})

test('packed roll-ups come out as they went in, with their keys', () => {
  fc.assert(
    fc.property(fc.array(rollup, { maxLength: 20 }), (bodies) => {
      const rows = bodies.map((body, index) => ({ seq: index * 3 + 1, body }))
      const pack = JSON.parse(JSON.stringify(packRollups('rollup_hour', rows)))
      assert.deepEqual(
        unpackRollups(pack),
        rows.map(({ seq, body }) => ({
          seq,
          kind: 'rollup_hour',
          v: 1,
          key: seriesKey(body),
          body: { ...body },
        })),
      )
      for (const body of bodies) assert.equal(bodyFault('rollup_hour', body), null)
    }),
    { numRuns: 100 },
  )
})

test('a pack whose columns do not fit together is refused', () => {
  const pack = packRollups('rollup_hour', [])
  assert.throws(() => unpackRollups({ ...pack, seq: [1] }), RangeError)
})

test('every kind has a body and a lane, and a body that is none is told why', () => {
  assert.deepEqual(Object.keys(BODIES).sort(), Object.keys(LANE_OF).sort())
  assert.match(bodyFault('erasure', { subject: 'mia' }) ?? '', /requested_at|required/)
  assert.equal(bodyFault('of_next_year', { anything: 1 }), null)
})

test('a sealed value opens with its key for its subject only', () => {
  const key = randomBytes(32)
  const sealed = sealJson(key, 'mia', { name: 'Mia' })
  assert.deepEqual(openJson(key, 'mia', sealed), { name: 'Mia' })
  assert.throws(() => openJson(key, 'ben', sealed))
  assert.throws(() => openJson(randomBytes(32), 'mia', sealed))
})

test('a signature holds for exactly what was signed', () => {
  const key = newSigningKey()
  const request = {
    method: 'POST',
    path: '/api/local-edge/sync',
    body: Buffer.from('{}'),
    timeMs: 1,
    nonce: 'n',
    hub: 'h',
  }
  const signature = signText(key.pem, requestText(request))
  assert.equal(isSignedBy(key.publicKey, requestText(request), signature), true)
  for (const changed of [
    { path: '/x' },
    { body: Buffer.from('{ }') },
    { timeMs: 2 },
    { nonce: 'm' },
    { hub: 'i' },
  ])
    assert.equal(isSignedBy(key.publicKey, requestText({ ...request, ...changed }), signature), false)
  const answer = answerText({ status: 200, nonce: 'n', body: Buffer.from('<html>'), timeMs: 1 })
  assert.equal(isSignedBy(newSigningKey().publicKey, answer, signText(key.pem, answer)), false)
  assert.equal(isSignedBy('not a key', answer, 'not a signature'), false)
})
