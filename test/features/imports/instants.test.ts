import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createInstants } from '../../../daemon/features/imports/instants.ts'

test('an instant is known the second time, in whatever order instants come', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 80 }), (all) => {
      const instants = createInstants(200)
      const known = new Set<number>()
      for (const atMs of all) {
        assert.equal(instants.knows(atMs), known.has(atMs))
        known.add(atMs)
      }
    }),
    { numRuns: 200 },
  )
})

test('the oldest instants leave first', () => {
  const instants = createInstants(10)
  for (let atMs = 1; atMs <= 11; atMs += 1) instants.knows(atMs)
  assert.equal(instants.knows(11), true)
  assert.equal(instants.knows(8), true)
  assert.equal(instants.knows(1), false)
})
